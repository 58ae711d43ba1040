"""Settings as a page shows them: titles for names, words for values."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from ..rules.settings import RuleSettings, Section
from ..wording import label_of
from .schema import Settings


def sections() -> Iterator[tuple[str, type[Section]]]:
    """Every section: its name in JSON, and its declaration."""
    for name, info in Settings.model_fields.items():
        declared: Any = info.annotation
        yield name.upper(), declared


def label(field: str) -> str:
    """``ZERO_READS.days_to_check`` as ``Zero Reads: Days to check``."""
    section = dict(sections()).get(field.partition(".")[0])
    info = _declared(field)
    return f"{section.title}: {info.title}" if section and info else field


def format_value(value: Any, field: str) -> str:
    """A field's value for people: ``On``, a choice in words, kWh with two decimals, a dash, or as it is."""
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, float):
        return f"{value:,.2f}"
    info = _declared(field)
    if info and get_origin(info.annotation) is Literal and value in get_args(info.annotation):
        return label_of(value)
    return str(value) or "–"


def _declared(field: str) -> FieldInfo | None:
    section, _, name = field.partition(".")
    declared = dict(sections()).get(section)
    return declared.model_fields.get(name) if declared else None


def listed(settings: Settings) -> list[tuple[str, list[tuple[str, str]]]]:
    """All settings in words: (title of the section, [(title of the field, value)])."""
    document = settings.document()
    return [(declared.title, _values(key, declared, document[key])) for key, declared in sections()]


def of_section(settings: Settings, name: str) -> list[tuple[str, str]]:
    """The settings of one section in words; nothing of a section that is no more."""
    declared = dict(sections()).get(name)
    return _values(name, declared, settings.document()[name]) if declared else []


def _values(key: str, section: type[Section], values: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (info.title or name, format_value(values[name], f"{key}.{name}")) for name, info in fields(section)
    ]


def fields(section: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a section as a page shows them: the switch, what is its own, what all rules have."""
    yield from sorted(
        section.model_fields.items(),
        key=lambda item: (item[0] != "enabled", item[0] in RuleSettings.model_fields),
    )
