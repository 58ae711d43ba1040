"""What becomes of the jobs that the guard held: an operator releases or discards them, once."""

import logging

from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..extensions import db
from ..logs import LogEvent
from ..models import Hold, Reading, Run, RunRule, Site
from ..rules import rule_named
from ..rules.moment import Moment
from ..rules.no_coms import SPOKEN
from ..rules.rule import FLAGGED, VERDICT
from ..runs.queries import ENDED
from ..settings import service as settings_service
from ..storage.connections import write, write_on
from . import incidents, run_counts, run_sites
from .opening import Opening
from .service import status_of
from .verdicts import judge

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
    run, hold = _held_run(run_id)
    rule = rule_named(hold.rule)
    if rule is None:  # it is no more
        raise NothingHeld(run_id)
    policies = settings_service.stored_as(run.settings_version).policies
    section = policies.settings.rule(rule.name)
    moment = policies.settings.moment(run.as_of)
    was_of_now = run.as_of >= run.started_at
    db.session.rollback()
    with db.engine.connect() as connection:
        judged = judge(connection, rule, policies, moment, author.now)
        if judged is None:  # its last site has gone, or has got a policy by which it is off
            raise NothingHeld(run_id)
        with write_on(connection), Session(connection) as session:
            _decide(session, run_id, "released", author)
            back = _forget_who_is_back(connection, moment, author) if was_of_now else 0
            opening = Opening(rule, section, moment, run_id, author.now, judged.combinations)
            flagged = judged.counts.flagged - back
            opened = incidents.open_all(connection, opening, policies.settings.guard, flagged)
            run_sites.keep_anew(connection, opening)
            run_counts.forget(connection, run_id)
            figures = judged.counts._asdict() | {"flagged": flagged} | opened
            figures |= {"newest_site": judged.newest_site}
            _keep(connection, opening, figures | {"status": "succeeded"})
    log.info(LogEvent("released", run=run_id, by=author.name, created=opened["created"]))
    return opened["created"]


def discard(run_id: int, author: Author) -> None:
    """Open none of the jobs that a run held. Raises NothingHeld."""
    _held_run(run_id)
    with write() as session:
        _decide(session, run_id, "discarded", author)
    log.info(LogEvent("discarded", run=run_id, by=author.name))


def _held_run(run_id: int) -> tuple[Run, Hold]:
    run = db.session.get(Run, run_id)
    if run is None or run.hold is None:
        raise NothingHeld(run_id)
    return run, run.hold


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


def _forget_who_is_back(connection: Connection, moment: Moment, author: Author) -> int:
    """Take away the findings at sites that have reported since; returns how many."""
    reported = exists().where(
        Reading.site_key == Site.key,
        Reading.reading_date > moment.as_of,
        Reading.reading_date <= author.now,
        SPOKEN,
    )
    flagged = select(VERDICT.c.site_key).where(VERDICT.c.verdict == FLAGGED)
    back = select(Site.key).where(Site.key.in_(flagged), reported)
    gone = delete(VERDICT).where(VERDICT.c.site_key.in_(back)).returning(VERDICT.c.site_key)
    return len(connection.execute(gone).all())


def _keep(connection: Connection, opening: Opening, figures: dict[str, object]) -> None:
    of_run = RunRule.run_id == opening.run_id
    connection.execute(update(RunRule).where(of_run, RunRule.rule == opening.rule.name).values(**figures))
    status = status_of(connection.scalars(select(RunRule.status).where(of_run)))
    connection.execute(update(Run).where(Run.id == opening.run_id).values(status=status))
