"""By which settings a rule is asked: the same for all sites, or others for some of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, case, literal, true
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from .settings import RuleSettings

S = TypeVar("S", bound=RuleSettings)
Made = tuple[Callable[[S], Any], type[TypeEngine[Any]]]
"""What a rule makes of settings, and how a database knows it."""


@dataclass(frozen=True)
class Given:
    """What a rule makes of the settings that hold for a site, by name.

    What is the same for all sites is one bound value. What differs (``differing``) is a CASE over the sites'
    groups and keys: a subquery of sites selects it, and those around it have it as a column.
    """

    values: Mapping[str, ColumnElement[Any]]
    differing: Sequence[str]

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self.values[name]

    def columns(self) -> Sequence[ColumnElement[Any]]:
        """What a subquery of sites selects besides, so that those around it can ask ``within`` it."""
        return [self.values[name].label(name) for name in self.differing]

    def within(self, query: FromClause) -> "Given":
        """The same, of the sites in the rows of a subquery."""
        return replace(self, values={**self.values, **{name: query.c[name] for name in self.differing}})


@dataclass(frozen=True)
class Asked(Generic[S]):
    """The settings by which one statement asks a rule about the sites.

    ``sites`` tells which sites have one of some of them. The first hold for all that have no others.
    """

    settings: Sequence[S]
    sites: Callable[[Sequence[S]], ColumnElement[bool]] = lambda _: true()

    def each(self, **made: Made[S]) -> Given:
        """What a rule makes of them."""
        alike = {name: self._alike(of) for name, (of, _) in made.items()}
        values = {name: self._value(alike[name], kind) for name, (_, kind) in made.items()}
        return Given(values, [name for name, found in alike.items() if len(found) > 1])

    def _alike(self, of: Callable[[S], Any]) -> dict[Any, list[S]]:
        alike: dict[Any, list[S]] = {}
        for settings in self.settings:
            alike.setdefault(of(settings), []).append(settings)
        return alike

    def _value(self, alike: Mapping[Any, Sequence[S]], kind: type[TypeEngine[Any]]) -> ColumnElement[Any]:
        first, *others = alike
        if not others:
            return literal(first, kind)
        cases = ((self.sites(alike[value]), literal(value, kind)) for value in others)
        return case(*cases, else_=literal(first, kind))
