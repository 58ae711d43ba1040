"""The forms of policies, made from the settings' own declaration: what is left empty is as for the fleet."""

from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from flask_wtf import FlaskForm
from pydantic.fields import FieldInfo
from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, FormField, HiddenField, SelectField, StringField, TextAreaField

from ...rules.settings import RuleSettings
from ...settings.labels import fields, format_value
from ...settings.policies import SECTIONS, Policy
from ...settings.schema import Errors, Settings
from .choices import choices, of_codes
from .controls import LONG_TEXT, limits, one_newline, rows_of, two_decimals
from .errors import put_beside

ON_OFF = (("true", "On"), ("false", "Off"))


def _lines(label: str, description: str) -> Field:
    return TextAreaField(label, description=description, render_kw={"rows": 4, "spellcheck": "false"})


class NewPolicyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """A new policy, and whom it is for."""

    name = StringField(
        "Name",
        description="1 to 50 of A-Z, a-z, 0-9, _ and -.",
        render_kw={"maxlength": 50, "autocomplete": "off", "spellcheck": "false"},
    )
    groups = _lines("Groups", "One a line. A site that comes into such a group has the policy from then on.")
    sites = _lines("Sites", "Site ids, one a line. A site's own policy wins over that of its group.")

    def content(self) -> dict[str, Any]:
        """What was typed, as the policy's JSON."""
        return {name: _split(self[name].data) for name in ("groups", "sites")}

    def show(self, errors: Errors) -> list[str]:
        """Put errors beside their fields; returns those that belong to no field."""
        return put_beside(self, _of_lists(errors))


class _PolicyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """``version`` is the version of the settings that the editor looks at."""

    version = HiddenField()
    groups = _lines("Groups", "One a line. A site that comes into such a group has the policy from then on.")
    sites = _lines("Sites", "Site ids, one a line. A site's own policy wins over that of its group.")

    def content(self) -> dict[str, Any]:
        """What was typed, as the policy's JSON."""
        values = {
            section: {field.short_name: field.data for field in self[section] if field.data}
            for section in SECTIONS
        }
        return values | {name: _split(self[name].data) for name in ("groups", "sites")}

    def show(self, errors: Errors) -> list[str]:
        """Put errors beside their fields; returns those that belong to no field."""
        every = [self.groups, self.sites, *(field for section in SECTIONS for field in self[section])]
        return put_beside(every, _of_lists(errors))


def policy_form(
    policy: Policy, version: int, fleet: Settings, typed: MultiDict[str, str] | None = None
) -> _PolicyForm:
    """The form, filled with what was posted or had been ``typed``, otherwise with the policy."""
    given = {} if typed is None else {"formdata": typed}
    lists = {name: "\n".join(getattr(policy, name)) for name in ("groups", "sites")}
    values = {
        section: {name: _text(value) for name, value in of.items()} for section, of in policy.values.items()
    }
    form: _PolicyForm = _FORM(data={"version": version, **lists, **values}, **given)
    document = fleet.document()
    for section in SECTIONS:
        for field in form[section]:
            name = field.short_name
            _tell_the_fleets(field, format_value(document[section][name], f"{section}.{name}"))
    return form


def _tell_the_fleets(field: Field, value: str) -> None:
    if isinstance(field, SelectField):
        field.choices = choices([("", f"As for the fleet ({value})")]) + list(field.choices or [])
    else:
        field.render_kw = {**(field.render_kw or {}), "placeholder": f"As for the fleet: {value}"}


def _of_lists(errors: Errors) -> Errors:
    """What is wrong with an item of a list stands beside the list."""
    found: Errors = {}
    for name, why in errors.items():
        found.setdefault(
            name.partition(".")[0] if name.startswith(("groups.", "sites.")) else name, []
        ).extend(why)
    return found


def _split(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(two_decimals(value))


def _control(info: FieldInfo) -> Field:
    given: dict[str, Any] = {"label": info.title, "description": info.description}
    if get_origin(info.annotation) is Literal:
        return _select(of_codes(get_args(info.annotation)), **given)
    if info.annotation is bool:
        return _select(ON_OFF, **given)
    allowed = limits(info)
    if info.annotation is int:
        return StringField(
            **given, render_kw={"type": "number", "inputmode": "numeric", "step": 1, **allowed}
        )
    if allowed.get("maxlength", 0) > LONG_TEXT:
        rows = rows_of(allowed["maxlength"])
        return TextAreaField(**given, filters=[one_newline], render_kw={"rows": rows, **allowed})
    return StringField(**given, render_kw={"spellcheck": "false", "autocomplete": "off", **allowed})


def _select(offered: Iterable[tuple[str, str]], **given: Any) -> Field:
    return SelectField(choices=choices(offered), validate_choice=False, **given)


def _section_form(section: type[RuleSettings]) -> type[Form]:
    controls: dict[str, Field] = {
        name: _control(info) for name, info in fields(section) if name != "job_type_id"
    }
    return type(f"{section.__name__}PolicyForm", (Form,), controls)


_FORM = type(
    "PolicyForm",
    (_PolicyForm,),
    {
        name: FormField(_section_form(rule.settings), rule.title, separator=".")
        for name, rule in SECTIONS.items()
    },
)
