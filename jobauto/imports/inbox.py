"""The watched folder: files that somebody lays into the folder of a profile are imported by themselves.

1. A file whose time is 60 seconds old is copied into the instance folder. Where it is still the same file
   afterwards, and no import has it, a row says that it is to be imported: the database decides who takes it.
2. It is imported like any file of the page (:mod:`.background`), but nobody is asked about warnings.
3. At the end a process claims the move, moves the file, beside it what is to be said of it, and its row says
   that it lies there no more.

Nothing is deleted here. Whatever cannot be done now is left for the next time; links are never followed.
"""

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes
from uuid import uuid4

from sqlalchemy import Select, or_, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..storage.configuration import inbox_folder
from ..storage.connections import write
from ..storage.leases import is_stale
from . import background
from .claiming import STALE_AFTER
from .lines import FileError
from .moving import HIDDEN, Gone, Known, Note, move, opened_folder, put_back_left, time_of
from .profiles import service as profiles
from .profiles.document import ProfileError
from .profiles.reader import needs_file_name
from .profiles.service import Stored
from .rejected_rows import with_reasons
from .uploads import LARGEST, here, kept, make_room, rejects

log = logging.getLogger("job_automation")

QUIET = timedelta(seconds=60)
AT_ONCE = 100
"""So many files wait in the instance folder at a time."""
UNFINISHED_NAMES = (".part", ".tmp", ".filepart")
AUTHOR = "watched folder"
CHUNK = 1 << 20


def look(clock: Clock = utcnow) -> int:
    """Import what lies in the watched folder; returns how many files were taken."""
    folder = inbox_folder()
    if folder is None:
        return 0
    taken = 0
    _settle(folder, clock)
    while more := sum(_take_all(folder, clock())):
        taken += more
        background.process_pending(clock)
        _settle(folder, clock)
    return taken


def _take_all(folder: Path, now: datetime) -> Iterator[int]:
    for name in db.session.scalars(profiles.names()).all():
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
    with opened_folder(there or name, str(folder)) as opened:
        yield opened


def _take_some(folder: int, stored: Stored, now: datetime) -> int:
    of_profile = (Import.profile == stored.name, Import.kept_on == here())
    waiting = set(
        db.session.scalars(select(Import.inbox_name).where(*of_profile, Import.inbox_name.is_not(None)))
    )
    taken = 0
    for name in sorted(os.listdir(folder)):
        if name.startswith(HIDDEN):
            put_back_left(folder, name, now)
            continue
        found = _ready(folder, name, now)
        if found and _stored_name(name) not in waiting:
            taken += _take(folder, name, found, stored, now)
            if taken >= AT_ONCE:
                break
    return taken


def _ready(folder: int, name: str, now: datetime) -> os.stat_result | None:
    """What is known of a file that nobody has changed for a while; None of any other."""
    if name.startswith(".") or name.lower().endswith(UNFINISHED_NAMES):
        return None
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    changed = found.st_mtime if found.st_mtime <= now.timestamp() else found.st_ctime
    is_quiet = now.timestamp() - changed >= QUIET.total_seconds()
    return found if stat.S_ISREG(found.st_mode) and is_quiet else None


class _Copy(NamedTuple):
    kept_as: str
    size: int
    time: int
    inode: int
    content_hash: str


def _take(folder: int, name: str, found: os.stat_result, stored: Stored, now: datetime) -> int:
    """Have a file imported, unless somebody else has; 1 where a row says so, or it was moved away."""
    unread = Known(found.st_size, time_of(found), None)
    if found.st_size > LARGEST:
        why = f"It is larger than {LARGEST // 1_000_000} MB. Send it in several parts.\n"
        return _move_now(folder, name, unread, "rejected", why)
    try:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except PermissionError as error:
        return _move_now(folder, name, unread, "rejected", f"It cannot be read: {error.strerror}.\n")
    except OSError as error:
        if not isinstance(error, FileNotFoundError):  # another process has it
            log.warning(LogEvent("inbox-file-left", profile=stored.name, file=name, error=error))
        return 0
    if not stat.S_ISREG(os.fstat(source).st_mode):  # laid there since it was looked at
        os.close(source)
        return 0
    copy = _copy(source, name, found, stored)
    return _queue_or_move(folder, name, stored, copy, now) if copy else 0


def _queue_or_move(folder: int, name: str, stored: Stored, copy: _Copy, now: datetime) -> int:
    """Have a copy imported, or move away a file that has been imported before."""
    try:
        before = _queue(folder, name, stored, copy, now)
    except (IntegrityError, Gone):
        before = None
        is_queued = False
    else:
        is_queued = before is None
    if is_queued:
        return 1
    kept(copy.kept_as).unlink(missing_ok=True)
    if before is None or before.status != "finished":
        return 0  # another process has it, or the same content is being imported
    said = f"The same content was imported as import {before.id}, and was not imported again.\n"
    return _move_now(folder, name, Known(copy.size, copy.time, copy.content_hash), "done", said)


def _copy(opened: int, name: str, found: os.stat_result, stored: Stored) -> _Copy | None:
    """Keep a copy where there is room for it; None where there is none, or the file has changed."""
    kept_as = uuid4().hex
    copy = None
    try:
        copy = _copied(opened, found, kept_as)
        make_room()
    except (OSError, FileError) as error:
        copy = None
        log.warning(LogEvent("inbox-file-left", profile=stored.name, file=name, error=error))
    if copy is None:
        kept(kept_as).unlink(missing_ok=True)
    return copy


