"""Which readings count for what a site has made, and what they say. Pure, but for a condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import literal_column

from ..models import MeterChange, Reading, Site
from ..models.quality import Quality
from .days import Day, yields
from .thinning import day_of

COUNTS = Reading.quality <= literal_column(str(int(Quality.GOOD)))
"""The good ones. It is the lowest quality: an equation would have PostgreSQL believe that few are good, and
sort instead of seek."""


@dataclass(frozen=True)
class Stand:
    """What a meter showed: a reading that counts, of a site that counts down turned round, so that it rises
    with what is made."""

    reading_date: datetime
    reading_value: Decimal
    meter: int
    quality: int = Quality.GOOD


def stand(site: Site, at: datetime, kwh: Decimal, meter: int) -> Stand:
    """What the meter of a site showed."""
    return Stand(at, _turned(site, kwh), meter)


def made_by_day(
    site: Site, stands: Sequence[Stand], changes: Sequence[MeterChange], now: datetime, zone: ZoneInfo
) -> dict[date, Day]:
    """What a register made on each day, from the last readings of days, oldest first.

    A day on which the meter was changed has a yield only where it is known what both meters showed.
    """
    found = {day.day: day for day in yields(stands, now, zone)}
    for before, after in pairwise(stands):
        day = day_of(after.reading_date, zone)
        if before.meter != after.meter and day in found:
            step = made_over_a_change(site, before, after, changes)
            is_next = (day - day_of(before.reading_date, zone)).days == 1
            found[day] = Day(day, "known", step) if step is not None and is_next else Day(day, "unknown")
    return found


def made_over_a_change(
    site: Site, before: Stand, after: Stand, changes: Sequence[MeterChange]
) -> Decimal | None:
    """What was made between readings of two meters, as the change between them says; None where nobody wrote
    it down."""
    between = [one for one in changes if before.reading_date < one.changed_at <= after.reading_date]
    if len(between) != 1 or (change := between[0]).closing is None or change.opening is None:
        return None
    closing, opening = _turned(site, change.closing), _turned(site, change.opening)
    made = closing - before.reading_value + after.reading_value - opening
    return made if made >= 0 else None


def _turned(site: Site, kwh: Decimal) -> Decimal:
    return -kwh if site.counts == "down" else kwh
