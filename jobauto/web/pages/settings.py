"""The settings page: seen by everybody, changed by admins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit.conflicts import Conflict
from ...clock import utcnow
from ...rules import RULES
from ...settings import service
from ...settings.labels import format_value, label
from ...settings.schema import SettingsError
from .. import drafts
from ..access import needs
from ..forms.settings import settings_form
from ..numbers import whole_number

bp = Blueprint("settings", __name__, url_prefix="/settings")

NO_VERSION = 0
"""What nonsense stands for: a version that never was."""


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
        return _page(form, stored, general=form.show(error.fields), wrong=len(error.fields)), 422
    except service.StaleSettings as error:
        return _moved(form, seen, error.conflicts), 409
    if saved.version == stored.version:
        flash("Nothing was changed: these settings are in force already.", "info")
    else:
        flash("Settings saved. They count from the next run on.", "success")
    return redirect(url_for(".edit"))


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
        Difference(label(f"{section}.{name}"), format_value(value), format_value(typed[section][name]))
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
        instead = format_value(values[name]) if name in values else None
        yield Replaced(label(found.field), format_value(found.value), found.why, instead)


def _page(form: Any, stored: service.Stored, **told: Any) -> str:
    return render_template(
        "settings/edit.html",
        form=form,
        stored=stored,
        rules={rule.name.upper(): rule for rule in RULES},
        changes=list(service.changes()),
        replaced=list(_replaced(stored)),
        policies=stored.policies.all,
        counts=service.count_sites(stored.policies),
        unreadable_policies=stored.unreadable_policies,
        reconciled=list(service.reconciled(stored.policies)),
        **told,
    )
