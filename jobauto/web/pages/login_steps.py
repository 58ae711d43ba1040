"""The steps of a login after the first: a code, setting up a second factor, a new password.

They need no login, but a pending one that waits for just this step: see :mod:`jobauto.auth.steps`.
"""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ...auth import logging_in, second_factor, steps
from ...auth.second_factor import Proposal, ProposalOver, WrongCode
from ...auth.service import PasswordRefused
from ...auth.steps import Entered, LoginOver
from ...auth.throttling import Throttled
from ...clock import utcnow
from .. import access, entering, qr, security_log
from ..forms.login_steps import CodeForm, NewPasswordForm, SetUpForm

bp = Blueprint("login_steps", __name__, url_prefix="/login")


@bp.get("/second-factor")
def code() -> ResponseReturnValue:
    """Ask for a code."""
    found = entering.waiting_for(steps.SECOND_FACTOR)
    return _code_page(CodeForm()) if isinstance(found, Entered) else found


@bp.post("/second-factor")
def code_submit() -> ResponseReturnValue:
    """Take the code."""
    found = entering.waiting_for(steps.SECOND_FACTOR)
    if not isinstance(found, Entered):
        return found
    form, name = CodeForm(), found.user.username
    if not form.validate():
        return _code_page(form), 422
    try:
        entered = logging_in.give_code(found.key, form.code.data or "", access.client())
    except Throttled as slowed:
        security_log.warn("second-factor-slowed", user=name, seconds=slowed.seconds)
        form.code.errors = [slowed.sentence("codes")]
        return _code_page(form), 429, {"Retry-After": str(slowed.seconds)}
    except WrongCode:
        security_log.warn("second-factor-failed", user=name)
        form.code.errors = ["This code is wrong, or was used already. Wait for the next one."]
        return _code_page(form), 422
    except LoginOver:
        return entering.is_over()
    return entering.go_on(entered)


@bp.get("/second-factor/set-up")
def set_up() -> ResponseReturnValue:
    """Show a new secret."""
    found = entering.waiting_for(steps.SET_UP)
    if not isinstance(found, Entered):
        return found
    return _set_up_page(SetUpForm(), second_factor.propose(found.user, utcnow()))


@bp.post("/second-factor/set-up")
def set_up_submit() -> ResponseReturnValue:
    """Take it up, and show the recovery codes."""
    found = entering.waiting_for(steps.SET_UP)
    if not isinstance(found, Entered):
        return found
    form, now = SetUpForm(), utcnow()
    try:
        proposal = second_factor.proposed(found.user, form.sealed.data or "", now)
    except ProposalOver:
        form.code.errors = ["This page was too old. Scan the new picture."]
        return _set_up_page(form, second_factor.propose(found.user, now)), 422
    if not form.validate():
        return _set_up_page(form, proposal), 422
    try:
        entered, codes = logging_in.set_up(found.key, proposal.sealed, form.code.data or "", access.client())
    except WrongCode:
        form.code.errors = ["This is not the code that the app shows now. Is the clock of your phone right?"]
        return _set_up_page(form, proposal), 422
    except LoginOver:
        return entering.is_over()
    security_log.tell("second-factor-on", user=entered.user.username)
    return render_template("login/codes.html", codes=codes, go_on=entering.go_on(entered).location)


@bp.get("/new-password")
def new_password() -> ResponseReturnValue:
    """Ask for a password of one's own."""
    found = entering.waiting_for(steps.NEW_PASSWORD)
    return _password_page(NewPasswordForm()) if isinstance(found, Entered) else found


@bp.post("/new-password")
def new_password_submit() -> ResponseReturnValue:
    """Take it."""
    found = entering.waiting_for(steps.NEW_PASSWORD)
    if not isinstance(found, Entered):
        return found
    form = NewPasswordForm()
    if not form.validate():
        return _password_page(form), 422
    try:
        entered = logging_in.give_new_password(found.key, form.password.data or "", access.client())
    except PasswordRefused as error:
        form.password.errors = [str(error)]
        return _password_page(form), 422
    except LoginOver:
        return entering.is_over()
    security_log.tell("password-changed", user=entered.user.username)
    return entering.go_on(entered)


def _code_page(form: CodeForm) -> str:
    return render_template("login/second_factor.html", form=form)


def _set_up_page(form: SetUpForm, proposal: Proposal) -> str:
    form.sealed.data = proposal.sealed
    return render_template(
        "login/set_up.html", form=form, secret=proposal.secret, picture=qr.as_picture(proposal.uri)
    )


def _password_page(form: NewPasswordForm) -> str:
    return render_template("login/new_password.html", form=form)