def _copied(opened: int, found: os.stat_result, kept_as: str) -> _Copy | None:
    """Copy a file, and close it; None where it is not any more, or not as it was found."""
    with open(opened, "rb") as source, kept(kept_as).open("wb") as target:
        digest = hashlib.sha256()
        while target.tell() <= found.st_size and (chunk := source.read(CHUNK)):  # it may grow as fast
            digest.update(chunk)
            target.write(chunk)
        after = os.fstat(source.fileno())
    if _identity(found) != _identity(after):
        return None
    return _Copy(kept_as, after.st_size, time_of(after), after.st_ino, digest.hexdigest())


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, time_of(found), found.st_ino


def _queue(folder: int, name: str, stored: Stored, copy: _Copy, now: datetime) -> Import | None:
    """Say that a file is to be imported; or return the import that has brought the same content.

    Raises Gone.
    """
    filename = _printable(name)[-200:]
    with write() as session:
        before = session.scalars(_of_same_content(filename, stored, copy)).first()
        if before is not None:
            session.expunge(before)
            return before
        session.add(_to_import(filename, name, stored, copy, now))
        session.flush()
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError as error:
            raise Gone from error
        if _identity(found) != (copy.size, copy.time, copy.inode):
            raise Gone
    return None


def _of_same_content(filename: str, stored: Stored, copy: _Copy) -> Select[Import]:
    """Imports that have brought all of it, or are about to, newest first."""
    # Where a file's name says whose readings it has, equal content of another name is another file.
    own_name = [Import.filename == filename] if needs_file_name(stored.profile) else []
    return (
        select(Import)
        .where(
            Import.content_hash == copy.content_hash,
            Import.profile == stored.name,
            Import.profile_version == stored.version,
            Import.undone_at.is_(None),
            Import.undo_heartbeat_at.is_(None),
            Import.rejected == 0,
            Import.status.in_(("queued", "running", "finished")),
            *own_name,
        )
        .order_by(Import.id.desc())
    )


def _to_import(filename: str, name: str, stored: Stored, copy: _Copy, now: datetime) -> Import:
    return Import(
        kind="readings",
        way="inbox",
        filename=filename,
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


def _settle(folder: Path, clock: Clock) -> None:
    """Move the files whose imports have ended."""
    ended = select(Import.id).where(
        Import.inbox_name.is_not(None),
        Import.kept_on == here(),
        Import.status.in_(("finished", "failed", "canceled")),
    )
    for import_id in db.session.scalars(ended.order_by(Import.id)).all():
        try:
            _settle_one(folder, import_id, clock())
        except (OSError, FileError) as error:
            log.warning(LogEvent("inbox-file-not-moved", **{"import": import_id}, error=error))
        except DatabaseError:
            raise
        except Exception:  # a fault of ours about one file stops no others: whoever sends may cause it
            log.exception(LogEvent("inbox-file-not-moved", **{"import": import_id}))


def _settle_one(folder: Path, import_id: int, now: datetime) -> None:
    """Move the file of an import that has ended, unless another process does; nobody waits for it."""
    entry = _claim(import_id, now)
    if entry is None:
        return
    is_settled = False
    try:
        with _folder_of(folder, entry.profile or "") as opened:
            _move_imported(opened, entry)
        is_settled = True
    finally:
        values = {"heartbeat_at": None, **({"inbox_name": None} if is_settled else {})}
        with write() as session:
            mine = (Import.id == import_id, Import.heartbeat_at == now)
            session.execute(update(Import).where(*mine).values(values))


def _claim(import_id: int, now: datetime) -> Import | None:
    """The import whose file this process may move; one whose process has died is claimed anew."""
    free = or_(Import.heartbeat_at.is_(None), is_stale(Import.heartbeat_at, now, STALE_AFTER))
    waits = (Import.id == import_id, Import.inbox_name.is_not(None), free)
    claim = update(Import).where(*waits).values(heartbeat_at=now).returning(Import)
    with write() as session:
        entry = session.scalars(claim).one_or_none()
        if entry:
            session.expunge(entry)
    return entry


def _move_imported(folder: int, entry: Import) -> None:
    """Move it unless it is another one by now, whose turn comes, or was moved by a process that died."""
    name = os.fsdecode(unquote_to_bytes(entry.inbox_name or ""))
    known = Known(entry.size, entry.inbox_time or 0, entry.content_hash)
    if entry.status in ("failed", "canceled"):
        canceled = entry.status == "canceled"
        why = f"{entry.canceled_by} has canceled its import." if canceled else entry.error
        move(folder, name, known, "rejected", (".txt", [f"{why}\n".encode()]))
    else:
        move(folder, name, known, "done", _rejected_rows(entry))


def _rejected_rows(entry: Import) -> Note | None:
    path = kept(entry.kept_as)
    if not (entry.rejected and path.exists() and rejects(path).exists()):
        return None
    try:
        profile = profiles.of_version(entry.profile or "", entry.profile_version)
    except ProfileError:
        return None
    finally:
        db.session.rollback()  # no transaction stays open while files are written
    return ".rejected.csv", with_reasons(path, profile)


def _move_now(folder: int, name: str, known: Known, to: str, said: str) -> int:
    """1 where a file was moved away, with a sentence beside it."""
    try:
        return int(move(folder, name, known, to, (".txt", [said.encode()])))
    except OSError as error:
        log.warning(LogEvent("inbox-file-left", file=name, error=error))
        return 0


def _stored_name(name: str) -> str:
    """A name as the database has it; it may be any bytes."""
    return quote(os.fsencode(name), safe="")


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
