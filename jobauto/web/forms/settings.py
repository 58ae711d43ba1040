"""The settings form, made from the settings' own declaration.

It checks nothing itself: what may be saved is decided by the declaration alone, and what it refuses is put
beside the field of the same name, ``ZERO_READS.days_to_check``.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from flask_wtf import FlaskForm
from pydantic.fields import FieldInfo
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, Form, FormField, HiddenField, SelectField, StringField, TextAreaField

from ...rules.settings import Section
from ...settings.labels import fields, sections
from ...settings.schema import Errors, Settings, time_zones
from .choices import choices, of_codes
from .controls import LONG_TEXT, limits, one_newline, rows_of, two_decimals
from .errors import put_beside


class _SettingsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """``version`` is the version of the settings that the editor looks at."""

    version = HiddenField()

    def document(self) -> dict[str, dict[str, Any]]:
        """What was typed, as the settings' JSON."""
        return {name: self[name].data for name, _ in sections()}

    def catch_up(self, seen: Settings, in_force: Settings) -> None:
        """Give every field that the editor left as it was the value that somebody else has saved since."""
        before, now = seen.document(), in_force.document()
        for section, _ in sections():
            for field in self[section]:
                if str(field.data) == str(before[section][field.short_name]):
                    field.data = now[section][field.short_name]

    def show(self, errors: Errors) -> list[str]:
        """Put errors beside their fields; returns those that belong to no field."""
        return put_beside((field for name, _ in sections() for field in self[name]), errors)


def settings_form(
    settings: Settings, version: int, typed: MultiDict[str, str] | None = None
) -> _SettingsForm:
    """The form, filled with what was posted or had been ``typed``, otherwise with the given settings."""
    given = {} if typed is None else {"formdata": typed}
    form: _SettingsForm = _FORM(data={"version": version, **settings.document()}, **given)
    return form


def _control(name: str, info: FieldInfo) -> Field:
    given: dict[str, Any] = {"label": info.title, "description": info.description}
    allowed = limits(info)
    if name == "timezone":
        return _select(((zone, zone) for zone in sorted(time_zones())), **given)
    if get_origin(info.annotation) is Literal:
        return _select(of_codes(get_args(info.annotation)), **given)
    if info.annotation is bool:
        return BooleanField(**given)
    if info.annotation is int:
        # Text, so that what was typed is kept when it is no number.
        return StringField(
            **given, render_kw={"type": "number", "inputmode": "numeric", "step": 1, **allowed}
        )
    if info.annotation is Decimal:
        return StringField(
            **given,
            filters=[two_decimals],
            render_kw={"type": "number", "inputmode": "decimal", "step": 0.01, **allowed},
        )
    if allowed.get("maxlength", 0) > LONG_TEXT:
        return TextAreaField(
            **given, filters=[one_newline], render_kw={"rows": rows_of(allowed["maxlength"]), **allowed}
        )
    return StringField(**given, render_kw={"spellcheck": "false", "autocomplete": "off", **allowed})


def _select(offered: Iterable[tuple[str, str]], **given: Any) -> Field:
    # Unchecked, so that a value which is no choice meets the declaration's own words.
    return SelectField(choices=choices(offered), validate_choice=False, **given)


def _section_form(section: type[Section]) -> type[Form]:
    controls: dict[str, Field] = {name: _control(name, info) for name, info in fields(section)}
    return type(f"{section.__name__}Form", (Form,), controls)


_FORM = type(
    "SettingsForm",
    (_SettingsForm,),
    {name: FormField(_section_form(section), section.title, separator=".") for name, section in sections()},
)
