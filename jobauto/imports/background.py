"""Imports that were sent to a page: kept as a file, done in the background, safe to begin again.

1. The file goes into the instance folder and a row into the table ``import``: ``queued``.
2. Whoever claims it (a thread of the process that took it, or the next tick of another one on this
   machine) checks it, storing nothing, and stamps the row with its progress as it goes. Where there are
   warnings it waits for a decision (:mod:`.decisions`), and so it may after a dry run.
3. Otherwise, and when somebody has decided so, it is imported in short transactions.
4. Somebody may cancel it until it has ended (:mod:`.canceling`).
5. If that process ends or dies, the stamp grows stale and somebody begins again. Importing the same rows
   twice changes nothing; only the counts of the second time tell less. What was checked is not checked
   again: it would be compared with its own rows.

An import whose file is not on the machine that took it has failed. Other machines leave it to that one, but
not for ever.
"""

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from ..audit.service import Author, record
from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..notifications import service as notifications
from ..settings import service as settings
from ..storage.connections import is_connection_lost, write
from ..storage.leases import LeaseLost, is_stale, kept_alive
from ..storage.vacuum import vacuum_analyze_after
from . import readings, sites, undo
from .canceling import Canceled, end_of_canceled
from .decisions import expire_undecided
from .lines import FileError
from .preview import RAW_OF_CSV, first_readings, first_sites
from .profiles import service as profiles
from .profiles.document import Profile
from .profiles.reader import raw_of, rows_of
from .profiles.service import Stored
from .result import ImportResult, Progress
from .rows import Rejected, Rows
from .uploads import KEPT_FOR, delete_old, forget, here, keep, kept, machine, make_room, rejects

log = logging.getLogger("job_automation")

HEARTBEAT_SECONDS = 10
STALE_AFTER = timedelta(minutes=2)
ATTEMPTS = 3
"""So many at checking a file, and as many at importing what somebody has decided on."""
LEFT_TO_OTHERS = timedelta(days=1)
"""So long a file that is on another machine is left to that one."""
LOST = "Its file is not on this machine any more. Send it again."
DIED = "The process that imported it died. What was imported before stays; it may be sent again."
COUNTS = ("new", "updated", "unchanged", "rejected")


def newest_first() -> Select[Import]:
    """All imports; of those with one token on one day, the first."""
    return select(Import).where(Import.part_of.is_(None)).order_by(Import.id.desc())


def history(before_id: int | None = None) -> Select[Import]:
    """Imports that stored something or were to, newest first: all, or those before one."""
    older = [Import.id < before_id] if before_id else []
    return select(Import).where(~Import.dry_run, *older).order_by(Import.id.desc())


class Parts(NamedTuple):
    """How many further imports with one token there were on a day, and what came of them."""

    imports: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    last_id: int


def parts(import_ids: Collection[int]) -> dict[int, Parts]:
    """Of each first import of a day with a token, the others."""
    of_first = Import.part_of.in_(import_ids)
    sums = (func.sum(getattr(Import, name)) for name in COUNTS)
    found = select(Import.part_of, func.count(), *sums, func.max(Import.id)).where(of_first)
    return {first: Parts(*numbers) for first, *numbers in db.session.execute(found.group_by(Import.part_of))}


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
    name = keep(content)
    path = kept(name)
    try:
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
            with rows_of(file, self.profile, self.filename, _zone(), utcnow()) as rows:
                yield rows


def process_pending(clock: Clock = utcnow) -> None:
    """Do every import that waits, or whose process has died, and whose file is on this machine.

    Those whose file is lost fail, and files that nobody needs any more are deleted.
    """
    while (claimed := _claim(clock())) is not None:
        watch = _Watch(claimed.import_id, claimed.attempts)
        try:
            _do(claimed, watch)
        except LeaseLost:  # whatever it was about to tell: those that wait behind it are not its affair
            log.warning(LogEvent("import-taken-over", **{"import": watch.import_id}))
    undo.go_on_with_stale(clock)
    undo.expire(clock())
    expire_undecided(clock())
    delete_old(clock())


@dataclass(frozen=True)
class _Claimed:
    """An import as it was when this process claimed it."""

    import_id: int
    attempts: int
    kind: str
    filename: str
    kept_as: str
    dry_run: bool
    is_checked: bool
    is_decided: bool
    ignore_columns: list[str]
    profile: str | None
    profile_version: int | None
    author: str
    way: str

    @classmethod
    def of(cls, entry: Import) -> "_Claimed":
        return cls(
            entry.id,
            entry.attempts,
            entry.kind,
            entry.filename,
            entry.kept_as,
            entry.dry_run,
            entry.is_checked,
            is_decided=entry.decided_at is not None,
            ignore_columns=entry.ignore_columns,
            profile=entry.profile,
            profile_version=entry.profile_version,
            author=entry.decided_by or entry.requested_by,
            way=entry.way,
        )

    def how(self) -> _How:
        """How its file is read. Raises FileError where its profile cannot be read any more."""
        profile = profiles.of_version(self.profile, self.profile_version) if self.profile else None
        return _How(self.kind, self.filename, tuple(self.ignore_columns), profile)


