"""Reading what was stored: a value that can no longer be read counts as its default, and is named.

A host may not know a time zone that another one did, and a release may tighten a limit.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from .policies import Effective, Policies, Policy
from .schema import Errors, Settings, SettingsError


@dataclass(frozen=True)
class Unreadable:
    """A stored value that counts as its default: which (``SCHEDULE.timezone``), what it is, and why."""

    field: str
    value: Any
    why: str


def read_stored(document: Any) -> tuple[Settings, tuple[Unreadable, ...]]:
    """The settings of a stored document, and what of it could not be read. Never raises.

    What is refused is taken out, of a contradiction both sides, until the rest is accepted: what was taken
    out has its default.
    """
    rest = deepcopy(document)
    unreadable: list[Unreadable] = []
    while True:
        try:
            return Settings.parsed(rest), tuple(unreadable)
        except SettingsError as error:
            found = [_take_out(rest, field, " ".join(why)) for field, why in error.fields.items()]
        unreadable += filter(None, found)
        if not any(found):
            return Settings(), (Unreadable("settings", document, "Cannot be read at all."),)


def read_policies(documents: Any, settings: Settings) -> tuple[Policies, tuple[Unreadable, ...]]:
    """The policies of a stored list, over settings; of what cannot be read any more a policy says nothing.

    One that no value taken out makes readable, such as one whose name is refused, is left out.
    """
    policies: list[Policy] = []
    unreadable: list[Unreadable] = []
    for document in deepcopy(documents):
        name = str(document.pop("name", ""))
        while errors := _errors(name, document, settings):
            found = [_take_out(document, field, " ".join(why)) for field, why in errors.items()]
            unreadable += (replace(one, field=f"{name}: {one.field}") for one in found if one)
            if not any(found):
                unreadable.append(Unreadable(name, document, "Cannot be read at all."))
                break
        else:
            policies.append(Policy.parsed(name, document))
    return Policies(settings, tuple(policies)), tuple(unreadable)


def _errors(name: str, document: Any, settings: Settings) -> Errors:
    try:
        return Effective(settings, Policy.parsed(name, document)).errors()
    except SettingsError as error:
        return error.fields


def _take_out(document: Any, field: str, why: str) -> Unreadable | None:
    """Take a value out of a document; None where it does not say anything about the field."""
    section, _, name = field.partition(".")
    whole = document if isinstance(document, dict) else {}
    for within, key in ((whole, field), (whole.get(section), name)):
        if isinstance(within, dict) and key in within:
            return Unreadable(field, within.pop(key), why)
    return None
