"""The sites whose jobs a run holds, for people who have to decide about them.

They are found by asking the rule again as of the run's own instant, as releasing does: a rule is a pure
function. Where a run keeps its sites, :func:`held_sites` is the one place to read them instead.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, select

from ..extensions import db
from ..models import Reading, Run, Site
from ..rules import RULES
from ..rules.moment import Moment
from ..rules.rule import VERDICT
from ..settings import service as settings_service
from .opening import Opening, wanted_sites
from .verdicts import Counts, judge


@dataclass(frozen=True)
class HeldSite:
    """A site that would get a job; ``last_reading`` is None of one that never reported."""

    site_id: str
    site_name: str
    group: str
    last_reading: datetime | None


@dataclass(frozen=True)
class HeldSites:
    """How many sites are held, and some of them, by their id."""

    total: int
    items: list[HeldSite]


def held_sites(run: Run, now: datetime, *, limit: int, offset: int = 0) -> HeldSites:
    """The sites that would get a job if the run were released now; none where it holds none."""
    if run.hold is None or run.hold.decision is not None:
        return HeldSites(0, [])
    with db.engine.connect() as connection:
        again = judge_again(connection, run, now)
        with connection.begin():
            forget_who_is_back(connection, again)
            query = wanted_sites(again.opening)
            total = connection.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
            rows = connection.execute(query.limit(limit).offset(offset))
            return HeldSites(total or 0, [HeldSite(*row) for row in rows])


@dataclass(frozen=True)
class JudgedAgain:
    """What a held run would open; the verdicts are in the connection's table. ``of_now``: not back-dated."""

    opening: Opening
    counts: Counts
    of_now: bool


def judge_again(connection: Connection, run: Run, now: datetime) -> JudgedAgain:
    """Ask the rule that was held anew, with the run's settings and as of its instant."""
    rule = next(rule for rule in RULES if run.hold and rule.name == run.hold.rule)
    settings = settings_service.of_version(run.settings_version)
    moment = Moment(run.as_of, settings.schedule.zone)
    opening = Opening(rule, settings.rule(rule.name), moment, run.id, now)
    of_now = run.as_of >= run.started_at
    db.session.rollback()
    return JudgedAgain(opening, judge(connection, rule, opening.settings, moment), of_now)


def forget_who_is_back(connection: Connection, again: JudgedAgain) -> int:
    """Take away the verdicts of sites that have reported since a run of now; returns how many."""
    if not again.of_now:
        return 0
    opening = again.opening
    reported = exists().where(
        Reading.site_key == Site.key,
        Reading.reading_date > opening.moment.as_of,
        Reading.reading_date <= opening.now,
    )
    back = select(Site.key).where(Site.key.in_(select(VERDICT.c.site_key)), reported)
    gone = delete(VERDICT).where(VERDICT.c.site_key.in_(back)).returning(VERDICT.c.site_key)
    return len(connection.execute(gone).all())
