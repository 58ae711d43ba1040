"""What select fields offer."""

from collections.abc import Iterable

from wtforms import Field, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # its types are older

from ...wording import label_of

ANY = ("", "Any")
NOBODY = "-"
"""Nobody as a choice; nothing at all is no choice."""


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, label) pairs as WTForms wants them."""
    return [SelectChoice(value, label) for value, label in pairs]


def of_codes(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Codes with the labels that people read: ``in_progress`` as ``In progress``."""
    return [(code, label_of(code)) for code in codes]


def of_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names, which are their own labels."""
    return [(name, name) for name in names]


def says(field: Field) -> str:
    """A field and what it says, as people read both: ``Status: In progress``."""
    offered = field.iter_choices() if isinstance(field, SelectField) else ()
    chosen = next((str(label) for value, label, *_ in offered if value == field.data), str(field.data))
    return f"{field.label.text}: {chosen}"
