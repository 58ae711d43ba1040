"""What a report is about: a time, and which jobs and sites. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from ..models import Job, Site

ONE_DAY = timedelta(days=1)
LONGEST = 1100
"""Days: three years."""
USUAL = 30


@dataclass(frozen=True)
class Span:
    """The local dates from ``first`` to ``last``, both included, of a zone, until ``now`` at most."""

    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @property
    def start(self) -> datetime:
        """The first local midnight, in UTC."""
        return _midnight(self.first, self.zone)

    @cached_property
    def end(self) -> datetime:
        """The instant, in UTC, with which it ends, and no longer part of it."""
        return min(_midnight(self.last + ONE_DAY, self.zone), self.now)

    def days(self) -> Iterator[date]:
        """Its dates, in order, those that have begun."""
        for number in range((self.last - self.first).days + 1):
            day = self.first + number * ONE_DAY
            if _midnight(day, self.zone) < self.end:
                yield day


def last_days(days: int, zone: ZoneInfo, now: datetime) -> Span:
    """So many local dates, of which today is the last."""
    today = now.astimezone(zone).date()
    return Span(today - (days - 1) * ONE_DAY, today, zone, now)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True)
class Scope:
    """Which jobs and sites, by what they are now: None does not narrow, an empty text means none."""

    group: str | None = None
    source: str | None = None
    assignee: str | None = None

    def of_sites(self) -> list[ColumnElement[bool]]:
        """Conditions on sites."""
        wanted = ((Site.group, self.group), (Site.source, self.source))
        return [column == value for column, value in wanted if value is not None]

    def of_jobs(self) -> list[ColumnElement[bool]]:
        """Conditions on jobs that are joined with their sites."""
        return [*self.of_sites(), *self.of_assignee()]

    def of_assignee(self) -> list[ColumnElement[bool]]:
        """Conditions on jobs alone."""
        if self.assignee is None:
            return []
        return [Job.assignee == self.assignee if self.assignee else Job.assignee.is_(None)]

    @property
    def is_fleet(self) -> bool:
        """Whether it is about all sites."""
        return self.group is None and self.source is None
