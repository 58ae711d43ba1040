"""Readings, thinned to what a chart of them can show, whatever a meter sends."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, column, func, or_, select, values

from ..models import JobReading, Reading
from ..models.types import MICROSECOND, Instant

BUCKETS = 180
"""So many parts of its time a chart shows apart from one another, more or less."""
DAY = timedelta(days=1)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The local day that a reading counts for: the reading of 00:00 closes the day before."""
    return (instant - MICROSECOND).astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def midnights(start: datetime, end: datetime, zone: ZoneInfo, apart: int = 1) -> list[datetime]:
    """Local midnights from ``start``, which is one, to the first that is not before ``end``."""
    first, days = start.astimezone(zone).date(), (day_of(end, zone) - start.astimezone(zone).date()).days + 1
    return [midnight(first + DAY * number, zone) for number in range(0, max(days, 0) + apart, apart)]


def edges(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Instants that part the time from ``start``, a local midnight, to ``end`` into some ``BUCKETS``.

    All local midnights are among them, so that the last reading of a day is the last one of a bucket.
    Only over more than 360 days, where a day is less than a pixel, a bucket has several days.
    """
    days = max(1, (end - start) // DAY)
    apart, parts = -(-days // (2 * BUCKETS)), max(1, min(24, BUCKETS // days))
    whole = midnights(start, end, zone, apart)
    inside = [
        begins + (ends - begins) / parts * part for begins, ends in pairwise(whole) for part in range(parts)
    ]
    return [*inside, *whole[-1:]]


def thinned(
    readings: type[Reading | JobReading], which: Sequence[ColumnElement[bool]], edges: Sequence[datetime]
) -> Select[Any]:
    """Of each bucket the first, last, lowest and highest reading: at most four rows, however many it has.

    Oldest first: ``reading_date``, ``reading_value``, and ``number``, how many the bucket has. A bucket
    begins after one edge and ends with the next. So gaps and falls keep their true instants.
    """
    bucket = (
        values(column("after", Instant), column("until", Instant), name="bucket")
        .data(list(pairwise(edges)))
        .cte("bucket")
    )
    at, kwh = readings.reading_date, readings.reading_value
    places = [
        func.row_number().over(partition_by=bucket.c.after, order_by=order).label(f"place_{number}")
        for number, order in enumerate([(at,), (at.desc(),), (kwh, at), (kwh.desc(), at)])
    ]
    placed = (
        select(at, kwh, func.count().over(partition_by=bucket.c.after).label("number"), *places)
        .join_from(bucket, readings, and_(at > bucket.c.after, at <= bucket.c.until))
        .where(*which)
        .subquery("placed")
    )
    chosen = or_(*(placed.c[place.name] == 1 for place in places))
    return (
        select(placed.c.reading_date, placed.c.reading_value, placed.c.number)
        .where(chosen)
        .order_by(placed.c.reading_date)
    )
