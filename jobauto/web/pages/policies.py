"""Policies: what differs for some groups and sites. Seen by everybody, changed by admins."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...settings import service
from ...settings.policies import SECTIONS, Policy
from ...settings.schema import Errors, SettingsError
from .. import drafts
from ..access import current_author, needs
from ..forms.policies import NewPolicyForm, policy_form
from ..numbers import whole_number

bp = Blueprint("policies", __name__, url_prefix="/policies")

NO_VERSION = 0
"""What nonsense stands for: a version that never was."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """All policies: what differs, and for how many sites."""
    return _list(NewPolicyForm(drafts.typed()))


@bp.post("/")
@needs("admin")
def create() -> ResponseReturnValue:
    """Make a policy that changes nothing yet, and lead to its settings."""
    form = NewPolicyForm()
    name = (form.name.data or "").strip()
    if service.current().policies.named(name):
        return _list(form, {"name": [f"There is a policy {name} already."]}), 422
    try:
        policy = Policy.parsed(name, form.content())
        service.put_policy(policy, author=current_author(), seen=service.current().version)
    except SettingsError as error:
        return _list(form, error.fields), 422
    except service.StaleSettings:
        return _list(form, {"name": [f"There is a policy {name} already."]}), 409
    flash(f"Policy {name} was made. Say below what differs.", "success")
    return redirect(url_for(".edit", name=name))


@bp.get("/<name>")
def edit(name: str) -> ResponseReturnValue:
    """One policy: what it says, and of which groups and sites."""
    stored = service.current()
    policy = _policy_or_404(stored, name)
    return _page(stored, policy, policy_form(policy, stored.version, stored.settings, drafts.typed()))


@bp.post("/<name>")
@needs("admin")
def edit_submit(name: str) -> ResponseReturnValue:
    """Save it, or take it away; its ``action`` is ``save`` or ``delete``."""
    stored = service.current()
    policy = _policy_or_404(stored, name)
    form: Any = policy_form(policy, stored.version, stored.settings)
    seen = whole_number(str(form.version.data)) or NO_VERSION
    change: dict[str, Any] = {"author": current_author(), "seen": seen}
    try:
        if request.form.get("action") == "delete":
            service.delete_policy(name, **change)
            flash(f"Policy {name} is deleted. The fleet's settings hold from the next run on.", "success")
            return redirect(url_for(".index"))
        saved = service.put_policy(Policy.parsed(name, form.content()), **change)
    except SettingsError as error:
        return _page(stored, policy, form, general=form.show(error.fields), wrong=len(error.fields)), 422
    except service.StaleSettings:
        form.version.data = stored.version
        return _page(stored, policy, form, moved=True), 409
    if saved.version == stored.version:
        flash("Nothing was changed.", "info")
    else:
        flash("Policy saved. It counts from the next run on.", "success")
    return redirect(url_for(".edit", name=name))


def _policy_or_404(stored: service.Stored, name: str) -> Policy:
    found = stored.policies.named(name)
    if found is None:
        abort(404, f"There is no policy {name}.")
    return found


def _list(form: NewPolicyForm, errors: Errors | None = None) -> str:
    policies = service.current().policies
    general = form.show(errors) if errors else []
    counts = service.count_sites(policies)
    return render_template(
        "policies/index.html", policies=policies.all, counts=counts, form=form, general=general
    )


def _page(stored: service.Stored, policy: Policy, form: Any, **told: Any) -> str:
    count = service.count_sites(stored.policies)[policy.name]
    return render_template(
        "policies/edit.html", policy=policy, form=form, count=count, sections=list(SECTIONS), **told
    )
