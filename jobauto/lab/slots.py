"""The instants at which the lab asks: when the schedule of now was due, on each of the last days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from ..models.types import from_microseconds, to_microseconds
from ..settings.schedule import ONE_DAY, date_exists, due_at
from ..settings.schema import ScheduleSettings
from .series import DAY

LOOKING_BACK = 60
"""So many slots before the span are asked too: what is open when it begins has begun before."""


@dataclass(frozen=True)
class Slots:
    """Instants in order, in microseconds since 1970; those of the span begin at the index ``first``."""

    times: Sequence[int]
    first: int
    zone: ZoneInfo
    _days: dict[tuple[int, int], date] = field(default_factory=dict, compare=False)

    @cached_property
    def dates(self) -> list[date]:
        """The local date of each."""
        return [self.date_before(place, 0) for place in range(len(self.times))]

    def date_before(self, place: int, days: int) -> date:
        """The local date so many days of 24 hours before a slot."""
        key = place, days
        if key not in self._days:
            self._days[key] = from_microseconds(self.times[place] - days * DAY).astimezone(self.zone).date()
        return self._days[key]


def slots_of(schedule: ScheduleSettings, days: int, now: datetime) -> Slots:
    """The slots of the last ``days`` local dates until now, and some before them.

    Those of today count where they are due by now. The schedule counts as it is, on or off.
    """
    today = now.astimezone(schedule.zone).date()
    last = today if due_at(schedule, today) <= now else today - ONE_DAY
    dates = [last - timedelta(days=ago) for ago in range(days + LOOKING_BACK)][::-1]
    due = {day: to_microseconds(due_at(schedule, day)) for day in dates if date_exists(day, schedule.zone)}
    first = sum(day <= last - timedelta(days=days) for day in due)
    return Slots([*due.values()], first, schedule.zone)
