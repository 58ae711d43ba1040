"""Profiles: the feeds of the fleet, and how their files are read."""

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...clock import utcnow
from ...errors import InvalidInput
from ...imports.lines import FileError
from ...imports.profiles import feeds, service
from ...imports.profiles.document import Profile
from ...imports.profiles.shipped import SHIPPED
from ...imports.proposing.sample import sample_of
from ...imports.proposing.tables import raw_by
from ...imports.trial import Trial, trial_of
from ...settings import service as settings
from .. import drafts
from ..access import current_author, needs
from ..file_turns import reads_a_file
from ..forms.profiles import ProfileForm
from ..paging import asked_page, page_of_rows

bp = Blueprint("profiles", __name__, url_prefix="/profiles")

EXAMPLE = {
    "file": {"kind": "delimited"},
    "header": {"find": ["MPAN", "Date"]},
    "site": {"column": "MPAN"},
    "time": {"columns": ["Date"], "formats": ["%d/%m/%Y %H:%M"]},
    "value": {"columns": ["Reading (kWh)"]},
}


@bp.get("/")
def index() -> str:
    """All profiles, each with the newest file that came through it."""
    page = page_of_rows(service.listed(), *asked_page())
    return render_template("profiles/index.html", page=page, feeds=feeds.feeds(), now=utcnow())


@bp.get("/new")
@needs("operator")
def new() -> str:
    """A form for a profile, filled with one that is shipped where the address asks for it (``from``)."""
    begins = SHIPPED.get(request.args.get("from", ""))
    document = _as_json(begins.document if begins else EXAMPLE)
    return _page(ProfileForm(drafts.typed(), name=request.args.get("from"), document=document), None)


@bp.post("/new")
@needs("operator")
def new_submit() -> ResponseReturnValue:
    """Save a new profile."""
    return _submit(None)


@bp.get("/new/edit", defaults={"name": "new"})  # whose own address would be that of the page of new ones
@bp.get("/<name>/")
def edit(name: str) -> str:
    """One profile, to be read or changed."""
    stored = service.get(name)
    form = ProfileForm(drafts.typed(), name=stored.name, document=_as_json(stored.document))
    return _page(form, stored)


@bp.post("/new/edit", defaults={"name": "new"})
@bp.post("/<name>/")
@needs("operator")
def edit_submit(name: str) -> ResponseReturnValue:
    """Save a profile."""
    return _submit(service.get(name))


@bp.post("/new/try")
@needs("operator")
@reads_a_file()
def try_out() -> ResponseReturnValue:
    """Show the first rows of a file as the profile in the form understands them. Nothing is stored."""
    form = ProfileForm()
    stored = service.find(form.name.data or "")
    if not form.validate():
        return _page(form, stored), 422
    try:
        return _tried(form, stored, Profile.parsed(_document(form)))
    except InvalidInput as error:
        return _refused(form, stored, error)


@bp.post("/<name>/delete")
@needs("operator")
def delete(name: str) -> ResponseReturnValue:
    """Delete a profile. What was imported through it stays."""
    service.delete(name, current_author())
    flash(f"The profile {name} is deleted. What was imported through it stays.", "success")
    return redirect(url_for(".index"))


def _submit(stored: service.Stored | None) -> ResponseReturnValue:
    form = ProfileForm()
    if stored is not None:
        form.name.data = stored.name
    if not form.validate():
        return _page(form, stored), 422
    try:
        saved = service.save(form.name.data or "", _document(form), current_author())
    except InvalidInput as error:
        return _refused(form, stored, error)
    flash(f"The profile {saved.name} is saved.", "success")
    return redirect(url_for(".edit", name=saved.name))


def _document(form: ProfileForm) -> Any:
    try:
        return json.loads(form.document.data or "")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("This is not JSON.") from error


def _refused(form: ProfileForm, stored: service.Stored | None, error: InvalidInput) -> ResponseReturnValue:
    told = [f"{name}: {' '.join(why)}" for name, why in error.fields.items()]
    form.document.errors = told or [str(error)]
    return _page(form, stored), error.status


def _tried(form: ProfileForm, stored: service.Stored | None, profile: Profile) -> ResponseReturnValue:
    sample = form.sample.data
    if not sample:
        form.sample.errors = ["Choose a file to try it on."]
        return _page(form, stored), 422
    zone = settings.current().settings.schedule.zone
    try:
        found = sample_of(sample.stream, sample.filename or "")
        trial = trial_of(found, profile, raw_by(found, profile), zone, utcnow())
    except FileError as error:
        form.sample.errors = [str(error)]
        return _page(form, stored), 422
    return _page(form, stored, trial)


def _page(form: ProfileForm, stored: service.Stored | None, trial: Trial | None = None) -> str:
    history: list[Any] = page_of_rows(service.history(stored.name), 1, 20).items if stored else []
    return render_template(
        "profiles/edit.html",
        form=form,
        stored=stored,
        trial=trial,
        shipped=SHIPPED,
        begins=SHIPPED.get(request.args.get("from", "")),
        history=history,
        may_change=current_user.may("operator"),
    )


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
