"""Imports that were sent to a page: kept as a file, done in the background, safe to begin again.

1. The file goes into the instance folder and a row into the table ``import``: ``queued``.
2. Whoever claims it (a thread of the process that took it, or the next tick of another one on this
   machine) imports it in short transactions, and stamps the row with its progress as it goes.
3. If that process ends or dies, the stamp grows stale and somebody begins again. Importing the same rows
   twice changes nothing; only the counts of the second time tell less.

An import whose file is not on the machine that took it has failed. Other machines leave it to that one, but
not for ever.
"""

import logging
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, and_, or_, select, update

from ..audit.service import Author, record
from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..notifications import service as notifications
from ..settings import service as settings
from ..storage.connections import is_connection_lost, write
from ..storage.leases import LeaseLost, is_stale
from ..storage.vacuum import vacuum_analyze_after
from . import readings, sites
from .lines import FileError
from .preview import RAW_OF_CSV, first_readings, first_sites
from .profiles import service as profiles
from .profiles.document import Profile
from .profiles.reader import raw_of, rows_of
from .profiles.service import Stored
from .result import ImportResult, Progress
from .rows import Rejected, Rows
from .uploads import delete_old, forget, here, kept, machine, make_room, rejects

log = logging.getLogger("job_automation")

STALE_AFTER = timedelta(minutes=2)
ATTEMPTS = 3
LEFT_TO_OTHERS = timedelta(days=1)
"""So long a file that is on another machine is left to that one."""
LOST = "Its file is not on this machine any more. Send it again."
COUNTS = ("new", "updated", "unchanged", "rejected")


def newest_first() -> Select[Import]:
    """All imports."""
    return select(Import).order_by(Import.id.desc())


def history(before_id: int | None = None) -> Select[Import]:
    """Imports that stored something or were to, newest first: all, or those before one."""
    older = [Import.id < before_id] if before_id else []
    return newest_first().where(~Import.dry_run, *older)


def accept(
    kind: str,
    filename: str,
    content: BinaryIO,
    *,
    dry_run: bool,
    author: Author,
    ignore_columns: Collection[str] = (),
    profile: Stored | None = None,
) -> int:
    """Keep a file that is to be imported, read as a profile says where there is one; returns its import's id.

    Raises FileError, and OSError when there is no room for it.
    """
    name = uuid4().hex
    path = kept(name)
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        how = _How(kind, filename, tuple(ignore_columns), profile.profile if profile else None)
        with path.open("rb") as kept_file, how.rows(kept_file):
            make_room()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    entry = Import(
        kind=kind,
        filename=filename[-200:],
        kept_as=name,
        kept_on=here(),
        dry_run=dry_run,
        status="queued",
        requested_by=author.name or "",
        requested_at=author.now,
        size=path.stat().st_size,
        ignore_columns=list(ignore_columns),
        profile=profile.name if profile else None,
        profile_version=profile.version if profile else None,
    )
    with write() as session:
        session.add(entry)
        session.flush()
        import_id = entry.id
        if not dry_run:
            record(session, author, "import", import_id, [(kind, None, filename[-200:])])
    return import_id


@dataclass(frozen=True)
class _How:
    """How a kept file is read."""

    kind: str
    filename: str
    ignore_columns: tuple[str, ...]
    profile: Profile | None

    @contextmanager
    def rows(self, file: BinaryIO) -> Iterator[Rows]:
        """Its rows. Raises FileError."""
        if self.kind == "sites":
            yield sites.from_csv(file)
        elif self.profile is None:
            yield readings.from_csv(file, self.ignore_columns)
        else:
            zone = settings.current().settings.schedule.zone
            with rows_of(file, self.profile, self.filename, zone, utcnow()) as rows:
                yield rows


def _how(entry: Import) -> _How:
    """How the file of an import is read. Raises FileError where its profile is no more."""
    profile = profiles.of_version(entry.profile, entry.profile_version) if entry.profile else None
    return _How(entry.kind, entry.filename, tuple(entry.ignore_columns), profile)


def process_pending(clock: Clock = utcnow) -> None:
    """Do every import that waits, or whose process has died, and whose file is on this machine.

    Those whose file is lost fail, and files that nobody needs any more are deleted.
    """
    while (claimed := _claim(clock())) is not None:
        watch = _Watch(claimed.id, claimed.attempts)
        try:
            if claimed.attempts > ATTEMPTS:
                watch.fail("The process that imported it died, several times.")
            else:
                _do(claimed, watch)
        except LeaseLost:  # whatever it was about to tell: those that wait behind it are not its affair
            log.warning(LogEvent("import-taken-over", **{"import": watch.import_id}))
    delete_old(clock())


def _claim(now: datetime) -> Import | None:
    waits = or_(
        Import.status == "queued",
        and_(Import.status == "running", is_stale(Import.heartbeat_at, now, STALE_AFTER)),
    )
    candidates = db.session.scalars(select(Import).where(waits).order_by(Import.id)).all()
    for candidate in [_Candidate.of(candidate) for candidate in candidates]:
        still_waits = and_(Import.id == candidate.import_id, waits)
        if not kept(candidate.kept_as).exists():
            if lost := _why_lost(candidate, now):
                _give_up(still_waits, candidate.import_id, lost, now)
            continue
        claim = (
            update(Import)
            .where(still_waits)
            .values(status="running", heartbeat_at=now, attempts=Import.attempts + 1)
            .returning(Import.id)
        )
        with write() as session:
            won = session.execute(claim).one_or_none()
        if won is not None:
            return db.session.get_one(Import, candidate.import_id)
    return None


