"""One's own second factor, beside one's account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...auth import own_second_factor, second_factor
from ...auth import service as auth
from ...auth.own_second_factor import SecondFactorNeeded
from ...auth.second_factor import Proposal, ProposalOver, WrongCode
from ...auth.throttling import Throttled
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...storage.configuration import second_factor_roles
from .. import access, qr, security_log
from ..forms.login_steps import CodeForm, ConfirmForm, SetUpForm
from ..recent_login import LOG_IN_AGAIN, asked_for, refused_unless_right

bp = Blueprint("second_factor", __name__)


@bp.get("/account/second-factor")
def show() -> ResponseReturnValue:
    """What is set up, and what can be done about it."""
    return _page()


@bp.post("/account/second-factor")
def change() -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    actions = {"begin": _begin, "set_up": _set_up, "codes": _with_code, "off": _with_code}
    action = request.form.get("action", "")
    if action not in actions:
        raise InvalidInput(f"There is no action {action}.", status=400)
    return actions[action]()


def _begin() -> ResponseReturnValue:
    if second_factor.of(current_user) is not None:
        return redirect(url_for(".show"))
    form = ConfirmForm()
    if auth.password_counts(current_user):
        if not form.validate():
            return _page(confirm_form=form), 422
        if refused := refused_unless_right(form.confirm):
            return _page(confirm_form=form), *refused
    elif not access.is_login_recent():
        flash(LOG_IN_AGAIN, "warning")
        return redirect(url_for(".show"))
    return _set_up_page(SetUpForm(formdata=None), second_factor.propose(current_user, utcnow()))


def _set_up() -> ResponseReturnValue:
    form, now = SetUpForm(), utcnow()
    try:
        proposal = second_factor.proposed(current_user, form.sealed.data or "", now)
        if not form.validate():
            return _set_up_page(form, proposal), 422
        codes = own_second_factor.set_up(
            current_user.id, proposal.sealed, form.code.data or "", access.client()
        )
    except ProposalOver:
        flash("Nothing was set up: the page was too old. Begin anew.", "warning")
        return redirect(url_for(".show"))
    except WrongCode:
        form.code.errors = ["This is not the code that the app shows now. Is the clock of your phone right?"]
        return _set_up_page(form, proposal), 422
    access.keep_known()
    security_log.tell("second-factor-on", user=current_user.username)
    return _codes_page(codes)


def _with_code() -> ResponseReturnValue:
    form, codes = CodeForm(), None
    if not form.validate():
        return _page(code_form=form), 422
    given = (current_user.id, form.code.data or "", access.client())
    try:
        if request.form["action"] == "codes":
            codes = own_second_factor.renew_recovery_codes(*given)
        else:
            own_second_factor.switch_off(*given)
    except SecondFactorNeeded:
        form.code.errors = [f"The role {current_user.role} needs a second factor."]
        return _page(code_form=form), 409
    except Throttled as error:
        security_log.warn("second-factor-slowed", user=current_user.username, seconds=error.seconds)
        form.code.errors = [error.sentence("codes")]
        return _page(code_form=form), 429, {"Retry-After": str(error.seconds)}
    except WrongCode:
        security_log.warn("second-factor-failed", user=current_user.username)
        form.code.errors = ["This code is wrong, or was used already. Wait for the next one."]
        return _page(code_form=form), 422
    if codes is not None:
        security_log.tell("recovery-codes-renewed", user=current_user.username)
        return _codes_page(codes)
    access.keep_known()
    security_log.tell("second-factor-off", user=current_user.username)
    flash("Your second factor is off.", "success")
    return redirect(url_for(".show"))


def _page(confirm_form: ConfirmForm | None = None, code_form: CodeForm | None = None) -> str:
    last = db.session.scalar(audit.last_change("user", current_user.username, "second_factor"))
    return render_template(
        "account/second_factor.html",
        second_factor=second_factor.of(current_user),
        codes_left=second_factor.recovery_codes_left(current_user),
        is_needed=current_user.role in second_factor_roles(),
        reset=last if last is not None and last.after == "reset" else None,
        confirm_form=confirm_form or ConfirmForm(formdata=None),
        code_form=code_form or CodeForm(formdata=None),
        has_password=auth.password_counts(current_user),
        asks_for=asked_for(),
    )


def _set_up_page(form: SetUpForm, proposal: Proposal) -> str:
    form.sealed.data = proposal.sealed
    return render_template(
        "account/set_up.html", form=form, secret=proposal.secret, picture=qr.as_picture(proposal.uri)
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("account/codes.html", codes=codes)
