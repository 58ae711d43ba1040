"""What a site has made in each year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select

from ..extensions import db
from ..models import Reading, Site
from .counting import COUNTS, Stand, meters_of
from .days import Meters
from .thinning import day_of, midnight
from .year import first_of_all, last_before


@dataclass(frozen=True)
class Year:
    """What a site has made in a local year, in kWh, from the reading of ``since`` to that of ``until``.

    ``is_least`` tells that a meter was changed and nobody wrote down what it showed.
    """

    year: int
    kwh: Decimal
    since: datetime
    until: datetime
    is_least: bool = False


def years(site: Site, reported: tuple[datetime, datetime], now: datetime, zone: ZoneInfo) -> list[Year]:
    """What a site has made in each local year with readings that count, newest first.

    Of a register it is what stands at the year's end less what stood at its beginning, a seek a year; only
    where the meter is another one by then, its readings are looked through. What was made in a gap counts for
    the year in which it ends.
    """
    first, last = (day_of(at, zone).year for at in reported)
    edges = [min(midnight(date(year, 1, 1), zone), now) for year in range(first, last + 2)]
    if site.measure == "interval":
        found = [_added_up(site.key, year, *ends) for year, ends in enumerate(pairwise(edges), first)]
    else:
        found = _risen(site, first, edges)
    return [year for year in reversed(found) if year is not None]


def _added_up(site_key: int, year: int, start: datetime, end: datetime) -> Year | None:
    at, kwh = Reading.reading_date, Reading.reading_value
    total, since, until = db.session.execute(
        select(func.sum(kwh, type_=kwh.type), func.min(at), func.max(at)).where(
            Reading.site_key == site_key, at > start, at <= end, COUNTS
        )
    ).one()
    return None if since is None else Year(year, total, since, until)


def _risen(site: Site, first: int, edges: Sequence[datetime]) -> list[Year | None]:
    meters = meters_of([site])[site.key]
    opening = _stand(last_before(site.key, edges[0])) or _stand(first_of_all(site.key))
    found: list[Year | None] = []
    for year, edge in enumerate(edges[1:], first):
        closing = _stand(last_before(site.key, edge))
        if opening is None or closing is None or closing.reading_date <= opening.reading_date:
            found.append(None)
        else:
            found.append(_between(site.key, year, opening, closing, meters))
            opening = closing
    return found


def _stand(query: Select[datetime, Decimal, int]) -> Stand | None:
    row = db.session.execute(query).first()
    return None if row is None else Stand(*row)


def _between(site_key: int, year: int, start: Stand, end: Stand, meters: Meters) -> Year:
    ends = [(start, end)] if start.meter == end.meter else _ends_of_meters(site_key, start, end)
    over = [(last, first) for (_, last), (first, _) in pairwise(ends)]
    steps = [meters.made(*step) for step in (*ends, *over)]
    known = [step for step in steps if step is not None]
    total = sum(known, Decimal(0))
    return Year(year, total, start.reading_date, end.reading_date, len(known) < len(steps))


def _ends_of_meters(site_key: int, start: Stand, end: Stand) -> list[tuple[Stand, Stand]]:
    """The first and the last reading of each meter from one stand to another, both included."""
    at, meter = Reading.reading_date, Reading.meter
    inside = (Reading.site_key == site_key, at >= start.reading_date, at <= end.reading_date, COUNTS)
    ends = select(meter, func.min(at).label("first"), func.max(at).label("last"))
    of_meters = ends.where(*inside).group_by(meter).subquery("ends").c
    is_end = and_(of_meters.meter == meter, or_(at == of_meters.first, at == of_meters.last))
    found = db.session.execute(
        select(at, Reading.reading_value, meter)
        .join(of_meters.meter.table, is_end)
        .where(*inside)
        .order_by(at)
    )
    stands = [Stand(*row) for row in found]
    by_meter = [list(group) for _, group in groupby(stands, key=attrgetter("meter"))]
    return [(group[0], group[-1]) for group in by_meter]
