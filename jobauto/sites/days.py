"""What each local day of a register says: its yield, or why there is none. Pure.

The yield of a day is what the register made from the last reading of the day before to its own last one,
where both are there. Only good readings count. Where the meter was changed in between, what it closed and
opened with is used. Readings come oldest first and may be thinned, but not by the first and the last one of a
day and a meter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from ..models.quality import Quality
from ..models.types import format_minute
from ..wording import pluralize
from .thinning import day_of

DAY = timedelta(days=1)
GAP = timedelta(hours=36)
"""Nothing for longer than this is a silence. A daily reading may be late without that."""
CHANGED = "changed"
"""The kind of a day on which the meter was changed, and nobody knows what was made."""


R = TypeVar("R", bound="ReadingLike")


class ReadingLike(Protocol):
    """A reading of now, or one that a job was opened on."""

    @property
    def reading_date(self) -> datetime: ...

    @property
    def reading_value(self) -> Decimal: ...

    @property
    def quality(self) -> int: ...


class MeteredReading(ReadingLike, Protocol):
    """A reading of which it is known whether it is of the same meter as another one."""

    @property
    def meter(self) -> int: ...


class ChangeLike(Protocol):
    """A recorded meter change."""

    @property
    def changed_at(self) -> datetime: ...

    @property
    def closing(self) -> Decimal | None: ...

    @property
    def opening(self) -> Decimal | None: ...

    @property
    def serial(self) -> str: ...


@dataclass(frozen=True)
class Meters:
    """How a site's register is to be understood: which way it counts, and the recorded meter changes,
    oldest first."""

    counts_down: bool = False
    changes: Sequence[ChangeLike] = ()

    def made(self, earlier: MeteredReading, later: MeteredReading) -> Decimal | None:
        """kWh from one good reading to another; None where a meter change between them hides it."""
        if earlier.meter == later.meter:
            return self._up(later.reading_value - earlier.reading_value)
        between = self.between(earlier, later)
        if not between or later.meter - earlier.meter > len(between):
            return None
        starts = [earlier.reading_value, *(change.opening for change in between)]
        ends = [*(change.closing for change in between), later.reading_value]
        made = Decimal(0)
        for start, end in zip(starts, ends, strict=True):
            if start is None or end is None:
                return None
            made += self._up(end - start)
        return made if made >= 0 else None

    def between(self, earlier: ReadingLike, later: ReadingLike) -> list[ChangeLike]:
        """The recorded changes after one reading and up to another."""
        return [
            change
            for change in self.changes
            if earlier.reading_date < change.changed_at <= later.reading_date
        ]

    def _up(self, difference: Decimal) -> Decimal:
        return -difference if self.counts_down else difference


@dataclass(frozen=True)
class Day:
    """A day with a good reading and an earlier one to compare it with.

    ``kind`` is ``known``, ``so_far`` (today), ``unknown`` (no reading on the day before) or ``changed``; only
    the first two have a ``value``, in kWh, which is never negative.
    """

    day: date
    kind: str
    value: Decimal | None = None
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """Days without a good reading, first and last included; ``lasts`` until now.

    ``set_aside`` tells that something came on them, which nobody can go by.
    """

    first: date
    last: date
    lasts: bool = False
    set_aside: bool = False


def good(readings: Sequence[MeteredReading]) -> list[MeteredReading]:
    """Those that are believed."""
    return [reading for reading in readings if reading.quality == Quality.GOOD]


def spoken(readings: Sequence[MeteredReading]) -> list[MeteredReading]:
    """Those with which the site itself has spoken, whatever anybody thinks of their values."""
    return [reading for reading in readings if reading.quality != Quality.ESTIMATED]


def last_of_days(readings: Sequence[R], zone: ZoneInfo) -> dict[date, R]:
    """The last reading of each local day that has one, in order."""
    return {day_of(reading.reading_date, zone): reading for reading in readings}


def yields(
    readings: Sequence[MeteredReading], now: datetime, zone: ZoneInfo, meters: Meters = Meters()
) -> Iterator[Day]:
    """The days that have a good reading, from the second one on."""
    closed: MeteredReading | None = None
    for day, group in groupby(good(readings), key=lambda reading: day_of(reading.reading_date, zone)):
        of_day = list(group)
        if closed is not None:
            made, note = _made([closed, *of_day], meters)
            apart = (day - day_of(closed.reading_date, zone)).days
            if made is None:
                yield Day(day, CHANGED, note=note)
            elif apart > 1:
                over = pluralize(apart, "day")
                yield Day(day, "unknown", note=f"no reading on the day before: {made:,} kWh in {over}")
            elif day == day_of(now, zone):
                until = format_minute(of_day[-1].reading_date, zone)[11:]
                yield Day(day, "so_far", made, "; ".join(filter(None, (f"so far, until {until}", note))))
            else:
                yield Day(day, "known", made, note)
        closed = of_day[-1]


def _made(readings: Sequence[MeteredReading], meters: Meters) -> tuple[Decimal | None, str]:
    """kWh over all of these, None where it is not known; and what there is to say of it."""
    total, is_changed = Decimal(0), False
    for start, end in _ends_of_meters(readings):
        step = meters.made(start, end)
        if step is None:
            return None, "the meter was changed, and what it made then is not known"
        total += step
        is_changed |= start.meter != end.meter
    if total < 0:
        return Decimal(0), f"the register fell by {-total:,} kWh"
    return total, "with a meter change" if is_changed else ""


def _ends_of_meters(
    readings: Sequence[MeteredReading],
) -> Iterator[tuple[MeteredReading, MeteredReading]]:
    """From the first reading to the last in as few steps as meters allow: within each, and between them."""
    start = readings[0]
    for before, after in pairwise(readings):
        if before.meter != after.meter:
            yield start, before
            yield before, after
            start = after
    yield start, readings[-1]


def missing_days(readings: Sequence[MeteredReading], now: datetime, zone: ZoneInfo) -> Iterator[Missing]:
    """Days without a good reading. The newest days count only after a while: theirs may be on its way."""
    sent = {day_of(reading.reading_date, zone) for reading in readings}
    believed = good(readings)
    days = list(last_of_days(believed, zone))
    gaps = [(before + DAY, after - DAY, False) for before, after in pairwise(days) if after - before > DAY]
    if believed and now - believed[-1].reading_date > GAP:
        gaps.append((days[-1] + DAY, day_of(now, zone), True))
    for first, last, lasts in gaps:
        yield Missing(first, last, lasts, any(first <= day <= last for day in sent))


def silences(readings: Sequence[ReadingLike], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From which reading to which next one, or to now, nothing came for long."""
    instants = [*(reading.reading_date for reading in readings), now]
    return ((since, until) for since, until in pairwise(instants) if until - since > GAP)
