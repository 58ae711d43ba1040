"""What a run keeps of single sites: those that are not ok, and what became of them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    case,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
)

from ..extensions import db
from ..models import Job, Run, RunCount, RunRule, RunSite, Site
from ..rules.rule import FLAGGED, NOT_JUDGED, VERDICT
from ..runs.queries import ENDED
from ..storage.connections import insert, write
from .incidents import covered
from .opening import JUDGED_SITES, Opening, opens_incidents, wanted
from .verdicts import UNJUDGED

KEPT_FOR = timedelta(days=400)

_UNJUDGED_SITES = UNJUDGED.join(Site.__table__, Site.key == UNJUDGED.c.site_key)
_IS_NOT_JUDGED = RunSite.verdict == literal_column("'not_judged'")  # spelled out for the partial index


def keep(connection: Connection, opening: Opening, *, held: bool) -> None:
    """Keep the connection's verdicts with the run, in the transaction that opened its jobs, or held them.

    1. The sites that got a job: read off the jobs, since another job may have come in between.
    2. The sites that the rule did not judge. Those of earlier runs are of no use any more.
    3. The rest. Each time the primary key leaves out what stands there already.
    """
    if not held:
        of_this_run = (Job.run_id == opening.run_id, Job.rule == opening.rule.name)
        found = _columns(opening, Job.site_key, literal(FLAGGED), null(), literal("created"))
        _add(connection, found.where(*of_this_run).order_by(Job.site_key))
    _forget_unjudged(connection, opening)
    _add(
        connection,
        _of(_UNJUDGED_SITES, opening, literal(NOT_JUDGED), UNJUDGED.c.reason, null()),
    )
    becomes = [(and_(*wanted(opening)), "held")] if held else []
    if opens_incidents(opening):
        becomes.append((and_(*covered(opening)), "covered"))
    outcome = case(*becomes, else_="skipped") if becomes else literal("skipped")
    flagged = case((VERDICT.c.verdict == FLAGGED, outcome))
    _add(connection, _of(JUDGED_SITES, opening, VERDICT.c.verdict, VERDICT.c.reason, flagged))


def keep_anew(connection: Connection, opening: Opening) -> None:
    """Keep what became of the sites of a held run when it was released, in place of what it held."""
    this = (RunSite.run_id == opening.run_id, RunSite.rule == opening.rule.name)
    connection.execute(delete(RunSite).where(*this))
    keep(connection, opening, held=False)


def expire(now: datetime) -> None:
    """Forget the sites of runs that started more than 400 days ago, a run a transaction."""
    while (run_id := db.session.scalar(select(func.min(RunSite.run_id)))) is not None:
        run = db.session.get(Run, run_id)
        if run is not None and run.started_at >= now - KEPT_FOR:
            return
        with write() as session:
            session.execute(delete(RunSite).where(RunSite.run_id == run_id))
            session.execute(delete(RunCount).where(RunCount.run_id == run_id))


def _forget_unjudged(connection: Connection, opening: Opening) -> None:
    """But those of the newest run that has ended: until this one has, that is the newest."""
    ended = (
        select(func.max(Run.id))
        .join(RunRule, RunRule.run_id == Run.id)
        .where(RunRule.rule == opening.rule.name, ENDED, Run.id < opening.run_id)
    )
    newest = connection.scalar(ended) or 0
    of_rule = RunSite.rule == opening.rule.name
    connection.execute(delete(RunSite).where(of_rule, _IS_NOT_JUDGED, RunSite.run_id < newest))


def _of(sites: FromClause, opening: Opening, *columns: ColumnElement[Any]) -> Select[Any]:
    return _columns(opening, Site.key.expression, *columns).select_from(sites).order_by(Site.key)


def _columns(opening: Opening, site_key: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    return select(literal(opening.run_id), literal(opening.rule.name, String), site_key, *columns)


def _add(connection: Connection, found: Select[Any]) -> None:
    key = ["run_id", "rule", "site_key"]
    statement = insert(connection, RunSite).from_select([*key, "verdict", "reason", "outcome"], found)
    connection.execute(statement.on_conflict_do_nothing(index_elements=key))