def _claim(now: datetime) -> _Claimed | None:
    waits = or_(
        Import.status == "queued",
        and_(Import.status == "running", is_stale(Import.heartbeat_at, now, STALE_AFTER)),
    )
    candidates = db.session.scalars(select(Import).where(waits).order_by(Import.id)).all()
    for candidate in [_Candidate.of(candidate) for candidate in candidates]:
        still_waits = and_(Import.id == candidate.import_id, waits)
        if candidate.is_canceled:
            _end_canceled(still_waits, candidate, now)
            continue
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
            return _Claimed.of(db.session.get_one(Import, candidate.import_id))
    return None


class _Candidate(NamedTuple):
    """An import that waits, as it was when one looked."""

    import_id: int
    way: str
    kept_as: str
    kept_on: str
    since: datetime
    is_canceled: bool

    @classmethod
    def of(cls, entry: Import) -> "_Candidate":
        stamps = filter(None, (entry.requested_at, entry.heartbeat_at, entry.decided_at))
        is_canceled = entry.canceled_at is not None
        return cls(entry.id, entry.way, entry.kept_as, entry.kept_on, max(stamps), is_canceled)


def _why_lost(candidate: _Candidate, now: datetime) -> str | None:
    """Why nobody will find the file any more; None where the machine that has it may still come for it."""
    if candidate.way in ("command", "api"):
        return DIED  # it has no file, and nobody begins it again
    if candidate.kept_on == here():
        return LOST
    if candidate.since < now - LEFT_TO_OTHERS:
        where = machine(candidate.kept_on) or "another machine"
        return f"Its file is on {where}, where nothing has come for it for a day. Send it again."
    return None


def _give_up(still_waits: ColumnElement[bool], import_id: int, error: str, now: datetime) -> None:
    ended = {"status": "failed", "error": error, "finished_at": now, "undo_until": now + undo.KEPT_FOR}
    with write() as session:
        if session.execute(
            update(Import).where(still_waits).values(ended).returning(Import.id)
        ).one_or_none():
            notifications.import_failed(session.connection(), import_id, now)
            log.warning(LogEvent("import-file-lost", **{"import": import_id}))


def _end_canceled(still_waits: ColumnElement[bool], candidate: _Candidate, now: datetime) -> None:
    """End an import that was canceled, and whose process died before it found that."""
    canceled = (still_waits, Import.canceled_at.is_not(None))
    with write() as session:
        ended = update(Import).where(*canceled).values(end_of_canceled(now, has_died=True))
        has_ended = session.execute(ended.returning(Import.id)).one_or_none() is not None
    if has_ended:
        forget(candidate.kept_as)


def _do(claimed: _Claimed, watch: "_Watch") -> None:
    try:
        if claimed.attempts > ATTEMPTS * (2 if claimed.is_decided else 1):
            watch.fail("The process that imported it died, several times.")
        else:
            _succeed_or_fail(claimed, watch)
    except Canceled:
        stored = watch.end_canceled()
        forget(claimed.kept_as)
        vacuum_analyze_after(stored)


def _succeed_or_fail(claimed: _Claimed, watch: "_Watch") -> None:
    try:
        with kept_alive(db.engine, watch.renew, HEARTBEAT_SECONDS, **{"import": watch.import_id}):
            result = _check_and_import(claimed, watch)
    except (LeaseLost, Canceled):
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
        if result and claimed.kind == "readings":
            # Not before: minutes without a stamp would look like a death.
            vacuum_analyze_after(result.new + result.updated)


def _check_and_import(claimed: _Claimed, watch: "_Watch") -> ImportResult | None:
    """What was stored; None where nothing is, or not before somebody has decided."""
    if not (claimed.is_checked or _check(claimed, watch)):
        return None
    result = _load(claimed, watch, dry_run=False)
    # Of a file of the watched folder nobody has been asked before.
    watch.finish(result, **({"warnings": result.warnings} if claimed.way == "inbox" else {}))
    if not result.rejected:
        forget(claimed.kept_as)
    return result


def _check(claimed: _Claimed, watch: "_Watch") -> bool:
    """Look at a file before anything is stored; returns whether it is to be imported at once."""
    warnings = []
    if claimed.dry_run or _may_be_doubtful(claimed, watch):
        found = _look(claimed, watch)
        warnings, would_store = found.warnings, found.new + found.updated > 0
        if claimed.dry_run or (warnings and would_store):
            watch.end_of_check(found, dry_run=claimed.dry_run, would_store=would_store)
            if not would_store:
                forget(claimed.kept_as)
            return False
    watch.stamp(is_checked=True, warnings=warnings, **_counts(ImportResult()))
    return True


def _may_be_doubtful(claimed: _Claimed, watch: "_Watch") -> bool:
    if claimed.kind == "sites":
        return False  # nothing is ever warned of
    with kept(claimed.kept_as).open("rb") as file, claimed.how().rows(file) as rows:
        return readings.may_be_doubtful(rows, zone=_zone(), now=utcnow(), progress=watch.progress_in(file))


