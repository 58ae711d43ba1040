"""What a site has made in each year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select

from ..extensions import db
from ..models import MeterChange, Reading, Site
from ..readings import meter_changes
from .counting import COUNTS, turned
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


@dataclass(frozen=True)
class _Stand:
    at: datetime
    kwh: Decimal
    meter: int


def _risen(site: Site, first: int, edges: Sequence[datetime]) -> list[Year | None]:
    changes = db.session.scalars(meter_changes.of_site(site.key)).all()
    opening = _stand(site, last_before(site.key, edges[0])) or _stand(site, first_of_all(site.key))
    found: list[Year | None] = []
    for year, edge in enumerate(edges[1:], first):
        stand = _stand(site, last_before(site.key, edge))
        if opening is None or stand is None or stand.at <= opening.at:
            found.append(None)
        else:
            found.append(_between(site, year, opening, stand, changes))
            opening = stand
    return found


def _stand(site: Site, query: Select[Any]) -> _Stand | None:
    row = db.session.execute(query).first()
    return None if row is None else _Stand(row.reading_date, turned(site, row.reading_value), row.meter)


def _between(site: Site, year: int, start: _Stand, end: _Stand, changes: Sequence[MeterChange]) -> Year:
    if start.meter == end.meter:
        return Year(year, end.kwh - start.kwh, start.at, end.at)
    meters = _meters(site, start, end)
    within = [last.kwh - first.kwh for first, last in meters]
    over = [_step_over(site, last, first, changes) for (_, last), (first, _) in pairwise(meters)]
    known = [step for step in over if step is not None]
    return Year(year, sum([*within, *known], Decimal(0)), start.at, end.at, len(known) < len(over))


def _meters(site: Site, start: _Stand, end: _Stand) -> list[tuple[_Stand, _Stand]]:
    """The first and the last reading of each meter from one stand to another, both included."""
    at, meter = Reading.reading_date, Reading.meter
    inside = (Reading.site_key == site.key, at >= start.at, at <= end.at, COUNTS)
    ends = select(meter, func.min(at).label("first"), func.max(at).label("last"))
    of_meters = ends.where(*inside).group_by(meter).subquery("ends").c
    is_end = and_(of_meters.meter == meter, or_(at == of_meters.first, at == of_meters.last))
    found = db.session.execute(
        select(at, Reading.reading_value, meter)
        .join(of_meters.meter.table, is_end)
        .where(*inside)
        .order_by(at)
    )
    stands = [_Stand(when, turned(site, kwh), number) for when, kwh, number in found]
    by_meter = [list(group) for _, group in groupby(stands, key=attrgetter("meter"))]
    return [(group[0], group[-1]) for group in by_meter]


def _step_over(site: Site, before: _Stand, after: _Stand, changes: Sequence[MeterChange]) -> Decimal | None:
    """What was made between the last reading of a meter and the first of the next, as the recorded change of
    that time says; None where nobody wrote it down."""
    for change in changes:
        is_between = before.at < change.changed_at <= after.at
        if is_between and change.closing is not None and change.opening is not None:
            closing, opening = turned(site, change.closing), turned(site, change.opening)
            return closing - before.kwh + after.kwh - opening
    return None
