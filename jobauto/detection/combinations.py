"""Which settings hold for which sites: policies as conditions on the inventory, never a loop over it.

A rule is asked once, in one walk over the sites, whatever holds for which of them. Two policies that come to
the same settings of the rule are one, and policies that leave the rule as it is, or that no site has, cost it
nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from ..models import Site
from ..rules.asked import Asked
from ..rules.moment import Moment
from ..rules.rule import Rule
from ..rules.settings import RuleSettings
from ..settings.policies import Effective, Policies
from ..storage.among import is_among


@dataclass(frozen=True)
class Combination:
    """Settings of a rule, and the sites for which they hold (None: all). The fleet's own are number 0."""

    number: int
    settings: RuleSettings
    sites: ColumnElement[bool] | None = None


@dataclass(frozen=True)
class Question:
    """What a rule is asked: by the settings of all ``combinations`` for which it is on, of their sites.

    It is off for the sites ``off`` (None: for none).
    """

    asked: Asked[Any]
    combinations: list[Combination]
    off: ColumnElement[bool] | None = None

    def about(self, moment: Moment) -> Moment:
        """The moment, about those of its sites for which the rule is on."""
        return moment if self.off is None else replace(moment, among=~self.off)


@dataclass
class _Part:
    """Sites with the same settings: those of groups, without those that have their own, and single ones."""

    groups: list[str] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Iterable["_Part"]) -> "_Part":
        """The sites of all of them."""
        found = cls()
        for part in parts:
            found.add(part)
        return found

    def add(self, other: "_Part") -> None:
        self.groups += other.groups
        self.keys += other.keys


_Parts = dict[RuleSettings, _Part]
_Sites = dict[RuleSettings, ColumnElement[bool] | None]


def combinations(connection: Connection, rule: Rule, policies: Policies) -> list[Combination]:
    """The settings of a rule that hold for some site each. Without policies those of the fleet, for all."""
    return _combinations(connection, policies.settings.rule(rule.name), _parts(connection, rule, policies))


def question(connection: Connection, rule: Rule, policies: Policies) -> Question | None:
    """What the rule is to be asked; None where it is off for all sites."""
    fleet, parts = policies.settings.rule(rule.name), _parts(connection, rule, policies)
    found = _combinations(connection, fleet, parts)
    in_use = {one.settings.judging() for one in found}
    alike: _Parts = {fleet.judging(): _Part()}
    for settings, part in parts.items():
        alike.setdefault(settings.judging(), _Part()).add(part)
    own_keys = _own_keys(parts)

    def sites(some: Sequence[RuleSettings]) -> ColumnElement[bool]:
        return _sites(connection, _Part.of(alike[settings] for settings in some), own_keys)

    # The first, which hold for all that have no others, are the fleet's; where no site has those, any.
    on = [settings for settings in alike if settings.enabled and settings in in_use]
    if not on:
        return None
    divided = _divided(connection, alike, fleet.judging()).items()
    off = [of_these for settings, of_these in divided if of_these is not None and not settings.enabled]
    return Question(Asked(on, sites), found, or_(*off) if off else None)


def _parts(connection: Connection, rule: Rule, policies: Policies) -> _Parts:
    parts: _Parts = {}
    for effective, part in _in_use(connection, policies):
        parts.setdefault(effective.combined.rule(rule.name), _Part()).add(part)
    return parts


def _combinations(connection: Connection, fleet: RuleSettings, parts: _Parts) -> list[Combination]:
    found = [
        Combination(number, settings, sites)
        for number, (settings, sites) in enumerate(_divided(connection, parts, fleet).items())
    ]
    rest = found[0].sites
    has_rest = rest is None or connection.scalar(select(Site.key).where(rest).limit(1)) is not None
    return found if has_rest else found[1:]


def _divided(connection: Connection, parts: _Parts, fleet: RuleSettings) -> _Sites:
    """Which sites have which settings; those of the fleet come first, for all that have no others."""
    own_keys = _own_keys(parts)
    others = {settings: part for settings, part in parts.items() if settings != fleet}
    if not others:
        return {fleet: None}
    divided: _Sites = {fleet: _rest(connection, list(others.values()), parts.get(fleet, _Part()))}
    return divided | {settings: _sites(connection, part, own_keys) for settings, part in others.items()}


def _own_keys(parts: _Parts) -> list[int]:
    return [key for part in parts.values() for key in part.keys]


def _in_use(connection: Connection, policies: Policies) -> Iterator[tuple[Effective, _Part]]:
    """What holds for which groups, and for which sites with a policy of their own, by key."""
    if not policies.all:
        return
    in_use = select(Site.group).where(is_among(connection, Site.group, policies.of_groups)).distinct()
    for group in connection.scalars(in_use):
        yield policies.effective("", group), _Part(groups=[group])
    own = is_among(connection, Site.site_id, policies.of_sites)
    for key, site_id, group in connection.execute(select(Site.key, Site.site_id, Site.group).where(own)):
        yield policies.effective(site_id, group), _Part(keys=[key])


def _sites(connection: Connection, part: _Part, own_keys: Collection[int]) -> ColumnElement[bool]:
    of_groups = is_among(connection, Site.group, part.groups)
    if own_keys:
        of_groups = and_(of_groups, ~is_among(connection, Site.key, own_keys))
    if not part.keys:
        return of_groups
    alone = is_among(connection, Site.key, part.keys)
    return or_(of_groups, alone) if part.groups else alone


def _rest(connection: Connection, parts: list[_Part], as_fleet: _Part) -> ColumnElement[bool]:
    groups = [group for part in parts for group in part.groups]
    keys = [key for part in parts for key in part.keys]
    rest = and_(~is_among(connection, Site.group, groups), ~is_among(connection, Site.key, keys))
    return or_(rest, is_among(connection, Site.key, as_fleet.keys)) if as_fleet.keys else rest
