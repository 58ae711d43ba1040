"""What a site has sent, and made, on each day of a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from ..extensions import db
from ..models import Reading, Site
from ..models.quality import Quality
from .counting import COUNTS, Stand, meters_of
from .days import Day, yields
from .thinning import bucket_of, day_of, midnight, midnights


@dataclass(frozen=True)
class Sent:
    """What a site sent on a local day: how many ``readings``, whether any of them counts, and whether one is
    in doubt."""

    readings: int
    counts: bool
    in_doubt: bool


@dataclass(frozen=True)
class YearOfDays:
    """The days of a year that have readings, and those that have a yield to tell of; ``first`` and ``last``
    are the instants of the site's first and newest reading."""

    year: int
    first: datetime
    last: datetime
    sent: dict[date, Sent]
    yields: dict[date, Day]


def span(site_key: int, now: datetime) -> tuple[datetime, datetime] | None:
    """When a site's first reading came, and its newest; None if it never reported. Two seeks."""
    at = (
        select(Reading.reading_date).where(Reading.site_key == site_key, Reading.reading_date <= now).limit(1)
    )
    first = db.session.scalar(at.order_by(Reading.reading_date))
    last = db.session.scalar(at.order_by(Reading.reading_date.desc()))
    return (first, last) if first is not None and last is not None else None


def year_of_days(
    site: Site, year: int, reported: tuple[datetime, datetime], now: datetime, zone: ZoneInfo
) -> YearOfDays:
    """The days of a local year, up to now. The database adds up what came on each."""
    start = midnight(date(year, 1, 1), zone)
    end = min(midnight(date(year + 1, 1, 1), zone), now)
    edges = midnights(start, end, zone) if end > start else []
    rows = db.session.execute(_by_day(site.key, edges, now)).all() if len(edges) > 1 else []
    days = {day_of(edges[row.bucket + 1], zone): row for row in rows}
    sent = {day: Sent(row.readings, row.last is not None, bool(row.in_doubt)) for day, row in days.items()}
    if site.measure == "interval":
        known = {day: Day(day, "known", row.total) for day, row in days.items() if row.total is not None}
    else:
        lasts = [Stand(row.last, row.reading_value, row.meter) for row in rows if row.last is not None]
        before = [Stand(*row) for row in db.session.execute(last_before(site.key, start))]
        meters = meters_of([site])[site.key]
        known = {one.day: one for one in yields([*before, *lasts], now, zone, meters)}
    return YearOfDays(year, *reported, sent, known)


def _by_day(site_key: int, edges: Sequence[datetime], now: datetime) -> Select[Any]:
    """Of each day with readings: how many, the last that counts with its value, what those that count add up
    to, and whether one is doubtful."""
    inside = (
        Reading.site_key == site_key,
        Reading.reading_date > edges[0],
        Reading.reading_date <= min(edges[-1], now),
    )
    bucket = bucket_of(Reading.reading_date, edges).label("bucket")
    counted = COUNTS.label("counts")
    seen = (
        select(Reading.reading_date, Reading.reading_value, Reading.quality, counted, bucket)
        .where(*inside)
        .subquery("seen")
        .c
    )
    days = (
        select(
            seen.bucket,
            func.count().label("readings"),
            func.max(case((seen.counts, seen.reading_date))).label("last"),
            func.sum(case((seen.counts, seen.reading_value)), type_=Reading.reading_value.type).label(
                "total"
            ),
            func.max(case((seen.quality == int(Quality.DOUBTFUL), 1), else_=0)).label("in_doubt"),
        )
        .group_by(seen.bucket)
        .subquery("days")
    )
    is_last = and_(Reading.site_key == site_key, Reading.reading_date == days.c.last)
    return (
        select(days, Reading.reading_value, Reading.meter).outerjoin(Reading, is_last).order_by(days.c.bucket)
    )


def last_before(site_key: int, at: datetime) -> Select[datetime, Decimal, int]:
    """The last reading that counts up to an instant."""
    return _counting(site_key, Reading.reading_date <= at).order_by(Reading.reading_date.desc())


def first_of_all(site_key: int) -> Select[datetime, Decimal, int]:
    """The first reading that counts."""
    return _counting(site_key).order_by(Reading.reading_date)


def _counting(site_key: int, *which: ColumnElement[bool]) -> Select[datetime, Decimal, int]:
    return (
        select(Reading.reading_date, Reading.reading_value, Reading.meter)
        .where(Reading.site_key == site_key, *which, COUNTS)
        .limit(1)
    )