def _look(claimed: _Claimed, watch: "_Watch") -> ImportResult:
    path, how = kept(claimed.kept_as), claimed.how()
    with path.open("rb") as file, how.rows(file) as rows:
        if claimed.kind == "sites":
            first = first_sites(path, rows)
        else:
            raw = RAW_OF_CSV if how.profile is None else raw_of(how.profile)
            first = first_readings(path, rows, _zone(), utcnow(), raw)
    watch.stamp(preview=first)
    return _load(claimed, watch, dry_run=True)


def _load(claimed: _Claimed, watch: "_Watch", *, dry_run: bool) -> ImportResult:
    path = kept(claimed.kept_as)
    rejects(path).unlink(missing_ok=True)
    with path.open("rb") as file, claimed.how().rows(file) as rows:
        progress = watch.progress_in(file)
        if claimed.kind == "sites":
            author = Author(claimed.author, utcnow())
            return sites.import_sites(rows, author=author, progress=progress, dry_run=dry_run)
        return readings.store_readings(
            rows,
            zone=_zone(),
            now=utcnow(),
            progress=progress,
            dry_run=dry_run,
            import_id=claimed.import_id,
        )


def _zone() -> ZoneInfo:
    return settings.current().settings.schedule.zone


@dataclass
class _Watch:
    """One attempt at an import: stamps its row, and keeps the numbers of the rejected lines."""

    import_id: int
    attempt: int

    def progress_in(self, file: BinaryIO) -> Progress:
        """What to do after each batch that was read from a file. Raises LeaseLost and Canceled."""
        self.stamp(pass_began_at=utcnow(), done=0, rows=0)

        def progress(result: ImportResult, rejected: list[Rejected]) -> None:
            if rejected:
                words = {reason: " ".join(reason.split()) for reason in {row.reason for row in rejected}}
                with rejects(Path(file.name)).open("a") as lines:
                    lines.writelines(f"{row.line}\t{words[row.reason]}\n" for row in rejected)
            self.stamp(
                done=file.tell(), rows=result.rows, ignored_columns=result.ignored_columns, **_counts(result)
            )

        return progress

    def end_of_check(self, found: ImportResult, *, dry_run: bool, would_store: bool) -> None:
        """Nothing is stored for now; somebody may decide so, if there is anything to store."""
        now = utcnow()
        self._end(
            found,
            status="finished" if dry_run else "waiting",
            finished_at=now if dry_run else None,
            warnings=found.warnings,
            is_checked=True,
            decide_until=now + KEPT_FOR if would_store else None,
        )

    def finish(self, result: ImportResult, **values: object) -> None:
        """The end of it."""
        now = utcnow()
        ended = {"status": "finished", "finished_at": now, "heartbeat_at": None}
        self._end(result, undo_until=now + undo.KEPT_FOR, **ended, **values)

    def _end(self, result: ImportResult, **values: object) -> None:
        self.stamp(
            errors=[[row.line, row.reason] for row in result.errors],
            reasons=result.reasons.describe(),
            ignored_columns=result.ignored_columns,
            **_counts(result),
            **values,
        )
        log.info(LogEvent("import-done", **{"import": self.import_id}, **_counts(result)))

    def fail(self, error: str) -> None:
        """An end without success. What was imported before it stays."""
        now = utcnow()
        ended = {"status": "failed", "finished_at": now, "heartbeat_at": None}
        self.stamp(error=error, undo_until=now + undo.KEPT_FOR, **ended)

    def end_canceled(self) -> int:
        """The end that somebody has asked for; returns how many rows were stored before it."""
        with write() as session:
            self.renew(session.connection(), **end_of_canceled(utcnow()))
            entry = session.get_one(Import, self.import_id)
            log.info(LogEvent("import-canceled", **{"import": self.import_id}, by=entry.canceled_by))
            return entry.new + entry.updated

    def stamp(self, **values: object) -> None:
        """Write to the import's row, unless another process has taken it over: then raise LeaseLost.

        Raises Canceled where somebody has canceled it. How far it is, is written then, but no end.
        """
        with write() as session:
            is_canceled = self.renew(session.connection(), **values)
            if is_canceled and "status" in values:
                raise Canceled(self.import_id)
            if values.get("status") == "failed":
                notifications.import_failed(session.connection(), self.import_id, utcnow())
        if is_canceled:
            raise Canceled(self.import_id)

    def renew(self, connection: Connection, **values: object) -> bool:
        """The same within a transaction; with nothing else to write it is a proof of life.

        Returns whether somebody has canceled it.
        """
        mine = (Import.id == self.import_id, Import.status == "running", Import.attempts == self.attempt)
        stamped = update(Import).where(*mine).values({"heartbeat_at": utcnow()} | values)
        found = connection.execute(stamped.returning(Import.canceled_at)).one_or_none()
        if found is None:
            raise LeaseLost(f"import {self.import_id} was taken over; nothing more is written")
        return found.canceled_at is not None


def _counts(result: ImportResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in COUNTS}
