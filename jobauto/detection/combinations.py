"""Which settings hold for which sites: policies as conditions on the inventory, never a loop over it.

A rule is asked once for each of them. Two policies that come to the same settings of the rule are one, and
policies that leave the rule as it is, or that no site has, cost it nothing.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from ..models import Site
from ..rules.rule import Rule
from ..rules.settings import RuleSettings
from ..settings.policies import Effective, Policies


@dataclass(frozen=True)
class Combination:
    """Settings of a rule, and the sites for which they hold (None: all). The fleet's own are number 0."""

    number: int
    settings: RuleSettings
    sites: ColumnElement[bool] | None = None


@dataclass
class _Part:
    """Sites with the same settings: those of groups, without those that have their own, and single ones."""

    groups: list[str] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


def combinations(connection: Connection, rule: Rule, policies: Policies) -> list[Combination]:
    """The settings of a rule that hold for some site each. Without policies those of the fleet, for all."""
    fleet = policies.settings.rule(rule.name)
    parts: dict[RuleSettings, _Part] = {}
    own_keys: list[int] = []
    for effective, groups, keys in _in_use(connection, policies):
        part = parts.setdefault(effective.combined.rule(rule.name), _Part())
        part.groups += groups
        part.keys += keys
        own_keys += keys
    as_fleet = parts.pop(fleet, _Part())
    if not parts:
        return [Combination(0, fleet)]
    found = [
        Combination(number, settings, _sites(connection, part, own_keys))
        for number, (settings, part) in enumerate(parts.items(), start=1)
    ]
    rest = _rest(connection, list(parts.values()), as_fleet)
    has_rest = connection.scalar(select(Site.key).where(rest).limit(1)) is not None
    return [Combination(0, fleet, rest), *found] if has_rest else found


def _in_use(connection: Connection, policies: Policies) -> Iterator[tuple[Effective, list[str], list[int]]]:
    """What holds for which groups, and for which sites with a policy of their own, by key."""
    if not policies.all:
        return
    in_use = select(Site.group).where(_among(connection, Site.group, policies.of_groups)).distinct()
    for group in connection.scalars(in_use):
        yield policies.effective("", group), [group], []
    own = _among(connection, Site.site_id, policies.of_sites)
    for key, site_id, group in connection.execute(select(Site.key, Site.site_id, Site.group).where(own)):
        yield policies.effective(site_id, group), [], [key]


def _sites(connection: Connection, part: _Part, own_keys: Collection[int]) -> ColumnElement[bool]:
    of_groups = _among(connection, Site.group, part.groups)
    if own_keys:
        of_groups = and_(of_groups, ~_among(connection, Site.key, own_keys))
    if not part.keys:
        return of_groups
    alone = _among(connection, Site.key, part.keys)
    return or_(of_groups, alone) if part.groups else alone


def _rest(connection: Connection, parts: list[_Part], as_fleet: _Part) -> ColumnElement[bool]:
    groups = [group for part in parts for group in part.groups]
    keys = [key for part in parts for key in part.keys]
    rest = and_(~_among(connection, Site.group, groups), ~_among(connection, Site.key, keys))
    return or_(rest, _among(connection, Site.key, as_fleet.keys)) if as_fleet.keys else rest


def _among(connection: Connection, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column is one of some values, as one parameter: of many no database takes so many."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))  # type: ignore[no-any-return] # a column's
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))  # type: ignore[no-any-return] # a column's
