"""Readings, thinned to what a chart of them can show, whatever a meter sends."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, func, literal, or_, select, type_coerce

from ..models import JobReading, Reading
from ..models.types import MICROSECOND, Instant, Kwh, microseconds_between

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
    """Local midnights from ``start``, which is one, to the first that is not before ``end``: two at least."""
    first, days = start.astimezone(zone).date(), (day_of(end, zone) - start.astimezone(zone).date()).days + 1
    return [midnight(first + DAY * number, zone) for number in range(0, max(days, 1) + apart, apart)]


def edges(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Instants that part the time from ``start``, a local midnight, to ``end`` into some ``BUCKETS``.

    All local midnights are among them, so that the last reading of a day is the last one of a bucket.
    Only over more than 360 days, where a day is less than a pixel, a bucket has several days.
    """
    days = max(1, (end - start) // DAY)
    apart = -(-days // (2 * BUCKETS))
    parts = max(parts for parts in (1, 2, 3, 4, 6, 8, 12, 24) if parts == 1 or parts * days <= BUCKETS)
    whole = midnights(start, end, zone, apart)
    inside = [
        begins + (ends - begins) / parts * part for begins, ends in pairwise(whole) for part in range(parts)
    ]
    return [*inside, *whole[-1:]]


def thinned(
    readings: type[Reading | JobReading], which: Sequence[ColumnElement[bool]], edges: Sequence[datetime]
) -> Select[Any]:
    """Of each bucket the first, last, lowest and highest reading: at most four rows, however many it has.

    So of each meter in it, and of each quality: what is believed is not hidden by what is not. Oldest first:
    ``reading_date``, ``reading_value``, ``quality``, ``meter`` (that of what a job was opened on is not
    known, and 0), and ``number``, how many of the quality the bucket has. A bucket begins after one edge and
    ends with the next. So gaps and falls keep their true instants.
    """
    inside = (*which, readings.reading_date > edges[0], readings.reading_date <= edges[-1])
    bucket = bucket_of(readings.reading_date, edges).label("bucket")
    meter: Any = Reading.meter if readings is Reading else literal(0)
    columns = (readings.reading_date, readings.reading_value, readings.quality, meter.label("meter"))
    seen = select(*columns, bucket).where(*inside).subquery("seen").c
    at, kwh, alike = seen.reading_date, seen.reading_value, (seen.bucket, seen.quality)
    places = [
        func.row_number().over(partition_by=(*alike, seen.meter), order_by=order).label(f"place_{number}")
        for number, order in enumerate([(at,), (at.desc(),), (kwh, at), (kwh.desc(), at)])
    ]
    number = func.count().over(partition_by=alike).label("number")
    placed = select(at, kwh, seen.quality, seen.meter, number, *places).subquery("placed").c
    chosen = or_(*(placed[place.name] == 1 for place in places))
    told = (placed[name] for name in ("reading_date", "reading_value", "quality", "meter", "number"))
    return select(*told).where(chosen).order_by(placed.reading_date)


def energy(which: Sequence[ColumnElement[bool]], edges: Sequence[datetime]) -> Select[Decimal, datetime]:
    """Of each bucket with intervals ``energy``, what they add up to, and ``last``, when the last one ended.

    Oldest first. A bucket begins after one edge and ends with the next.
    """
    inside = (*which, Reading.reading_date > edges[0], Reading.reading_date <= edges[-1])
    bucket = bucket_of(Reading.reading_date, edges).label("bucket")
    watt_hours = type_coerce(Reading.reading_value, BigInteger).label("watt_hours")
    seen = select(Reading.reading_date, watt_hours, bucket).where(*inside).subquery("seen").c
    total = type_coerce(cast(func.sum(seen.watt_hours), BigInteger), Kwh).label("energy")
    last = func.max(seen.reading_date).label("last")
    return select(total, last).group_by(seen.bucket).order_by(last)


def bucket_of(at: Any, edges: Sequence[datetime]) -> ColumnElement[int]:
    """SQL for the number of a reading's bucket: by division, for buckets are equally long from one change of
    the clocks to the next."""
    numbers, first = [], 0
    for length, run in groupby(pairwise(edges), key=lambda edge: edge[1] - edge[0]):
        ends = list(run)
        since = literal(ends[0][0], Instant)
        number = first + (microseconds_between(at, since) - 1) // (length // MICROSECOND)
        numbers.append((at <= ends[-1][1], number))
        first += len(ends)
    return case(*numbers)
