"""The settings page: seen by everybody, changed by admins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit.conflicts import Conflict
from ...clock import utcnow
from ...lab.service import NOW, Question, Standing, standing
from ...lab.walk import BENCHES
from ...rules import RULES
from ...settings import service
from ...settings.labels import format_value, label, sections
from ...settings.schema import Errors, SettingsError
from .. import drafts
from ..access import needs
from ..asking_lab import ask
from ..forms.settings import settings_form
from ..numbers import whole_number

bp = Blueprint("settings", __name__, url_prefix="/settings")

NO_VERSION = 0
"""What nonsense stands for: a version that never was."""
REFRESH = 2
NEAR = 2


@bp.get("/")
def edit() -> ResponseReturnValue:
    """The settings in force, what they mean, and how they came to be."""
    stored = service.current()
    return _page(settings_form(stored.settings, stored.version, drafts.typed()), stored)


@bp.post("/")
@needs("admin")
def edit_submit() -> ResponseReturnValue:
    """Save them, all or nothing. What was typed is kept when something is wrong."""
    stored = service.current()
    form = settings_form(stored.settings, stored.version)
    typed, seen = form.document(), whole_number(str(form.version.data)) or NO_VERSION
    try:
        saved = service.merge(typed, seen=seen, by=current_user.username, now=utcnow())
    except SettingsError as error:
        return _page(form, stored, general=form.show(error.fields), wrong=_wrong(form, error.fields)), 422
    except service.StaleSettings as error:
        return _moved(form, seen, error.conflicts), 409
    if saved.version == stored.version:
        flash("Nothing was changed: these settings are in force already.", "info")
    else:
        flash("Settings saved. They take effect from the next run on.", "success")
    return redirect(url_for(".edit"))


def _wrong(form: Any, errors: Errors) -> list[tuple[str, str, str]]:
    """(id of the field, its label, why) of what is wrong, in the order of the form."""
    fields = [field.name for name, _ in sections() for field in form[name]]
    return [(name, label(name), " ".join(errors[name])) for name in fields if name in errors]


@dataclass(frozen=True)
class Difference:
    """A field in which the form differs from what is in force."""

    label: str
    in_force: str
    typed: str


def _moved(form: Any, seen: int, conflicts: Sequence[Conflict]) -> str:
    """Somebody else was faster: take theirs, keep what was typed, and set the two side by side."""
    stored = service.current()
    if 0 < seen < stored.version:
        form.catch_up(service.of_version(seen), stored.settings)
    form.version.data, typed = stored.version, form.document()
    differences = [
        Difference(
            label(f"{section}.{name}"),
            format_value(value, f"{section}.{name}"),
            format_value(typed[section][name], f"{section}.{name}"),
        )
        for section, values in stored.settings.document().items()
        for name, value in values.items()
        if str(value) != str(typed[section][name])
    ]
    told = [(label(one.field), one) for one in conflicts]
    return _page(form, stored, moved=True, differences=differences, conflicts=told)


@dataclass(frozen=True)
class Replaced:
    """A stored value that cannot be read, and what counts instead of it (None: it is no setting any more)."""

    label: str
    stored: str
    why: str
    instead: str | None


def _replaced(stored: service.Stored) -> Iterator[Replaced]:
    document = stored.settings.document()
    for found in stored.unreadable:
        section, _, name = found.field.partition(".")
        values = document.get(section, {})
        instead = format_value(values[name], found.field) if name in values else None
        yield Replaced(label(found.field), format_value(found.value, found.field), found.why, instead)


@bp.get("/flagged")
def flagged() -> ResponseReturnValue:
    """What other values of each threshold would flag now; worked out where nobody has yet."""
    standings = {name: ask(Question(name, NOW)) for name in BENCHES}
    return render_template(
        "settings/flagged.html",
        thresholds=_thresholds(standings),
        progress=min(1.0 if one.answer else one.progress or 0.0 for one in standings.values()),
        is_ready=all(one.answer for one in standings.values()),
        refresh=REFRESH,
    )


@dataclass(frozen=True)
class Threshold:
    """A setting that is a threshold, the value in force, and what other values would flag now, if known."""

    field: str
    title: str
    rule: str
    in_force: int
    rows: Sequence[dict[str, Any]]

    def flagged(self, value: int) -> dict[str, Any] | None:
        """What a value would flag."""
        return next((row for row in self.rows if row["value"] == value), None)

    def near(self) -> list[dict[str, Any]]:
        """The values next to the one in force."""
        return [row for row in self.rows if 0 < abs(row["value"] - self.in_force) <= NEAR]


def _thresholds(standings: Mapping[str, Standing]) -> dict[str, Threshold]:
    """By the name of the form's field."""
    found = {}
    for rule in RULES:
        if rule.name in BENCHES:
            name, section = BENCHES[rule.name].field, service.current().settings.rule(rule.name)
            field, title = f"{rule.name.upper()}.{name}", type(section).model_fields[name].title or name
            rows = (standings[rule.name].answer or {}).get("thresholds", [])
            found[field] = Threshold(field, title, rule.title, getattr(section, name), rows)
    return found


def _page(form: Any, stored: service.Stored, **told: Any) -> str:
    return render_template(
        "settings/edit.html",
        form=form,
        stored=stored,
        thresholds=_thresholds({name: standing(Question(name, NOW), utcnow()) for name in BENCHES}),
        rules={rule.name.upper(): rule for rule in RULES},
        changes=list(service.changes()),
        replaced=list(_replaced(stored)),
        policies=stored.policies.all,
        counts=service.count_sites(stored.policies),
        unreadable_policies=stored.unreadable_policies,
        reconciled=list(service.reconciled(stored.policies)),
        **told,
    )
