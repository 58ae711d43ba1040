"""The watched folder: files that somebody lays into the folder of a profile are imported by themselves.

1. A file whose time is 60 seconds old is copied into the instance folder. Where it is still the same file
   afterwards, and no import has it, a row says that it is to be imported: the database decides who takes it.
2. It is imported like any file of the page (:mod:`.background`), but nobody is asked about warnings.
3. At the end it is moved, beside it what is to be said of it, and its row says that it lies there no more.

Nothing is deleted here. Whatever cannot be done now is left for the next time; links are never followed.
"""

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..storage.configuration import inbox_folder
from ..storage.connections import write
from . import background
from .lines import FileError
from .profiles import service as profiles
from .profiles.document import ProfileError
from .profiles.service import Stored
from .rejected_rows import with_reasons
from .uploads import here, kept, make_room, rejects

log = logging.getLogger("job_automation")

QUIET = timedelta(seconds=60)
AT_ONCE = 100
"""So many files wait in the instance folder at a time."""
UNFINISHED_NAMES = (".part", ".tmp", ".filepart")
AUTHOR = "watched folder"
LONGEST_NAME = 255
CHUNK = 1 << 20


def look(clock: Clock = utcnow) -> int:
    """Import what lies in the watched folder; returns how many files were taken."""
    folder = inbox_folder()
    if folder is None:
        return 0
    taken = 0
    _settle(folder)
    while more := sum(_take_all(folder, clock())):
        taken += more
        background.process_pending(clock)
        _settle(folder)
    return taken


def _take_all(folder: Path, now: datetime) -> Iterator[int]:
    for name in [row.name for row in db.session.scalars(profiles.current())]:
        stored = profiles.find(name)
        if stored is None:
            continue
        try:
            with _folder_of(folder, stored.name) as opened:
                yield _take_some(opened, stored, now)
        except OSError as error:
            log.warning(LogEvent("inbox-unusable", profile=name, error=error))


@contextmanager
def _folder_of(folder: Path, name: str) -> Iterator[int]:
    """The folder of a profile, made where there is none; it may be written in capitals or not."""
    folder.mkdir(parents=True, exist_ok=True)
    there = next((path.name for path in folder.iterdir() if path.name.lower() == name.lower()), None)
    if there is None:
        with suppress(FileExistsError):
            (folder / name).mkdir()
    with _opened(there or name, str(folder)) as opened:
        yield opened


@contextmanager
def _opened(name: str, within: int | str) -> Iterator[int]:
    path, within_fd = (name, within) if isinstance(within, int) else (os.path.join(within, name), None)  # noqa: PTH118 (names of bytes)
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within_fd)
    try:
        yield opened
    finally:
        os.close(opened)


def _take_some(folder: int, stored: Stored, now: datetime) -> int:
    of_profile = (Import.profile == stored.name, Import.kept_on == here())
    waiting = set(
        db.session.scalars(select(Import.inbox_name).where(*of_profile, Import.inbox_name.is_not(None)))
    )
    taken = 0
    for name in sorted(os.listdir(folder)):
        if _is_ready(folder, name, now) and _stored_name(name) not in waiting:
            taken += _take(folder, name, stored, now)
            if taken >= AT_ONCE:
                break
    return taken


def _is_ready(folder: int, name: str, now: datetime) -> bool:
    """Whether it is a file that nobody has changed for a while."""
    if name.startswith(".") or name.lower().endswith(UNFINISHED_NAMES):
        return False
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    changed = found.st_mtime if found.st_mtime <= now.timestamp() else found.st_ctime
    return stat.S_ISREG(found.st_mode) and now.timestamp() - changed >= QUIET.total_seconds()


class _Copy(NamedTuple):
    kept_as: str
    size: int
    time: int
    inode: int
    content_hash: str


def _take(folder: int, name: str, stored: Stored, now: datetime) -> int:
    """Have a file imported, unless somebody else has; 1 where a row says so, or it was moved away."""
    kept_as = uuid4().hex
    try:
        copy = _copied(folder, name, kept_as)
        make_room()
    except FileNotFoundError:
        return 0  # another process has it
    except PermissionError as error:
        kept(kept_as).unlink(missing_ok=True)
        return _refuse(folder, name, f"It cannot be read: {error.strerror}.")
    except (OSError, FileError) as error:
        kept(kept_as).unlink(missing_ok=True)
        log.warning(LogEvent("inbox-file-left", profile=stored.name, file=name, error=error))
        return 0
    if copy is None:
        return 0
    try:
        before = _queue(folder, name, stored, copy, now)
    except (IntegrityError, _Gone):
        before = None
        is_queued = False
    else:
        is_queued = before is None
    if is_queued:
        return 1
    kept(kept_as).unlink(missing_ok=True)
    if before is None or before.status != "finished":
        return 0  # another process has it, or the same content is being imported
    said = f"The same content was imported as import {before.id}, and was not imported again.\n"
    return int(_move(folder, name, "done", lambda _: [(".txt", [said.encode()])]))


