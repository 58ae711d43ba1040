"""The life of a run: claimed, kept alive, finished, or found dead. The database decides each step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, literal, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from ..clock import utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Run
from ..models.run import SLOT_TAKEN
from ..models.types import Instant
from ..notifications import service as notifications
from ..storage.connections import insert, write_nowait, write_on
from ..storage.leases import LeaseLost, is_stale, kept_alive
from . import run_requests

log = logging.getLogger("job_automation")

HEARTBEAT_SECONDS = 10
STALE_AFTER = timedelta(seconds=60)


class RunInProgress(Exception):
    """Another run is under way."""

    def __init__(self) -> None:
        super().__init__("A run is already under way. Wait until it has finished.")


class SlotTaken(Exception):
    """The scheduled run of that date has been started already, here or elsewhere."""


@dataclass(frozen=True)
class Claim:
    """What a run is started with."""

    trigger: str
    requested_by: str | None
    as_of: datetime
    started_at: datetime
    settings_version: int
    slot: date | None = None
    is_demo: bool = False


def start(connection: Connection, claim: Claim, request_id: int | None = None) -> int:
    """Claim the right to run and, where one is named, the slot or the request. Returns the new run's id.

    Raises RunInProgress, SlotTaken or RequestTaken. The database decides each, so any number of processes
    may try at once.
    """
    statement = insert(connection, Run).values(**vars(claim), heartbeat_at=utcnow(), status="running")
    if claim.slot is not None:
        # Only the slot's index is named: a conflict with the index "one running" must be an error,
        # or the slot would be lost without a word.
        statement = statement.on_conflict_do_nothing(index_elements=["slot"], index_where=SLOT_TAKEN)
    try:
        with write_on(connection):
            mark_crashed(connection)
            run_id: int | None = connection.scalar(statement.returning(Run.id))
            if run_id is not None:
                notifications.run_started(connection, run_id, claim.started_at)
            if run_id is not None and request_id is not None:
                run_requests.take(connection, request_id, run_id, claim.started_at)
    except IntegrityError as error:
        raise RunInProgress from error
    if run_id is None:
        raise SlotTaken
    return run_id


def renew(connection: Connection, run_id: int) -> None:
    """Prove that the run lives; the last statement of each of its transactions. Raises LeaseLost."""
    alive = update(Run).where(Run.id == run_id, Run.status == "running").values(heartbeat_at=utcnow())
    if connection.execute(alive).rowcount != 1:
        raise LeaseLost(f"run {run_id} was given up for dead; nothing more is written")


def finish(connection: Connection, run_id: int, status: str, now: datetime) -> None:
    """End the run. Raises LeaseLost."""
    with write_on(connection):
        renew(connection, run_id)
        connection.execute(update(Run).where(Run.id == run_id).values(status=status, finished_at=now))
        notifications.run_ended(connection, run_id, now)


def mark_crashed(connection: Connection, interrupted: int | None = None) -> None:
    """Mark a run whose process has stopped proving that it lives; the last proof becomes its end.

    With ``interrupted``, the id of a run of this process that will not be finished, mark that one.
    """
    now = utcnow()
    ended = _is_stale(now) if interrupted is None else and_(Run.id == interrupted, Run.status == "running")
    last_proof = case((Run.heartbeat_at > now, literal(now, Instant)), else_=Run.heartbeat_at)
    found = connection.execute(
        update(Run).where(ended).values(status="crashed", finished_at=last_proof).returning(Run.id)
    )
    for (run_id,) in found.all():
        log.error(LogEvent("crashed", run=run_id, reason="its process stopped without finishing it"))
        notifications.run_ended(connection, run_id, now)


def reap_stale_runs() -> None:
    """Mark a crashed run from wherever one may be seen.

    Not if SQLite is busy: then perhaps the run itself is writing, and lives.
    """
    if db.session.scalar(select(Run.id).where(_is_stale(utcnow()))) is None:
        return
    db.session.rollback()  # what the caller reads next must see it crashed, not the moment before
    with suppress(OperationalError), db.engine.connect() as connection, write_nowait(connection):
        mark_crashed(connection)


def _is_stale(now: datetime) -> ColumnElement[bool]:
    return and_(Run.status == "running", is_stale(Run.heartbeat_at, now, STALE_AFTER))


@contextmanager
def heartbeat(engine: Engine, run_id: int, every: float = HEARTBEAT_SECONDS) -> Iterator[None]:
    """Renew the run's proof of life from a thread of its own while the block lasts.

    A run whose block ends with an exception (it was interrupted, or lost its connection) is marked as
    crashed at once, if the database can be reached; if not, it is found dead later.

    While the run's own transaction holds SQLite's write lock the thread waits, and so does everybody who
    could mark the run as crashed; that transaction renews the proof itself before it ends.
    """
    with kept_alive(engine, lambda connection: renew(connection, run_id), every, run=run_id):
        try:
            yield
        except BaseException:
            _abandon(engine, run_id)
            raise


def _abandon(engine: Engine, run_id: int) -> None:
    with suppress(DatabaseError), engine.connect() as connection, write_nowait(connection):
        mark_crashed(connection, interrupted=run_id)
