"""The files that were sent to the page, in the instance folder of the machine that took them.

A file goes when its import has taken every row. Otherwise it is kept for ``KEPT_FOR``: its rejected rows can
be had, or somebody may decide whether it is imported after all. The folder holds at most ``KEPT_BYTES``:
where a new file needs room, the oldest of those whose import has ended go first.
"""

import shutil
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import load_only

from ..extensions import db
from ..models import Import
from ..models.imports import KEPT_ON_LENGTH, UNFINISHED
from ..storage.among import is_among
from ..storage.configuration import instance_folder
from .lines import FileError, shown

LARGEST = 500_000_000
"""Bytes of a file, however it comes."""
LONGEST_NAME = 200
KEPT_FOR = timedelta(days=14)
KEPT_BYTES = 5_000_000_000
MOST_REJECTS = 100_000_000
"""Bytes of what is kept beside a file of its rejected rows, some two million: a row of one letter has 40."""
_OF_FILES = (
    Import.kept_as,
    Import.status,
    Import.dry_run,
    Import.rejected,
    Import.decide_until,
    Import.finished_at,
)
FULL = "Too many files wait to be imported. Send it again when some of them are done or decided on."


def here() -> str:
    """This machine and its instance folder, as imports remember who has their file."""
    host = socket.gethostname()[:100]
    return f"{host}:{str(instance_folder())[-(KEPT_ON_LENGTH - len(host) - 1) :]}"


def machine(kept_on: str) -> str:
    """The machine's name alone, for people."""
    return kept_on.partition(":")[0]


def kept(name: str) -> Path:
    """Where the file of an import is kept."""
    return _folder() / f"{name}.csv"


def keep(content: BinaryIO) -> str:
    """Keep a file; returns its name. Raises OSError where there is no room for it."""
    name = uuid4().hex
    try:
        with kept(name).open("wb") as file:
            shutil.copyfileobj(content, file)
    except BaseException:
        forget(name)
        raise
    return name


def name_to_store(filename: str) -> str:
    """The end of what a file was called, as the database takes it: a name may be any bytes."""
    return shown(filename[-LONGEST_NAME:], LONGEST_NAME)


def rejects(path: Path) -> Path:
    """Where the line numbers of an import's rejected rows are kept, in order."""
    return path.with_suffix(".rejected")


def keep_rejects(path: Path, lines: Iterable[str]) -> None:
    """Keep some more lines of rejected rows, as long as there is room for them."""
    with rejects(path).open("a") as file:
        if file.tell() < MOST_REJECTS:
            file.writelines(lines)


def has_all_rejects(path: Path) -> bool:
    """Whether all rejected rows were kept, and not only the first of them."""
    return rejects(path).stat().st_size < MOST_REJECTS


def forget(name: str) -> None:
    """Delete the file of an import, and what is kept beside it."""
    for path in (kept(name), rejects(kept(name))):
        path.unlink(missing_ok=True)


def make_room() -> None:
    """Let files whose import has ended go, the oldest first, until the folder is within its bounds.

    Raises FileError where those that wait leave no room, and lets none go then.
    """
    sizes = {path: _size_of(path) for path in _folder().iterdir()}
    excess = sum(sizes.values()) - KEPT_BYTES
    leaving = []
    for name in _ended(path.stem for path in sizes) if excess > 0 else ():
        excess -= sum(size for path, size in sizes.items() if path.stem == name)
        leaving.append(name)
        if excess <= 0:
            break
    if excess > 0:
        raise FileError(FULL)
    for name in leaving:
        forget(name)


def delete_old(now: datetime) -> None:
    """Delete files that nobody needs any more: taken whole, not imported, or older than ``KEPT_FOR``."""
    files = list(_folder().iterdir())
    entries = {entry.kept_as: entry for entry in imports_of(path.stem for path in files)}
    for path in files:
        entry = entries.get(path.stem)
        if _is_over(entry, now) if entry else _changed_at(path) < now - KEPT_FOR:
            path.unlink(missing_ok=True)


def _is_over(entry: Import, now: datetime) -> bool:
    if entry.status in UNFINISHED or entry.decide_until is not None or entry.finished_at is None:
        return False
    is_taken_whole = entry.status == "finished" and not entry.rejected
    is_not_wanted = entry.dry_run or entry.status in ("discarded", "canceled")
    return is_not_wanted or is_taken_whole or entry.finished_at < now - KEPT_FOR


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # its import has just ended
        return 0


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # its import has just ended
        return datetime.max.replace(tzinfo=UTC)


def _ended(names: Iterable[str]) -> list[str]:
    """Of these files those whose import has ended, the oldest first."""
    return [entry.kept_as for entry in imports_of(names) if entry.status not in UNFINISHED]


def imports_of(names: Iterable[str]) -> list[Import]:
    """The imports of files with these names, in order; of each only what tells whether its file is needed.

    Each tick asks for all of them, and what is told of their rejected rows may be half a gigabyte.
    """
    of_them = is_among(db.session.connection(), Import.kept_as, set(names))
    found = select(Import).where(of_them).order_by(Import.id).options(load_only(*_OF_FILES))
    return list(db.session.scalars(found))


def _folder() -> Path:
    folder = instance_folder() / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
