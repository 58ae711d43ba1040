"""Which sites were judged on which day, though they may be inactive or snoozed today.

Whether a site was active, and whether it was snoozed, at an instant follows from what it is now and from the
changes since, which are all kept. Sites without such changes are counted by the database. The others are as
many as somebody snoozes at once: each has the times in which it was judged, and is not asked day by day.
An import may change the whole fleet, so a page of a list asks of its own sites alone.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from ..detection.combinations import combinations
from ..models import Event, Site
from ..rules import RULES
from ..settings.policies import Policies
from .checked_days import CheckedDay
from .scope import Scope, Span

AT_ONCE = 10_000
Parts = tuple[str, str]
"""A group and a source."""
Time = tuple[datetime, datetime]
"""From an instant to another one, which is no longer part of it."""
Change = tuple[datetime, str, str | None]
"""When a site was changed, which field, and what that was before."""
_ALWAYS, _EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Changing:
    """A site that was not the same all the time: how it is now, and when it was active and awake."""

    key: int
    parts: Parts
    active: bool
    judged: Sequence[Time]


@dataclass
class Judged:
    """How many sites were judged on each of some days, by group and source."""

    by_day: list[int]
    by_parts: Counter[Parts] = field(default_factory=Counter)

    def add(self, place: int, parts: Parts, count: int) -> None:
        """Count sites on the day at a place."""
        self.by_day[place] += count
        self.by_parts[parts] += count


def count_judged(
    session: Session, days: Sequence[CheckedDay], span: Span, scope: Scope, policies: Policies
) -> Judged:
    """How many sites were judged on each day.

    1. Those that are active, by the first of the days on which they were there.
    2. In place of those that were not the same all the time: when each of them was judged.
    """
    found = Judged([0] * len(days))
    newest = sorted({day.newest_site for day in days})
    for parts, since, count in _steady(session, newest, scope, is_watched(session, policies)):
        for place, day in enumerate(days):
            if day.newest_site >= newest[since]:
                found.add(place, parts, count)
    sites = changing(session, span, scope, policies)
    for (parts, since), steps in _steps(sites, [day.as_of for day in days], newest).items():
        count = 0
        for place, day in enumerate(days):
            count += steps[place]
            if day.newest_site >= newest[since]:
                found.add(place, parts, count)
    return found


def _steps(
    sites: Iterable[Changing], days: Sequence[datetime], newest: Sequence[int]
) -> dict[tuple[Parts, int], list[int]]:
    """By how many more sites were judged than are active now, from each of the days on.

    By their parts, and the index in ``newest`` of the first day's that has them.
    """
    found: dict[tuple[Parts, int], list[int]] = defaultdict(lambda: [0] * (len(days) + 1))
    for site in sites:
        since = bisect_left(newest, site.key)
        if since == len(newest):
            continue  # on no day it was there
        steps = found[site.parts, since]
        steps[0] -= site.active
        for start, end in site.judged:
            steps[bisect_left(days, start)] += 1
            steps[bisect_left(days, end)] -= 1
    return found


def times_judged(session: Session, span: Span, sites: Sequence[Site]) -> dict[int, Sequence[Time]]:
    """When each of some sites was active and awake, by their keys."""
    changes = _changes(session, span, Event.subject_id.in_([site.site_id for site in sites]))
    return {
        site.key: _times_judged(site.active, site.snoozed_until, changes.get(site.site_id, ()))
        for site in sites
    }


def days_judged(site: Site, judged: Sequence[Time], days: Iterable[CheckedDay]) -> int:
    """On how many of the days one site was judged, which was active and awake in these times."""
    there = [day.as_of for day in days if site.key <= day.newest_site]
    return sum(any(start <= at < end for start, end in judged) for at in there)


def _steady(
    session: Session, newest: Sequence[int], scope: Scope, watched: ColumnElement[bool]
) -> Iterator[tuple[Parts, int, int]]:
    """(parts, the index in ``newest`` of the first day's that has them, number of active sites).

    All of now are counted in the order of an index. Those that came later than the first day, which are few,
    are counted once more by their keys, and are none of the first day's.
    """
    parts, of_scope = (Site.group, Site.source), (watched, *scope.of_sites())
    # Were it a condition, PostgreSQL would read the sites themselves and not their index alone.
    active = func.count().filter(Site.active)
    there = {
        (group, source): count
        for group, source, count in session.execute(select(*parts, active).where(*of_scope).group_by(*parts))
    }
    since = case(*((Site.key <= key, place) for place, key in enumerate(newest)), else_=len(newest))
    came_later = (
        select(*parts, since.label("since"), active)
        .where(Site.key > newest[0], *of_scope)
        .group_by(*parts, "since")
    )
    for group, source, place, count in session.execute(came_later):
        there[group, source] -= count
        if place < len(newest):
            yield (group, source), place, count
    yield from ((one, 0, count) for one, count in there.items())


def is_watched(session: Session, policies: Policies) -> ColumnElement[bool]:
    """Whether some rule is switched on for a site, by the policies of now."""
    of_rules = []
    for rule in RULES:
        on = [one for one in combinations(session.connection(), rule, policies) if one.settings.enabled]
        if any(one.sites is None for one in on):
            return true()
        of_rules += [one.sites for one in on if one.sites is not None]
    return or_(false(), *of_rules)


def changing(session: Session, span: Span, scope: Scope, policies: Policies) -> Iterator[Changing]:
    """The sites that were made active or inactive, or snoozed or woken, since the beginning of the time."""
    changes = _changes(session, span)
    narrowed = (is_watched(session, policies), *scope.of_sites())
    columns = select(Site.key, Site.site_id, Site.group, Site.source, Site.active, Site.snoozed_until)
    sites = {
        row.key: row for row in session.execute(columns.where(Site.snoozed_until > span.start, *narrowed))
    }
    names = sorted(changes)
    for start in range(0, len(names), AT_ONCE):
        some = and_(Site.site_id.in_(names[start : start + AT_ONCE]), *narrowed)
        sites |= {row.key: row for row in session.execute(columns.where(some))}
    for row in sites.values():
        judged = _times_judged(row.active, row.snoozed_until, changes.get(row.site_id, ()))
        yield Changing(row.key, (row.group, row.source), row.active, judged)


def _changes(session: Session, span: Span, *of_sites: ColumnElement[bool]) -> dict[str, list[Change]]:
    """What was changed since the beginning of the time, by site_id, the newest first."""
    changes: dict[str, list[Change]] = defaultdict(list)
    changed = select(Event.subject_id, Event.at, Event.field, Event.before).where(
        Event.subject == "site",
        Event.at >= span.start,
        Event.field.in_(("active", "snoozed_until")),
        *of_sites,
    )
    for site_id, at, name, before in session.execute(changed.order_by(Event.id.desc())):
        changes[site_id].append((at, name, before))
    return changes


def _times_judged(active: bool, snoozed_until: datetime | None, changes: Iterable[Change]) -> list[Time]:
    """When a site was active and awake, the newest time first; from how it is now and its newest changes."""
    found, end = [], _EVER
    for at, name, before in (*changes, (_ALWAYS, "", None)):
        start = max(at, snoozed_until or at)
        if active and start < end:
            found.append((start, end))
        end = min(at, end)
        if name == "active":
            active = before == "true"
        else:
            snoozed_until = datetime.fromisoformat(before) if before else None
    return found
