"""What each of a few sites has made on each of the last days: a small picture in a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all

from ..extensions import db
from ..models import Reading, Site
from ..models.types import Instant
from ..wording import pluralize
from .counting import COUNTS, Stand, meters_of
from .days import DAY, Meters, yields
from .thinning import day_of, midnight

DAYS = 30
WIDTH, HEIGHT, STEP = 120, 24, 4

Ends = dict[datetime, tuple[Decimal, int]]
"""What stands at the ends of days, and on which meter."""


@dataclass(frozen=True)
class Sparkline:
    """Paths of an SVG of ``WIDTH`` by ``HEIGHT``: days with a yield, days of 0.00, days without a reading.

    ``text`` says the same in words.
    """

    bars: str
    zeroes: str
    missing: str
    text: str


def sparklines(sites: Sequence[Site], now: datetime, zone: ZoneInfo) -> dict[int, Sparkline]:
    """Of each of a few sites, by key, the days before today, and today."""
    today = day_of(now, zone)
    days = [today - DAY * ago for ago in range(DAYS, -1, -1)]
    found: dict[int, Ends] = {site.key: {} for site in sites}
    for key, at, kwh, meter in db.session.execute(_last_of_days([site.key for site in sites], days, zone)):
        if kwh is not None:
            found[key][at] = (kwh, meter)
    meters = meters_of(sites)
    known = ((site, _yields(site, found[site.key], meters[site.key], now, zone)) for site in sites)
    return {site.key: _drawn(days[1:], found[site.key], made, zone) for site, made in known}


def _last_of_days(
    keys: Sequence[int], days: Sequence[date], zone: ZoneInfo
) -> Select[int, datetime, Decimal, int]:
    """(key, end of a day, the value that stands then, of which meter): two seeks a site and day.

    Of an interval site it is what the day's readings add up to.
    """
    bounds = pairwise(midnight(day, zone) for day in (*days, days[-1] + DAY))
    day = union_all(
        *(
            select(literal(starts, Instant).label("starts"), literal(ends, Instant).label("ends"))
            for starts, ends in bounds
        )
    ).cte("day")
    inside = (
        Reading.site_key == Site.key,
        Reading.reading_date > day.c.starts,
        Reading.reading_date <= day.c.ends,
        COUNTS,
    )
    newest = Reading.reading_date.desc()
    last = select(Reading.reading_value).where(*inside).order_by(newest).limit(1)
    meter = select(Reading.meter).where(*inside).order_by(newest).limit(1).scalar_subquery()
    total = select(func.sum(Reading.reading_value, type_=Reading.reading_value.type)).where(*inside)
    kwh: ColumnElement[Decimal] = case(
        (Site.measure == "interval", total.scalar_subquery()), else_=last.scalar_subquery()
    )
    return select(Site.key, day.c.ends, kwh, meter).join(day, literal(1) == 1).where(Site.key.in_(keys))


def _yields(site: Site, found: Ends, meters: Meters, now: datetime, zone: ZoneInfo) -> dict[date, Decimal]:
    if site.measure == "interval":
        return {day_of(at, zone): kwh for at, (kwh, _) in found.items()}
    stands = [Stand(at, kwh, meter) for at, (kwh, meter) in sorted(found.items())]
    return {one.day: one.value for one in yields(stands, now, zone, meters) if one.value is not None}


def _drawn(days: Sequence[date], found: Ends, known: dict[date, Decimal], zone: ZoneInfo) -> Sparkline:
    reported = {day_of(at, zone) for at in found}
    most = max(known.values(), default=Decimal(0))
    bars, zeroes, missing = [], [], []
    for place, day in enumerate(days):
        x = place * STEP + STEP // 2
        if day in known and known[day] > 0:
            bars.append(f"M{x} {HEIGHT}v-{max(1, round(known[day] / most * HEIGHT))}")
        elif day in known:
            zeroes.append(f"M{x} {HEIGHT}v-2")
        elif day not in reported and day != days[-1]:  # today's reading may be on its way
            missing.append(f"M{x} {HEIGHT}v-2")
    text = f"{pluralize(len(bars), 'day')} with a yield"
    if bars:
        text = f"{text}, {most:,} kWh at most"
    if zeroes:
        text = f"{text}; {pluralize(len(zeroes), 'day')} of 0.00 kWh"
    if missing:
        text = f"{text}; {pluralize(len(missing), 'day')} without a reading"
    return Sparkline("".join(bars), "".join(zeroes), "".join(missing), f"{text}.")
