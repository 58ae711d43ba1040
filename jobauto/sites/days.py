"""What each local day of a register says: its yield, or why there is none. Pure.

The yield of a day is its last reading less that of the day before, where both are there. Readings come oldest
first and may be thinned, but not by the last one of a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from ..models.types import format_minute
from ..wording import pluralize
from .falls import steps_of_falls
from .thinning import day_of

DAY = timedelta(days=1)
GAP = timedelta(hours=36)
"""Nothing for longer than this is a silence. A daily reading may be late without that."""
FALLS = {"fell": "the register fell", "leapt": "the register leapt", "came_back": "the register came back"}


class ReadingLike(Protocol):
    """A reading of now, or one that a job was opened on."""

    @property
    def reading_date(self) -> datetime: ...

    @property
    def reading_value(self) -> Decimal: ...


@dataclass(frozen=True)
class Day:
    """A day with a reading and an earlier one to compare it with.

    ``kind`` is ``known``, ``so_far`` (today), ``unknown`` (no reading on the day before) or one of ``FALLS``;
    only the first two have a ``value``, in kWh.
    """

    day: date
    kind: str
    value: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """Days without a reading, first and last included; ``lasts`` until now."""

    first: date
    last: date
    lasts: bool = False


def last_of_days(readings: Sequence[ReadingLike], zone: ZoneInfo) -> dict[date, ReadingLike]:
    """The last reading of each local day that has one, in order."""
    return {day_of(reading.reading_date, zone): reading for reading in readings}


def yields(readings: Sequence[ReadingLike], now: datetime, zone: ZoneInfo) -> Iterator[Day]:
    """The days that have a reading, from the second one on."""
    last = last_of_days(readings, zone)
    days, values = list(last), [reading.reading_value for reading in last.values()]
    falls = steps_of_falls(values)
    for place, (before, day) in enumerate(pairwise(days), start=1):
        step = values[place] - values[place - 1]
        if place in falls:
            note = f"{FALLS[falls[place]]} from {values[place - 1]:,} to {values[place]:,} kWh"
            yield Day(day, falls[place], note=note)
        elif day - before > DAY:
            over = pluralize((day - before).days, "day")
            yield Day(day, "unknown", note=f"no reading on the day before: {step:,} kWh in {over}")
        elif day == day_of(now, zone):
            yield Day(
                day, "so_far", step, f"so far, until {format_minute(last[day].reading_date, zone)[11:]}"
            )
        else:
            yield Day(day, "known", step)


def missing_days(readings: Sequence[ReadingLike], now: datetime, zone: ZoneInfo) -> Iterator[Missing]:
    """Days without a reading. The newest days count only in a silence: their reading may be on its way."""
    days = list(last_of_days(readings, zone))
    for before, after in pairwise(days):
        if after - before > DAY:
            yield Missing(before + DAY, after - DAY)
    if readings and now - readings[-1].reading_date > GAP:
        yield Missing(days[-1] + DAY, day_of(now, zone), lasts=True)


def silences(readings: Sequence[ReadingLike], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From which reading to which next one, or to now, nothing came for long."""
    instants = [*(reading.reading_date for reading in readings), now]
    return ((since, until) for since, until in pairwise(instants) if until - since > GAP)
