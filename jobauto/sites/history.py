"""The readings that the charts of a site, and of a job, are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from ..extensions import db
from ..models import JobReading, Reading
from ..models.quality import Quality
from .days import MeteredReading
from .scene import start_before
from .thinning import DAY, day_of, edges, midnight, midnights, thinned

OFTEN = DAY / 2
"""Readings that lie less than this apart, by and large, are told by day."""


@dataclass(frozen=True)
class History:
    """Readings, thinned, oldest first, from ``start`` on, a local midnight; the newest before it lead: the
    last one, and the last good one."""

    start: datetime
    readings: Sequence[MeteredReading]


def history(
    site_key: int, now: datetime, zone: ZoneInfo, *, earliest: datetime | None = None
) -> History | None:
    """What a site has sent, as far back as its charts go, ``earliest`` at least; None if it never reported.

    Where nothing is older, the axis starts on the day of the first reading.
    """
    which = (Reading.site_key == site_key, Reading.reading_date <= now)
    newest = db.session.scalar(select(Reading).where(*which).order_by(Reading.reading_date.desc()).limit(1))
    if newest is None:
        return None
    start = start_before(newest.reading_date, now)
    start = midnight(day_of(min(start, earliest or start), zone), zone)
    earlier = select(Reading).where(*which, Reading.reading_date <= start)
    newest_first = earlier.order_by(Reading.reading_date.desc()).limit(1)
    before = db.session.scalars(newest_first).all()
    if before and before[0].quality != Quality.GOOD:
        before = [*db.session.scalars(newest_first.where(Reading.quality == Quality.GOOD)), *before]
    buckets = edges(start, newest.reading_date, zone)
    readings = db.session.execute(thinned(Reading, which, buckets)).all()
    if not before and readings:
        start = midnight(day_of(readings[0].reading_date, zone), zone)
    return History(start, [*before, *readings])


def newest(
    which: Sequence[ColumnElement[bool]],
    most: int,
    zone: ZoneInfo,
    readings: type[Reading | JobReading] = Reading,
) -> Sequence[Any]:
    """The newest readings, newest first.

    Of a meter that reads often, the last one of each of so many days and of each quality, with the
    ``number`` of the day's readings of it: the newest readings alone would be those of a night.
    """
    newest_first = (
        select(readings.reading_date, readings.reading_value, readings.quality)
        .where(*which)
        .order_by(readings.reading_date.desc())
    )
    found = db.session.execute(newest_first.limit(most)).all()
    if len(found) < 2 or (found[0].reading_date - found[-1].reading_date) / (len(found) - 1) >= OFTEN:
        return found
    start = midnight(day_of(found[0].reading_date, zone) - DAY * (most - 1), zone)
    days = midnights(start, found[0].reading_date, zone)
    by_day = db.session.execute(thinned(readings, which, days)).all()
    last = {(day_of(row.reading_date, zone), row.quality): row for row in by_day}
    return sorted(last.values(), key=attrgetter("reading_date"), reverse=True)
