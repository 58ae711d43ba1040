"""The numbers of the dashboard, each from one statement whose cost does not grow with old jobs."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from ..jobs import queries as jobs
from ..models import Job, Run
from ..models.types import Instant
from ..rules.rule import Rule
from ..runs import queries as runs

DAYS = 7
RECENT = 20


@dataclass(frozen=True)
class DayStats:
    """Jobs created on a calendar day of the schedule's zone, by the rule that opened them."""

    day: date
    by_rule: dict[str, int]

    @property
    def label(self) -> str:
        """``31/03``."""
        return self.day.strftime("%d/%m")


@dataclass(frozen=True)
class Dashboard:
    """Everything that the dashboard shows of jobs and runs."""

    open_by_rule: dict[str, int]
    daily: list[DayStats]
    recent_jobs: list[Job]
    last_run: Run | None

    @property
    def created_today(self) -> int:
        """Jobs created since local midnight."""
        return sum(self.daily[-1].by_rule.values())

    @property
    def created_week(self) -> int:
        """Jobs created today and on the six days before."""
        return sum(sum(day.by_rule.values()) for day in self.daily)

    def chart(self, rules: Iterable[Rule]) -> dict[str, Any]:
        """The daily counts as the chart's script takes them."""
        series = [
            {
                "colour": rule.colour,
                "title": rule.title,
                "values": [day.by_rule[rule.name] for day in self.daily],
            }
            for rule in rules
        ]
        return {"labels": [day.label for day in self.daily], "series": series}


def dashboard(session: Session, zone: ZoneInfo, now: datetime) -> Dashboard:
    """The dashboard as of now."""
    return Dashboard(
        open_by_rule=defaultdict(int, session.execute(jobs.open_by_rule()).all()),
        daily=daily_stats(session, zone, now),
        recent_jobs=list(session.scalars(jobs.newest(RECENT))),
        last_run=session.scalar(runs.last_finished()),
    )


def daily_stats(session: Session, zone: ZoneInfo, now: datetime) -> list[DayStats]:
    """The last seven local days, oldest first: one walk over the jobs created since the first midnight."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    midnights = [_midnight(day, zone) for day in [*days, today + timedelta(days=1)]]
    place = case(
        *((Job.created_at < literal(end, Instant), index) for index, end in enumerate(midnights[1:])),
        else_=DAYS,
    )
    counted = session.execute(
        select(place.label("place"), Job.rule, func.count())
        .where(Job.created_at >= midnights[0], Job.created_at < midnights[-1])
        .group_by("place", Job.rule)
    )
    by_day: list[dict[str, int]] = [defaultdict(int) for _ in days]
    for index, rule, count in counted:
        by_day[index][rule] = count
    return [DayStats(day, counts) for day, counts in zip(days, by_day, strict=True)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
