"""Which sites were judged on which day, though they may be inactive or snoozed today.

Whether a site was active, and whether it was snoozed, at an instant follows from what it is now and from the
changes since, which are all kept. Few sites have such changes: the others are counted by the database.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
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


@dataclass
class Changing:
    """A site that was not the same all the time: its changes since, the newest first, and how it is now."""

    key: int
    parts: Parts
    active: bool
    snoozed_until: datetime | None
    changes: list[Event] = field(default_factory=list)

    def was_judged(self, at: datetime) -> bool:
        """Whether it was active and awake at an instant."""
        active, snoozed_until = self.active, self.snoozed_until
        for change in self.changes:
            if change.at <= at:
                break
            if change.field == "active":
                active = change.before == "true"
            else:
                snoozed_until = datetime.fromisoformat(change.before) if change.before else None
        return active and (snoozed_until is None or snoozed_until <= at)


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
    2. In place of those that were not the same all the time: each of them, day by day.
    """
    found = Judged([0] * len(days))
    newest = sorted({day.newest_site for day in days})
    steady = _steady(newest, scope, is_watched(session, policies))
    for group, source, since, count in session.execute(steady):
        for place, day in enumerate(days):
            if day.newest_site >= newest[since]:
                found.add(place, (group, source), count)
    for site in changing(session, span, scope, policies):
        for place, day in enumerate(days):
            count = int(site.was_judged(day.as_of)) - int(site.active)
            if count and site.key <= day.newest_site:
                found.add(place, site.parts, count)
    return found


def days_judged(site: Site, changed: Changing | None, days: Iterable[CheckedDay]) -> int:
    """On how many of the days one site was judged."""
    there = [day for day in days if site.key <= day.newest_site]
    if changed is None:
        return len(there) if site.active else 0
    return sum(changed.was_judged(day.as_of) for day in there)


def _steady(newest: Sequence[int], scope: Scope, watched: ColumnElement[bool]) -> Select[str, str, int, int]:
    """(group, source, the index in ``newest`` of the first day's that has them, number of active sites)."""
    cases = [(Site.key <= key, place) for place, key in enumerate(newest)]
    since = (case(*cases) if len(cases) > 1 else case((true(), 0))).label("since")
    return (
        select(Site.group, Site.source, since, func.count())
        .where(Site.active, Site.key <= newest[-1], watched, *scope.of_sites())
        .group_by(Site.group, Site.source, since)
    )


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
    events = defaultdict(list)
    changed = select(Event).where(
        Event.subject == "site", Event.at >= span.start, Event.field.in_(("active", "snoozed_until"))
    )
    for event in session.scalars(changed.order_by(Event.id.desc())):
        events[event.subject_id].append(event)
    narrowed = (is_watched(session, policies), *scope.of_sites())
    columns = select(Site.key, Site.site_id, Site.group, Site.source, Site.active, Site.snoozed_until)
    sites = {
        row.key: row for row in session.execute(columns.where(Site.snoozed_until > span.start, *narrowed))
    }
    names = sorted(events)
    for start in range(0, len(names), AT_ONCE):
        some = and_(Site.site_id.in_(names[start : start + AT_ONCE]), *narrowed)
        sites |= {row.key: row for row in session.execute(columns.where(some))}
    for row in sites.values():
        yield Changing(row.key, (row.group, row.source), row.active, row.snoozed_until, events[row.site_id])
