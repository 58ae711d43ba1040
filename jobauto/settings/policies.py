"""Policies: settings of the rules that differ for some groups and sites. Pure: no clock, no database.

A site's own policy wins over its group's, the group's over the fleet's settings, field by field. Names and
shapes are a contract with the scripts of others.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from re import fullmatch
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, ValidationError, create_model

from ..models.site import GROUP_LENGTH, SITE_ID_LENGTH
from ..rules import RULES
from ..rules.settings import RuleSettings, storable
from .schema import Errors, Settings, SettingsError, describe_errors, told

FLEET = "fleet"
"""Where a value comes from that no policy gives."""
RESERVED = (FLEET, "done", "rejected")
MOST = 1000
"""A page lists them all, and a backup may hold no more."""
MOST_TOGETHER = 8_000_000
"""Characters of all policies as they are stored: each page reads them, and no backup takes a longer value."""
NAME = r"[A-Za-z0-9_-]{1,50}"
WRONG_NAME = "Must be 1 to 50 of A-Z, a-z, 0-9, _ and -, and not fleet, done or rejected."
SECTIONS = {rule.name.upper(): rule for rule in RULES}

Values = dict[str, dict[str, Any]]
"""``{"NO_COMS": {"days_threshold": 7}}``."""


def fields_of(section: type[RuleSettings]) -> Iterator[str]:
    """What of a rule's settings a policy may give: all but the job type, by which duplicates are known."""
    return (name for name in section.model_fields if name != "job_type_id")


def _part(section: type[RuleSettings]) -> type[BaseModel]:
    """Some of a rule's settings, within the same limits."""
    given: dict[str, Any] = {}
    for name in fields_of(section):
        info = section.model_fields[name]
        kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        left_out = Field(default_factory=lambda: None, title=info.title, description=info.description)
        given[name] = (kind, left_out)  # no default that the description would have to write as its kind
    return create_model(
        f"{section.__name__.removesuffix('Settings')}Part",
        __config__=ConfigDict(extra="forbid"),
        __doc__=f"What a policy says of {section.title}; what is left out is as for the group or the fleet.",
        **given,
    )


Group = Annotated[str, Field(min_length=1, max_length=GROUP_LENGTH), AfterValidator(storable)]
SiteId = Annotated[str, Field(min_length=1, max_length=SITE_ID_LENGTH), AfterValidator(storable)]
_PARTS: dict[str, Any] = {
    name: (part := _part(rule.settings), Field(default_factory=part)) for name, rule in SECTIONS.items()
}
_PartsOfRules: type[BaseModel] = create_model("PartsOfRules", __config__=ConfigDict(extra="forbid"), **_PARTS)


class PolicyContent(_PartsOfRules):
    """What a policy says, and of which groups and sites."""

    groups: Annotated[list[Group], FailFast()] = Field(default_factory=list)
    sites: Annotated[list[SiteId], FailFast()] = Field(default_factory=list)


@dataclass(frozen=True)
class Policy:
    """Settings that differ for some groups and sites."""

    name: str
    values: Values = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, name: str, content: Any, *, strict: bool = False) -> "Policy":
        """The policy in a JSON document. Raises SettingsError; ``strict`` takes no "3" for 3."""
        if not fullmatch(NAME, name) or name.casefold() in RESERVED:
            raise SettingsError({"name": [WRONG_NAME]})
        try:
            read = PolicyContent.model_validate(content, strict=strict)
        except ValidationError as error:
            raise SettingsError(describe_errors(error, whole="policy")) from error
        said = read.model_dump(mode="json", exclude_unset=True)
        values = {section: said[section] for section in SECTIONS if said.get(section)}
        groups, sites = (tuple(dict.fromkeys(said.get(kind, ()))) for kind in ("groups", "sites"))
        return cls(name, values, groups, sites)

    def document(self) -> dict[str, Any]:
        """The policy as JSON."""
        values = {section: self.values.get(section, {}) for section in SECTIONS}
        return {"name": self.name, **values, "groups": list(self.groups), "sites": list(self.sites)}

    def given(self) -> Iterator[tuple[str, Any]]:
        """(``NO_COMS.days_threshold``, 7) for each setting that it gives."""
        for section, values in self.values.items():
            for name, value in values.items():
                yield f"{section}.{name}", value


