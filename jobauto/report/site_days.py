"""Site-days: on how many days sites were ok, silent, standing still, or could not be assessed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    CompoundSelect,
    Integer,
    Select,
    String,
    case,
    cast,
    column,
    false,
    func,
    literal,
    null,
    select,
    values,
)
from sqlalchemy.orm import Session

from ..detection.run_counts import NOT_ASSESSABLE, SILENT, STANDING_STILL, worst
from ..models import Run, RunCount, RunSite, Site
from ..rules.rule import NOT_JUDGED
from ..settings.policies import Policies
from .checked_days import CheckedDay, checked_days
from .judged import Time, count_judged, days_judged, is_watched, times_judged
from .scope import Scope, Span

OK = "ok"
STATES = (OK, "silent", "standing_still", "not_assessable")
_WORST = {SILENT: "silent", STANDING_STILL: "standing_still", NOT_ASSESSABLE: "not_assessable"}
"""The graver first."""
PARTS = ("group", "source")


@dataclass(frozen=True)
class Day:
    """A checked day: its runs, newest first, and how many sites were in which state on it.

    ``is_exact`` tells that single sites are known; otherwise the figures of the rules were put together.
    """

    day: date
    runs: Sequence[int]
    states: Mapping[str, int]
    is_exact: bool

    @property
    def sites(self) -> int:
        """How many sites were judged."""
        return sum(self.states.values())


@dataclass
class SiteDays:
    """The site-days of a time: day by day, in all, and by part (group, source).

    By part, and where the fleet was narrowed, only days count of which single sites are known: from
    ``exact_from`` on, which is None where there is no such day. On so many days as ``unchecked``,
    from that of the first run on, no run looked.
    """

    days: list[Day]
    unchecked: int
    exact_from: date | None
    by_part: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    @property
    def is_all_exact(self) -> bool:
        """Whether single sites are known of all its days."""
        return all(day.is_exact for day in self.days)

    @property
    def states(self) -> Counter[str]:
        """Site-days by state, of all days."""
        return sum((Counter(day.states) for day in self.days), Counter())


def site_days(session: Session, span: Span, scope: Scope, policies: Policies) -> SiteDays:
    """What was found at sites, day by day."""
    checked = checked_days(session, span)
    exact = [day for day in checked if day.keeps_sites]
    by_day, by_part = _exact(session, exact, span, scope, policies) if exact else ([], {})
    states: dict[date, Mapping[str, int]] = {day.day: found for day, found in zip(exact, by_day, strict=True)}
    days = [
        Day(day.day, _runs(day), states.get(day.day) or day.of_fleet(), day.keeps_sites)
        for day in checked
        if day.keeps_sites or scope.is_fleet
    ]
    return SiteDays(days, _unchecked(session, span, checked), exact[0].day if exact else None, by_part)


def _unchecked(session: Session, span: Span, checked: Sequence[CheckedDay]) -> int:
    first_run = session.scalar(select(func.min(Run.started_at)))
    if first_run is None:
        return 0
    begins, looked_at = first_run.astimezone(span.zone).date(), {day.day for day in checked}
    return sum(day >= begins and day not in looked_at for day in span.days())


def _runs(day: CheckedDay) -> list[int]:
    return sorted({rule.run_id for rule in day.rules.values()}, reverse=True)


_ByPart = dict[str, dict[str, Counter[str]]]


def _exact(
    session: Session, days: Sequence[CheckedDay], span: Span, scope: Scope, policies: Policies
) -> tuple[list[dict[str, int]], _ByPart]:
    """What is not ok is read from what the runs kept; the rest of the judged sites is."""
    judged = count_judged(session, days, span, scope, policies)
    by_day: list[Counter[str]] = [Counter() for _ in days]
    by_part: _ByPart = {part: defaultdict(Counter) for part in PARTS}
    for parts, count in judged.by_parts.items():
        for part, name in zip(PARTS, parts, strict=True):
            by_part[part][name][OK] += count
    for place, parts, state, count in _not_ok(session, days, scope):
        if place is not None:
            by_day[place][state] += count
            continue
        for part, name in zip(PARTS, parts, strict=True):
            by_part[part][name][state] += count
            by_part[part][name][OK] -= count
    return [
        {OK: count - found.total(), **{state: found[state] for state in _WORST.values()}}
        for count, found in zip(judged.by_day, by_day, strict=True)
    ], by_part


_NotOk = Iterator[tuple[int | None, tuple[str, str], str, int]]
"""(index of the day, nothing, state, number), and (none, group and source, state, number)."""


def _not_ok(session: Session, days: Sequence[CheckedDay], scope: Scope) -> _NotOk:
    """What is counted is added up; the sites of the other days are walked over."""
    counted = {day.counted_run: place for place, day in enumerate(days) if day.counted_run is not None}
    if counted:
        yield from _counted(session, counted, scope)
    walked = {place: day for place, day in enumerate(days) if day.counted_run is None}
    if walked:
        for place, group, source, worst, count in session.execute(_walk(walked, scope)):
            yield place, (group, source), _WORST[worst], count


def _counted(session: Session, places: Mapping[int, int], scope: Scope) -> _NotOk:
    narrowed = {RunCount.group: scope.group, RunCount.source: scope.source}
    which = [column == value for column, value in narrowed.items() if value is not None]
    numbers = [cast(func.sum(getattr(RunCount, state)), BigInteger) for state in _WORST.values()]
    runs = RunCount.run_id.in_(places)
    of_days = select(RunCount.run_id, *numbers).where(runs, *which).group_by(RunCount.run_id)
    for run_id, *counts in session.execute(of_days):
        for state, count in zip(_WORST.values(), counts, strict=True):
            yield places[run_id], ("", ""), state, count
    of_parts = select(RunCount.group, RunCount.source, *numbers).where(runs, *which)
    for group, source, *counts in session.execute(of_parts.group_by(RunCount.group, RunCount.source)):
        for state, count in zip(_WORST.values(), counts, strict=True):
            yield None, (group, source), state, count


def _walk(days: Mapping[int, CheckedDay], scope: Scope) -> CompoundSelect[Any]:
    """(index of the day, none, none, state, number) of each day, and (none, group, source, state, number).

    Added up by site before it is asked which site is of which group: of few sites there are many days.
    """
    found = _of_sites(days)
    if narrowed := scope.of_sites():
        of_scope = select(found).join(Site, Site.key == found.c.site_key).where(*narrowed)
        found = of_scope.cte("of_scope")
    by_site = (
        select(found.c.site_key, found.c.worst, func.count().label("days"))
        .group_by(found.c.site_key, found.c.worst)
        .cte("by_site")
    )
    nothing, number = literal(None, String), func.sum(by_site.c.days)
    of_days = select(found.c.place, nothing, nothing, found.c.worst, func.count())
    of_parts = select(
        literal(None, Integer), Site.group, Site.source, by_site.c.worst, cast(number, BigInteger)
    )
    of_parts = of_parts.join(by_site, by_site.c.site_key == Site.key)
    return of_days.group_by(found.c.place, found.c.worst).union_all(
        of_parts.group_by(Site.group, Site.source, by_site.c.worst)
    )


def _of_sites(days: Mapping[int, CheckedDay]) -> CTE:
    """(index of the day, site, what was worst) of the sites that were not ok."""
    asked = values(
        column("place", Integer), column("run_id", BigInteger), column("rule", String), name="asked"
    )
    rows = [(place, of_day.run_id, name) for place, day in days.items() for name, of_day in day.rules.items()]
    runs = asked.data(rows).cte("asked")
    return (
        select(runs.c.place, RunSite.site_key, worst().label("worst"))
        .join(RunSite, (RunSite.run_id == runs.c.run_id) & (RunSite.rule == runs.c.rule))
        .where(RunSite.verdict != NOT_JUDGED)
        .group_by(runs.c.place, RunSite.site_key)
        .cte("found")
    )


@dataclass(frozen=True)
class SiteStates:
    """A site, and on how many days it was in which state."""

    site: Site
    states: Mapping[str, int]


class Sites:
    """Single sites of a time with their days, for lists."""

    def __init__(self, session: Session, span: Span, scope: Scope, policies: Policies) -> None:
        self._session, self._span, self._scope = session, span, scope
        self.days = [day for day in checked_days(session, span) if day.keeps_sites]
        self._watched = is_watched(session, policies)

    def in_state(self, state: str) -> Select[Any]:
        """(site, days of each state but ok): those that were ever in it, the most days first; of ok all."""
        if not self.days:
            return select(Site).where(false()).add_columns(*(null() for _ in _WORST))
        found = _of_sites(dict(enumerate(self.days)))
        counts = [
            func.coalesce(func.sum(case((found.c.worst == worst, 1), else_=0)), 0).label(name)
            for worst, name in _WORST.items()
        ]
        days = select(found.c.site_key, *counts).group_by(found.c.site_key).subquery("days")
        query = select(Site).add_columns(*(func.coalesce(days.c[name], 0) for name in _WORST.values()))
        query = query.where(*self._scope.of_sites())
        if state == OK:
            there = (Site.key <= max(day.newest_site for day in self.days), self._watched)
            joined = query.outerjoin(days, days.c.site_key == Site.key).where(*there)
            return joined.order_by(Site.site_id)
        joined = query.join(days, days.c.site_key == Site.key).where(days.c[state] > 0)
        return joined.order_by(days.c[state].desc(), Site.site_id)

    def with_days(self, rows: Sequence[Any]) -> list[SiteStates]:
        """Rows of such a list, with the days on which each site was ok."""
        judged = times_judged(self._session, self._span, [row[0] for row in rows])
        return [self._with_days(judged[row[0].key], *row) for row in rows]

    def _with_days(self, judged: Sequence[Time], site: Site, *counts: int) -> SiteStates:
        found = dict(zip(_WORST.values(), counts, strict=True))
        days = days_judged(site, judged, self.days)
        return SiteStates(site, {OK: days - sum(found.values()), **found})
