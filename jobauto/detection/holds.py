"""What becomes of the jobs that the guard held: an operator releases or discards them, once."""

import logging

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..extensions import db
from ..logs import LogEvent
from ..models import Hold, Run, RunRule
from ..runs.queries import ENDED
from ..storage.connections import write, write_on
from .held_sites import forget_who_is_back, judge_again
from .opening import Opening, open_jobs
from .service import status_of

log = logging.getLogger("job_automation")


class NothingHeld(Exception):
    """The run holds no jobs, or somebody has decided about them already."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"Run {run_id} holds no jobs that wait for a decision.")


def release(run_id: int, author: Author) -> int:
    """Open the jobs that a run held; returns how many. Raises NothingHeld.

    1. Ask the rule again, with the run's settings and as of its instant. A rule is a pure function, so this
       is what was held; only readings that came late, and sites that are snoozed by now, make it less.
    2. A site that has reported since the run needs no job any more.
    3. Of two who decide at once the database lets one win; the jobs are opened in the same transaction.
    """
    run = _held_run(run_id)
    with db.engine.connect() as connection:
        again = judge_again(connection, run, author.now)
        opening, counts = again.opening, again.counts
        with write_on(connection), Session(connection) as session:
            _decide(session, run_id, "released", author)
            back = forget_who_is_back(connection, again)
            created, flagged = open_jobs(connection, opening), counts.flagged - back
            figures = counts._asdict() | {"flagged": flagged, "skipped": flagged - created}
            _keep(connection, opening, figures | {"status": "succeeded", "created": created})
    log.info(LogEvent("released", run=run_id, by=author.name, created=created))
    return created


def discard(run_id: int, author: Author) -> None:
    """Open none of the jobs that a run held. Raises NothingHeld."""
    _held_run(run_id)
    with write() as session:
        _decide(session, run_id, "discarded", author)
    log.info(LogEvent("discarded", run=run_id, by=author.name))


def _held_run(run_id: int) -> Run:
    run = db.session.get(Run, run_id)
    if run is None or run.hold is None:
        raise NothingHeld(run_id)
    return run


def _decide(session: Session, run_id: int, decision: str, author: Author) -> None:
    decided = session.execute(
        update(Hold)
        .where(Hold.run_id == run_id, Hold.decision.is_(None), exists().where(Run.id == run_id, ENDED))
        .values(decision=decision, decided_by=author.name, decided_at=author.now)
        .returning(Hold.run_id)
    ).one_or_none()
    if decided is None:
        raise NothingHeld(run_id)
    record(session, author, "run", run_id, [("held jobs", None, decision)])
    session.flush()


def _keep(connection: Connection, opening: Opening, figures: dict[str, object]) -> None:
    of_run = RunRule.run_id == opening.run_id
    connection.execute(update(RunRule).where(of_run, RunRule.rule == opening.rule.name).values(**figures))
    status = status_of(connection.scalars(select(RunRule.status).where(of_run)))
    connection.execute(update(Run).where(Run.id == opening.run_id).values(status=status))
