"""A guard against our own faults: if the feed breaks, every site looks silent, and nobody wants the jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from ..models import Hold, Run, RunRule
from ..models.types import Instant
from ..rules.rule import FLAGGED, VERDICT
from ..settings.schema import GuardSettings
from .opening import JUDGED_SITES, Opening, has_no_job
from .verdicts import Counts

WEEK = 7


@dataclass(frozen=True)
class Silence:
    """Of the ``reported`` sites that had sent a reading after ``since``, ``silent`` are newly flagged."""

    since: datetime
    reported: int
    silent: int

    def trips(self, settings: GuardSettings) -> bool:
        """Whether they are more than the share, and enough of them to mean anything."""
        many = self.silent * 100 > self.reported * settings.guard_share
        return many and self.silent >= settings.guard_min_sites


def silence(connection: Connection, opening: Opening, counts: Counts) -> Silence:
    """How many sites fell silent together, from the connection's verdicts alone.

    1. A site without a verdict is ok: it has reported in the rule's own window, and so in the week before.
    2. A flagged site counts if its last reading lies after ``since``, and is silent if it has no open job
       of the rule's type, and no incident covers it. One that never reported, or long ago, does not count
       at all.
    3. ``since`` is a week before. Where ``days_threshold`` is a week or more, a site that is newly flagged
       cannot have reported within seven days: then it is the threshold and a day.
    4. After a hold that nobody released it is still the same week: a feed that is down for longer than a week
       must not open its jobs on the eighth day.
    """
    since = week_before(connection, opening)
    in_the_week = (VERDICT.c.verdict == FLAGGED) & (VERDICT.c.since > opening.of_verdict(since, Instant()))
    told, reported, silent = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((in_the_week, 1), else_=0)), 0),
            func.coalesce(func.sum(case((in_the_week & has_no_job(opening), 1), else_=0)), 0),
        ).select_from(JUDGED_SITES)
    ).one()
    return Silence(since(opening.settings), counts.checked - told + reported, silent)


def week_before(connection: Connection, opening: Opening) -> Callable[[Any], datetime]:
    """By the settings of a site, the instant after which it must have reported to have fallen silent now."""
    before = _held_since(connection, opening)

    def since(settings: Any) -> datetime:
        week = opening.moment.ago(max(WEEK, opening.rule.window(settings) + 1))
        return min(week, before) if before else week

    return since


def _held_since(connection: Connection, opening: Opening) -> datetime | None:
    """When the week before began for a hold that nobody has released since."""
    return connection.execute(
        select(Hold.since)
        .select_from(Run)
        .join(RunRule, (RunRule.run_id == Run.id) & (RunRule.rule == opening.rule.name))
        .outerjoin(Hold, (Hold.run_id == Run.id) & (RunRule.status == "held"))
        .where(Run.id < opening.run_id, Run.as_of <= opening.moment.as_of, RunRule.status.in_(_JUDGED))
        .order_by(Run.as_of.desc(), Run.id.desc())
        .limit(1)
    ).scalar()


_JUDGED = ("succeeded", "held")


def hold(connection: Connection, opening: Opening, found: Silence) -> None:
    """Keep why the run is held."""
    connection.execute(
        insert(Hold).values(run_id=opening.run_id, rule=opening.rule.name, **vars(found)),
    )


def supersede(connection: Connection, opening: Opening) -> None:
    """A run of now has judged the fleet anew: what an earlier one held needs no decision any more."""
    connection.execute(
        update(Hold)
        .where(Hold.run_id < opening.run_id, Hold.rule == opening.rule.name, Hold.decision.is_(None))
        .values(decision="superseded", decided_at=opening.now)
    )