def _copied(folder: int, name: str, kept_as: str) -> _Copy | None:
    """Copy a file; None where it has changed meanwhile, or is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with open(os.open(name, flags, dir_fd=folder), "rb") as source, kept(kept_as).open("wb") as target:  # noqa: PTH123 (opened within a folder)
        before = os.fstat(source.fileno())
        digest = hashlib.sha256()
        while target.tell() <= before.st_size and (chunk := source.read(CHUNK)):  # it may grow as fast
            digest.update(chunk)
            target.write(chunk)
        after = os.fstat(source.fileno())
    if not stat.S_ISREG(before.st_mode) or _identity(before) != _identity(after):
        kept(kept_as).unlink(missing_ok=True)
        return None
    return _Copy(kept_as, after.st_size, after.st_mtime_ns, after.st_ino, digest.hexdigest())


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


class _Gone(Exception):
    """The file is not there any more, or is another one."""


def _queue(folder: int, name: str, stored: Stored, copy: _Copy, now: datetime) -> Import | None:
    """Say that a file is to be imported; or return the import that has brought the same content."""
    with write() as session:
        same = (
            select(Import)
            .where(
                Import.content_hash == copy.content_hash,
                Import.profile == stored.name,
                Import.profile_version == stored.version,
                Import.undone_at.is_(None),
                Import.undo_heartbeat_at.is_(None),
                Import.rejected == 0,
                Import.status.in_(("queued", "running", "finished")),
            )
            .order_by(Import.id.desc())
        )
        before = session.scalars(same).first()
        if before is not None:
            session.expunge(before)
            return before
        session.add(
            Import(
                kind="readings",
                way="inbox",
                filename=_printable(name)[-200:],
                kept_as=copy.kept_as,
                kept_on=here(),
                dry_run=False,
                status="queued",
                requested_by=AUTHOR,
                requested_at=now,
                size=copy.size,
                profile=stored.name,
                profile_version=stored.version,
                is_checked=True,
                inbox_name=_stored_name(name),
                inbox_time=copy.time,
                content_hash=copy.content_hash,
            )
        )
        session.flush()
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError as error:
            raise _Gone from error
        if _identity(found) != (copy.size, copy.time, copy.inode):
            raise _Gone
    return None


Notes = Callable[[str], Iterable[tuple[str, Iterable[bytes]]]]
"""What is written beside a file that is moved: the endings of names, and contents."""


def _settle(folder: Path) -> None:
    """Move the files whose imports have ended."""
    ended = select(Import.id).where(
        Import.inbox_name.is_not(None), Import.kept_on == here(), Import.status.in_(("finished", "failed"))
    )
    for import_id in db.session.scalars(ended.order_by(Import.id)).all():
        try:
            _settle_one(folder, import_id)
        except OSError as error:
            log.warning(LogEvent("inbox-file-not-moved", **{"import": import_id}, error=error))


def _settle_one(folder: Path, import_id: int) -> None:
    """Move a file, while no other process can."""
    mine = (Import.id == import_id, Import.inbox_name.is_not(None))
    with write() as session:
        name = session.scalar(select(Import.inbox_name).where(*mine))
        won = session.execute(update(Import).where(*mine).values(inbox_name=None).returning(Import.id))
        if won.one_or_none() is None or name is None:
            return
        entry = session.get_one(Import, import_id)
        with _folder_of(folder, entry.profile or "") as opened:
            _move_imported(opened, os.fsdecode(unquote_to_bytes(name)), entry)


def _move_imported(folder: int, name: str, entry: Import) -> None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return  # a process has moved it, and died before it could say so
    if (found.st_size, found.st_mtime_ns) != (entry.size, entry.inbox_time):
        return  # it is another one by now, whose turn comes
    if entry.status == "failed":
        why = f"{entry.error}\n".encode()
        _move(folder, name, "rejected", lambda _: [(".txt", [why])])
    else:
        _move(folder, name, "done", lambda _: _rejected_rows(entry))


def _rejected_rows(entry: Import) -> Iterator[tuple[str, Iterable[bytes]]]:
    path = kept(entry.kept_as)
    if entry.rejected and path.exists() and rejects(path).exists():
        try:
            profile = profiles.of_version(entry.profile or "", entry.profile_version)
        except ProfileError:
            return
        yield ".rejected.csv", with_reasons(path, profile)


def _refuse(folder: int, name: str, why: str) -> int:
    try:
        return int(_move(folder, name, "rejected", lambda _: [(".txt", [f"{why}\n".encode()])]))
    except OSError as error:
        log.warning(LogEvent("inbox-file-left", file=name, error=error))
        return 0


def _move(folder: int, name: str, to: str, notes: Notes) -> bool:
    """Move a file into a folder beside it under a name that is free, with what is said of it."""
    with suppress(FileExistsError):
        os.mkdir(to, dir_fd=folder)
    with _opened(to, folder) as target:
        for free in _names(name):
            try:
                os.link(name, free, src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False)
            except FileExistsError:
                continue
            except FileNotFoundError:
                return False  # another process has it
            break
        written = []
        try:
            for ending, content in notes(free):
                beside = _cut(free, ending) + ending
                written.append(beside)
                _write(target, beside, content)
        except BaseException:
            for each in [*written, free]:
                with suppress(FileNotFoundError):
                    os.unlink(each, dir_fd=target)
            raise
        os.unlink(name, dir_fd=folder)
    return True


def _names(name: str) -> Iterator[str]:
    """``a.csv``, ``a (2).csv``, ``a (3).csv`` ..."""
    yield name
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name, and no path)
    number = 2
    while True:
        more = f" ({number}){ending}"
        yield _cut(stem, more) + more
        number += 1


def _cut(name: str, ending: str) -> str:
    """As much of a name as leaves room for its ending."""
    room = LONGEST_NAME - len(os.fsencode(ending))
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def _write(folder: int, name: str, content: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file:  # noqa: PTH123 (opened within a folder)
        file.writelines(content)


def _stored_name(name: str) -> str:
    """A name as the database has it; it may be any bytes."""
    return quote(os.fsencode(name), safe="")


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