@dataclass(frozen=True)
class Effective:
    """What holds where two policies may meet: a group's and a site's own. None: there is none."""

    settings: Settings
    group: Policy | None = None
    site: Policy | None = None

    @cached_property
    def combined(self) -> Settings:
        """The settings in force. Values that contradict each other are reconciled."""
        return self.settings.model_copy(
            update={rule.name: self._section(name, rule.name) for name, rule in SECTIONS.items()}
        )

    def _section(self, name: str, rule: str) -> RuleSettings:
        section, given = self.settings.rule(rule), self._values(name)
        if not given:
            return section
        return section.model_validate(section.model_dump(mode="json") | given).reconciled()

    def _values(self, section: str) -> dict[str, Any]:
        of_group, of_site = (policy.values.get(section, {}) if policy else {} for policy in self._both)
        return of_group | of_site

    @property
    def _both(self) -> tuple[Policy | None, Policy | None]:
        return self.group, self.site

    def sources(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Each value with where it comes from, ``{"value": 7, "from": "Slow"}``, by section and field."""
        document = self.combined.document()
        return {
            section: {
                name: {"value": value, "from": self._source(section, name)} for name, value in of.items()
            }
            for section, of in document.items()
            if section in SECTIONS
        }

    def _source(self, section: str, name: str) -> str:
        for policy in (self.site, self.group):
            if policy is not None and name in policy.values.get(section, {}):
                return policy.name
        return FLEET

    def errors(self) -> Errors:
        """What contradicts what, before anything is reconciled."""
        try:
            self.settings.changed({name: self._values(name) for name in SECTIONS})
        except SettingsError as error:
            return error.fields
        return {}


@dataclass(frozen=True)
class Policies:
    """All policies over the fleet's settings. A group or a site has at most one."""

    settings: Settings
    all: tuple[Policy, ...] = ()

    def named(self, name: str) -> Policy | None:
        """The policy of that name."""
        return next((policy for policy in self.all if policy.name == name), None)

    @cached_property
    def of_groups(self) -> Mapping[str, Policy]:
        """The policy of each group that has one."""
        return {group: policy for policy in self.all for group in policy.groups}

    @cached_property
    def of_sites(self) -> Mapping[str, Policy]:
        """The policy of each site that has one of its own."""
        return {site_id: policy for policy in self.all for site_id in policy.sites}

    def effective(self, site_id: str, group: str) -> Effective:
        """What holds for a site."""
        return Effective(self.settings, self.of_groups.get(group), self.of_sites.get(site_id))

    def of_rule(self, rule: str) -> Iterator[RuleSettings]:
        """A rule's settings for the fleet, and as each policy changes them, whether or not a site has it."""
        yield self.settings.rule(rule)
        for policy in self.all:
            yield Effective(self.settings, policy).combined.rule(rule)

    def replaced(self, policy: Policy) -> "Policies":
        """With a policy in place of the one that had its name. Raises SettingsError."""
        others = tuple(one for one in self.all if one.name != policy.name)
        if wrong := dict(_wrong(policy, others)):
            raise SettingsError(wrong)
        if wrong := Effective(self.settings, policy).errors():
            raise SettingsError(wrong)
        together = Policies(
            self.settings, tuple(sorted((*others, policy), key=lambda one: one.name.casefold()))
        )
        if len(together.all) > MOST:
            raise SettingsError({"name": [f"There are {MOST:,} policies. Delete one first."]})
        if len(json.dumps(together.documents())) > MOST_TOGETHER:
            raise SettingsError({"policy": [f"All policies together may have {MOST_TOGETHER:,} characters."]})
        return together

    def without(self, name: str) -> "Policies":
        """Without a policy."""
        return Policies(self.settings, tuple(one for one in self.all if one.name != name))

    def over(self, settings: Settings) -> "Policies":
        """The same over other settings of the fleet. Raises SettingsError, which names the policy."""
        for policy in self.all:
            if wrong := Effective(settings, policy).errors():
                raise SettingsError(
                    {name: [f"Policy {policy.name}: {' '.join(why)}"] for name, why in wrong.items()}
                )
        return Policies(settings, self.all)

    def documents(self) -> list[dict[str, Any]]:
        """All of them as they are stored."""
        return [policy.document() for policy in self.all]


def _wrong(policy: Policy, others: Iterable[Policy]) -> Iterator[tuple[str, list[str]]]:
    same = [other for other in others if other.name.casefold() == policy.name.casefold()]
    if same:
        yield "name", [f"There is a policy {same[0].name} already."]
    for kind in ("groups", "sites"):
        mine = set(getattr(policy, kind))
        taken = chain.from_iterable(
            ((each, other.name) for each in getattr(other, kind) if each in mine) for other in others
        )
        if why := [f"{each} has the policy {name} already." for each, name in taken]:
            yield kind, told(why)
