"""Where the browser goes after each step of a login, and what its cookie carries until the session begins."""

from datetime import timedelta

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user
from werkzeug.wrappers import Response

from ..audit import queries as audit
from ..auth import steps
from ..auth.steps import Entered
from ..clock import utcnow
from ..extensions import db
from ..models import User
from . import access, drafts, own_forms, security_log

PAGES = {
    steps.SECOND_FACTOR: "login_steps.code",
    steps.SET_UP: "login_steps.set_up",
    steps.NEW_PASSWORD: "login_steps.new_password",
}
"""The page of each step."""

RESET_IS_TOLD = timedelta(days=30)
_KEY = "pending_login"
_BY_ISSUER = "by_issuer"


def go_on(entered: Entered, *, wanted: str | None = None, by_issuer: bool | None = None) -> Response:
    """Lead to the next step, or into the program: to ``wanted``, or to what the address names as ``next``.

    ``by_issuer`` is how the login began; None after a step, where the cookie knows. Whatever else the cookie
    held is worth nothing after any step.
    """
    by_issuer = session.get(_BY_ISSUER, False) if by_issuer is None else by_issuer
    wanted = request.args.get("next") if wanted is None else wanted
    session.clear()
    if by_issuer:
        session[_BY_ISSUER] = True
    if entered.step is not None:
        session[_KEY] = entered.key
        return redirect(url_for(PAGES[entered.step], next=wanted))
    security_log.tell("login", user=entered.user.username)
    login_user(entered.user)
    own_forms.mark_session(entered.user)
    _tell_of_a_reset(entered.user)
    if wanted is None and (page := drafts.waiting_page(entered.user)):
        return redirect(page)
    return redirect(access.target(wanted))


def waiting_for(step: str) -> Entered | ResponseReturnValue:
    """The pending login of this browser that waits for a step; else where to go instead."""
    found = steps.waiting(session.get(_KEY, ""), utcnow())
    wanted = request.args.get("next")
    if found is None:
        return redirect(url_for("auth.login", next=wanted))
    if found.step == step:
        return found
    # It waits for another one: what it was asked for has changed since, or another tab has gone on.
    return redirect(url_for(PAGES[found.step] if found.step else "auth.login", next=wanted))


def is_over() -> ResponseReturnValue:
    """The pending login has ended: begin anew."""
    session.pop(_KEY, None)
    flash("This login took too long, or was ended. Log in anew.", "warning")
    return redirect(url_for("auth.login", next=request.args.get("next")))


def came_by_issuer() -> bool:
    """Whether this session began at the issuer."""
    return bool(session.get(_BY_ISSUER))


def _tell_of_a_reset(user: User) -> None:
    last = db.session.scalar(audit.last_change("user", user.username, "second_factor"))
    if last is not None and last.after == "reset" and utcnow() - last.at < RESET_IS_TOLD:
        flash(
            f"{last.who} has reset your second factor. If you did not ask for it, tell an administrator. "
            "You set a new one up on the page of your account.",
            "warning",
        )