class _Candidate(NamedTuple):
    """An import that waits, as it was when one looked."""

    import_id: int
    kept_as: str
    kept_on: str
    since: datetime

    @classmethod
    def of(cls, entry: Import) -> "_Candidate":
        return cls(entry.id, entry.kept_as, entry.kept_on, entry.heartbeat_at or entry.requested_at)


def _why_lost(candidate: _Candidate, now: datetime) -> str | None:
    """Why nobody will find the file any more; None where the machine that has it may still come for it."""
    if candidate.kept_on == here():
        return LOST
    if candidate.since < now - LEFT_TO_OTHERS:
        where = machine(candidate.kept_on) or "another machine"
        return f"Its file is on {where}, where nothing has come for it for a day. Send it again."
    return None


def _give_up(still_waits: ColumnElement[bool], import_id: int, error: str, now: datetime) -> None:
    ended = {"status": "failed", "error": error, "finished_at": now}
    with write() as session:
        if session.execute(
            update(Import).where(still_waits).values(ended).returning(Import.id)
        ).one_or_none():
            notifications.import_failed(session.connection(), import_id, now)
            log.warning(LogEvent("import-file-lost", **{"import": import_id}))


def _do(entry: Import, watch: "_Watch") -> None:
    kept_as, dry_run = entry.kept_as, entry.dry_run
    has_stored_readings = entry.kind == "readings" and not dry_run
    try:
        result = _load(entry, watch)
        watch.finish(result)
    except LeaseLost:
        raise
    except FileError as error:
        watch.fail(str(error))
    except FileNotFoundError:  # it was there when the import was claimed
        watch.fail(LOST)
        log.warning(LogEvent("import-file-lost", **{"import": watch.import_id}))
    except Exception as error:
        if not threading.main_thread().is_alive() or is_connection_lost(error):
            raise  # nothing can be relied on any more: somebody begins again
        log.exception(LogEvent("import-failed", **{"import": watch.import_id}))
        watch.fail("An unexpected error. The log tells more.")
    else:
        if dry_run or not result.rejected:
            forget(kept_as)
        if has_stored_readings:  # not before: minutes without a stamp would look like a death
            vacuum_analyze_after(result.new + result.updated)


def _load(entry: Import, watch: "_Watch") -> ImportResult:
    path, kind, dry_run = kept(entry.kept_as), entry.kind, entry.dry_run
    how, author = _how(entry), Author(entry.requested_by, utcnow())
    zone = settings.current().settings.schedule.zone
    rejects(path).unlink(missing_ok=True)
    if dry_run:
        with path.open("rb") as file, how.rows(file) as rows:
            raw = RAW_OF_CSV if how.profile is None else raw_of(how.profile)
            first = (
                first_sites(path, rows)
                if kind == "sites"
                else first_readings(path, rows, zone, utcnow(), raw)
            )
        watch.stamp(preview=first)
    with path.open("rb") as file, how.rows(file) as source:
        progress = watch.progress_in(file)
        if kind == "sites":
            return sites.import_sites(source, author=author, progress=progress, dry_run=dry_run)
        return readings.store_readings(
            source, zone=zone, now=utcnow(), progress=progress, dry_run=dry_run, import_id=entry.id
        )


@dataclass
class _Watch:
    """One attempt at an import: stamps its row, and keeps the numbers of the rejected lines."""

    import_id: int
    attempt: int

    def progress_in(self, file: BinaryIO) -> Progress:
        """What to do after each batch that was read from a file. Raises LeaseLost."""

        def progress(result: ImportResult, rejected: list[Rejected]) -> None:
            if rejected:
                with rejects(Path(file.name)).open("a") as lines:
                    lines.writelines(f"{row.line}\n" for row in rejected)
            self.stamp(done=file.tell(), ignored_columns=result.ignored_columns, **_counts(result))

        return progress

    def finish(self, result: ImportResult) -> None:
        """The end of it."""
        self.stamp(
            status="finished",
            finished_at=utcnow(),
            errors=[[row.line, row.reason] for row in result.errors],
            reasons=result.reasons.describe(),
            warnings=result.warnings,
            ignored_columns=result.ignored_columns,
            **_counts(result),
        )
        log.info(LogEvent("import-done", **{"import": self.import_id}, **_counts(result)))

    def fail(self, error: str) -> None:
        """An end without success. What was imported before it stays."""
        self.stamp(status="failed", error=error, finished_at=utcnow())

    def stamp(self, **values: object) -> None:
        """Write to the import's row, unless another process has taken it over: then raise LeaseLost."""
        mine = (Import.id == self.import_id, Import.status == "running", Import.attempts == self.attempt)
        with write() as session:
            found = session.execute(
                update(Import).where(*mine).values(heartbeat_at=utcnow(), **values).returning(Import.id)
            ).one_or_none()
            if found and values.get("status") == "failed":
                notifications.import_failed(session.connection(), self.import_id, utcnow())
        if found is None:
            raise LeaseLost(f"import {self.import_id} was taken over; nothing more is written")


def _counts(result: ImportResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in COUNTS}
