"""What a page showed of each field, which its form sends back (see :mod:`jobauto.audit.conflicts`)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import request
from wtforms import BooleanField, Field, Form

from ...audit.conflicts import Conflict, Seen, shown
from ...wording import label_of
from .. import drafts

PREFIX = "seen_"

Conflicts = Sequence[tuple[str, Conflict]]
"""Conflicts with the labels of their fields."""


def seen_in_request(names: Collection[str]) -> Seen:
    """What was shown of these fields, as far as the form that was sent says so."""
    return {name: request.form[PREFIX + name] for name in names if PREFIX + name in request.form}


def seen_to_send(stored: Any, names: Collection[str], *, anew: bool = False) -> list[tuple[str, str]]:
    """(name, value) of the hidden fields: what was shown when the form was typed into, else what is stored.

    With ``anew`` the person has been told of what is stored now.
    """
    given: Mapping[str, str] = {} if anew else drafts.typed() or request.form
    return [(PREFIX + name, given.get(PREFIX + name, shown(getattr(stored, name)))) for name in names]


def catch_up(form: Form, stored: Any, seen: Seen) -> None:
    """Give every field that was left as it was shown the value that somebody else has saved since."""
    for name, before in seen.items():
        if name in form and shown(form[name].data) == before:
            form[name].data = _data(form[name], getattr(stored, name))


def labelled(form: Form, conflicts: Sequence[Conflict]) -> Conflicts:
    """Conflicts with the labels of their fields."""
    return [
        (form[one.field].label.text if one.field in form else label_of(one.field), one) for one in conflicts
    ]


def _data(field: Field, value: Any) -> Any:
    return value if isinstance(field, BooleanField) or value is not None or field.type == "DateField" else ""
