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
from collections.abc import Collection
from typing import BinaryIO

from ..audit.service import Author, record
from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..storage.connections import is_connection_lost, write
from ..storage.leases import LeaseLost, kept_alive
from ..storage.vacuum import vacuum_analyze_after
from . import readings, sites, undo
from .attempt import Attempt, counts_of
from .canceling import Canceled
from .claiming import LOST, Claimed, claim
from .decisions import expire_undecided
from .kept_file import KeptFile, schedule_zone
from .lines import FileError
from .preview import RAW_OF_CSV, first_readings, first_sites
from .profiles.reader import raw_of
from .profiles.service import Stored
from .result import ImportResult
from .uploads import delete_old, forget, here, keep, kept, make_room, name_to_store, rejects

log = logging.getLogger("job_automation")

HEARTBEAT_SECONDS = 10
ATTEMPTS = 3
"""So many at checking a file, and as many at importing what somebody has decided on."""


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
        how = KeptFile(kind, filename, tuple(ignore_columns), profile.profile if profile else None)
        with path.open("rb") as kept_file, how.rows(kept_file, author.now):
            make_room()
        entry = Import(
            kind=kind,
            filename=name_to_store(filename),
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
                record(session, author, "import", import_id, [(kind, None, name_to_store(filename))])
    except BaseException:  # also of the database: nobody would come for the file
        forget(name)
        raise
    return import_id


def process_pending(clock: Clock = utcnow) -> None:
    """Do every import that waits, or whose process has died, and whose file is on this machine.

    Those whose file is lost fail, and files that nobody needs any more are deleted.
    """
    while (claimed := claim(clock())) is not None:
        watch = Attempt(claimed.import_id, claimed.attempts)
        try:
            _do(claimed, watch)
        except LeaseLost:  # whatever it was about to tell: those that wait behind it are not its affair
            log.warning(LogEvent("import-taken-over", **{"import": watch.import_id}))
    undo.go_on_with_stale(clock)
    undo.expire(clock())
    expire_undecided(clock())
    delete_old(clock())


def _do(claimed: Claimed, watch: Attempt) -> None:
    try:
        if claimed.attempts > ATTEMPTS * (2 if claimed.is_decided else 1):
            watch.fail("The process that imported it died, several times.")
        else:
            _succeed_or_fail(claimed, watch)
    except Canceled:
        stored = watch.end_canceled()
        forget(claimed.kept_as)
        vacuum_analyze_after(stored)


def _succeed_or_fail(claimed: Claimed, watch: Attempt) -> None:
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


def _check_and_import(claimed: Claimed, watch: Attempt) -> ImportResult | None:
    """What was stored; None where nothing is, or not before somebody has decided."""
    if not (claimed.is_checked or _check(claimed, watch)):
        return None
    result = _load(claimed, watch, dry_run=False)
    # Of a file of the watched folder nobody has been asked before.
    watch.finish(result, **({"warnings": result.warnings} if claimed.way == "inbox" else {}))
    if not result.rejected:
        forget(claimed.kept_as)
    return result


def _check(claimed: Claimed, watch: Attempt) -> bool:
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
    watch.stamp(is_checked=True, warnings=warnings, **counts_of(ImportResult()))
    return True


def _may_be_doubtful(claimed: Claimed, watch: Attempt) -> bool:
    if claimed.kind == "sites":
        return False  # nothing is ever warned of
    with kept(claimed.kept_as).open("rb") as file, claimed.how().rows(file, utcnow()) as rows:
        return readings.may_be_doubtful(
            rows, zone=schedule_zone(), now=utcnow(), progress=watch.progress_in(file)
        )


def _look(claimed: Claimed, watch: Attempt) -> ImportResult:
    path, how = kept(claimed.kept_as), claimed.how()
    with path.open("rb") as file, how.rows(file, utcnow()) as rows:
        if claimed.kind == "sites":
            first = first_sites(path, rows)
        else:
            raw = RAW_OF_CSV if how.profile is None else raw_of(how.profile)
            first = first_readings(path, rows, schedule_zone(), utcnow(), raw)
    watch.stamp(preview=first)
    return _load(claimed, watch, dry_run=True)


def _load(claimed: Claimed, watch: Attempt, *, dry_run: bool) -> ImportResult:
    path = kept(claimed.kept_as)
    rejects(path).unlink(missing_ok=True)
    now = utcnow()  # before the pass begins, as other imports rely on
    with path.open("rb") as file, claimed.how().rows(file, now) as rows:
        progress = watch.progress_in(file)
        if claimed.kind == "sites":
            author = Author(claimed.author, now)
            return sites.import_sites(rows, author=author, progress=progress, dry_run=dry_run)
        return readings.store_readings(
            rows,
            zone=schedule_zone(),
            now=now,
            progress=progress,
            dry_run=dry_run,
            import_id=claimed.import_id,
        )
