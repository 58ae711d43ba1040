"""Imports that were sent to a page: kept as a file, done in the background, safe to begin again.

1. The file goes into the instance folder and a row into the table ``import``: ``queued``.
2. Whoever claims it (a thread of the process that took it, or the next tick of another one on this
   machine) imports it in short transactions, and stamps the row with its progress as it goes.
3. If that process ends or dies, the stamp grows stale and somebody begins again. Importing the same rows
   twice changes nothing; only the counts of the second time tell less.
"""

import logging
import shutil
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import Select, and_, or_, select, update

from ..audit.service import Author, record
from ..clock import utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..notifications import service as notifications
from ..settings import service as settings
from ..storage.configuration import instance_folder
from ..storage.connections import is_connection_lost, write
from ..storage.leases import LeaseLost
from . import readings, rows, sites
from .result import ImportResult, Progress
from .rows import Rejected

log = logging.getLogger("job_automation")

STALE_AFTER = timedelta(minutes=2)
ATTEMPTS = 3
COUNTS = ("new", "updated", "unchanged", "rejected")
HEADER_OF = {"sites": sites.REQUIRED, "readings": readings.COLUMNS}


def newest_first() -> Select[Import]:
    """All imports."""
    return select(Import).order_by(Import.id.desc())


def history(before_id: int | None = None) -> Select[Import]:
    """Imports that stored something or were to, newest first: all, or those before one."""
    older = [Import.id < before_id] if before_id else []
    return newest_first().where(~Import.dry_run, *older)


def accept(kind: str, filename: str, content: BinaryIO, *, dry_run: bool, author: Author) -> int:
    """Keep a file that is to be imported; returns the id of its import.

    Raises FileError, and OSError when there is no room for it.
    """
    name = uuid4().hex
    path = kept(name)
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        with path.open("rb") as file:
            rows.from_csv(file, HEADER_OF[kind])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    entry = Import(
        kind=kind,
        filename=filename[-200:],
        kept_as=name,
        dry_run=dry_run,
        status="queued",
        requested_by=author.name or "",
        requested_at=author.now,
        size=path.stat().st_size,
    )
    with write() as session:
        session.add(entry)
        session.flush()
        import_id = entry.id
        if not dry_run:
            record(session, author, "import", import_id, [(kind, None, filename[-200:])])
    return import_id


def kept(name: str) -> Path:
    """Where the file of an import is kept."""
    folder = instance_folder() / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{name}.csv"


def process_pending() -> None:
    """Do every import that waits, or whose process has died, and whose file is on this machine."""
    while (claimed := _claim()) is not None:
        if claimed.attempts > ATTEMPTS:
            _Watch(claimed.id, claimed.attempts).fail("The process that imported it died, several times.")
        else:
            _do(claimed)


def _claim() -> Import | None:
    now = utcnow()
    waits = or_(
        Import.status == "queued", and_(Import.status == "running", Import.heartbeat_at < now - STALE_AFTER)
    )
    candidates = db.session.scalars(select(Import).where(waits).order_by(Import.id)).all()
    for name, import_id in [(candidate.kept_as, candidate.id) for candidate in candidates]:
        if not kept(name).exists():
            continue
        claim = (
            update(Import)
            .where(Import.id == import_id, waits)
            .values(status="running", heartbeat_at=now, attempts=Import.attempts + 1)
            .returning(Import.id)
        )
        with write() as session:
            won = session.execute(claim).one_or_none()
        if won is not None:
            return db.session.get_one(Import, import_id)
    return None


def _do(entry: Import) -> None:
    watch = _Watch(entry.id, entry.attempts)
    has_stored_readings = entry.kind == "readings" and not entry.dry_run
    try:
        result = _load(entry, watch)
        watch.finish(result)
    except LeaseLost:
        log.warning(LogEvent("import-taken-over", **{"import": watch.import_id}))
    except rows.FileError as error:
        watch.fail(str(error))
    except Exception as error:
        if not threading.main_thread().is_alive() or is_connection_lost(error):
            raise  # nothing can be relied on any more: somebody begins again
        log.exception(LogEvent("import-failed", **{"import": watch.import_id}))
        watch.fail("An unexpected error. The log tells more.")
    else:
        if has_stored_readings:  # not before: minutes without a stamp would look like a death
            readings.vacuum_analyze_after(result)


def _load(entry: Import, watch: "_Watch") -> ImportResult:
    path, kind, dry_run = kept(entry.kept_as), entry.kind, entry.dry_run
    author = Author(entry.requested_by, utcnow())
    zone = settings.current().settings.schedule.zone
    rejects(path).unlink(missing_ok=True)
    with path.open("rb") as file:
        progress = watch.progress_in(file)
        if kind == "sites":
            source = rows.from_csv(file, sites.REQUIRED, sites.OPTIONAL)
            return sites.import_sites(source, author=author, progress=progress, dry_run=dry_run)
        source = rows.from_csv(file, readings.COLUMNS)
        return readings.store_readings(source, zone=zone, now=utcnow(), progress=progress, dry_run=dry_run)


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
            self.stamp(done=file.tell(), **_counts(result))

        return progress

    def finish(self, result: ImportResult) -> None:
        """The end of it."""
        self.stamp(
            status="finished",
            finished_at=utcnow(),
            errors=[[row.line, row.reason] for row in result.errors],
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
            raise LeaseLost


def _counts(result: ImportResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in COUNTS}


def rejects(path: Path) -> Path:
    """Where the line numbers of an import's rejected rows are kept, in order."""
    return path.with_suffix(".rejected")
