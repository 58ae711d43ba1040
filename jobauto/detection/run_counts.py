"""What runs found, counted by group and source: so that a report need not walk over single sites.

1. The tick counts each run that has ended, in a transaction of its own, and writes down with the run how
   often sites had been regrouped before it began to count.
2. Who gives sites another group or source says so (``storage/regroupings.py``) in the same transaction. From
   then on no count holds, and the tick makes them anew, the newest runs first.
3. A count that does not hold, or is not there yet, is not used: the report walks over the run's sites.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, or_, select, update

from ..extensions import db
from ..models import Run, RunCount, RunRule, RunSite, Site
from ..rules.no_coms import NO_COMS
from ..rules.rule import FLAGGED, NOT_JUDGED
from ..runs.queries import ENDED
from ..storage.connections import write
from ..storage.regroupings import fold, many_rows, regroupings
from .run_sites import KEPT_FOR

SILENT, STANDING_STILL, NOT_ASSESSABLE = 3, 2, 1
AT_ONCE = 50
"""Runs that one tick counts."""


def worst() -> ColumnElement[int]:
    """The worst that rules said of a site, of its rows in :class:`RunSite`: the graver of two findings."""
    is_flagged = RunSite.verdict == FLAGGED
    said = case(
        (is_flagged & (RunSite.rule == NO_COMS.name), SILENT),
        (is_flagged, STANDING_STILL),
        else_=NOT_ASSESSABLE,
    )
    return func.max(said)


def count_waiting(now: datetime) -> int:
    """Count some of the runs whose counts are not there, or hold no more; returns how many."""
    for run_id in (waiting := _waiting(now)):
        with write() as session:
            count(session.connection(), run_id)
    if many_rows(db.session.connection()):
        db.session.rollback()
        with write() as session:
            fold(session.connection())
    return len(waiting)


def count(connection: Connection, run_id: int) -> None:
    """Count what one run found. It is locked first: whoever changes what it kept waits, or is waited for."""
    connection.execute(select(Run.id).where(Run.id == run_id).with_for_update(key_share=True))
    times = regroupings(connection)
    connection.execute(delete(RunCount).where(RunCount.run_id == run_id))
    counted = _counted(run_id)
    connection.execute(insert(RunCount).from_select(list(counted.selected_columns.keys()), counted))
    connection.execute(update(Run).where(Run.id == run_id).values(regroupings=times))


def forget(connection: Connection, run_id: int) -> None:
    """What a run kept has changed, in this transaction: its count holds no more."""
    connection.execute(update(Run).where(Run.id == run_id).values(regroupings=None))


def _waiting(now: datetime) -> list[int]:
    times = regroupings(db.session.connection())
    keeps_sites = select(RunRule.run_id).where(RunRule.run_id == Run.id, RunRule.newest_site.is_not(None))
    runs = (
        select(Run.id)
        .where(
            ENDED,
            Run.started_at >= now - KEPT_FOR,
            or_(Run.regroupings.is_(None), Run.regroupings != times),
            keeps_sites.exists(),
        )
        .order_by(Run.id.desc())
        .limit(AT_ONCE)
    )
    found = list(db.session.scalars(runs))
    db.session.rollback()
    return found


def _counted(run_id: int) -> Select[int, str, str, int, int, int]:
    by_site = (
        select(RunSite.run_id, RunSite.site_key, worst().label("worst"))
        .where(RunSite.run_id == run_id, RunSite.verdict != NOT_JUDGED)
        .group_by(RunSite.run_id, RunSite.site_key)
        .subquery("by_site")
    )
    silent, standing_still, not_assessable = (
        func.count(case((by_site.c.worst == state, 1))) for state in (SILENT, STANDING_STILL, NOT_ASSESSABLE)
    )
    return (
        select(
            by_site.c.run_id,
            Site.group,
            Site.source,
            silent.label("silent"),
            standing_still.label("standing_still"),
            not_assessable.label("not_assessable"),
        )
        .join(Site, Site.key == by_site.c.site_key)
        .group_by(by_site.c.run_id, Site.group, Site.source)
    )
