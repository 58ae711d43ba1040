"""Logging in and out."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from ...auth import service
from ...auth.throttling import Throttled
from .. import access, drafts, own_forms, security_log
from ..forms.login import LoginForm

bp = Blueprint("auth", __name__)


@bp.get("/login")
def login() -> ResponseReturnValue:
    """The form."""
    if current_user.is_authenticated:
        return redirect(access.target())
    return _page(LoginForm())


@bp.post("/login")
def login_submit() -> ResponseReturnValue:
    """Take it. Which of the two was wrong is not told, nor whether there is such a user."""
    form = LoginForm()
    if not form.validate():
        return _page(form), 422
    username = form.username.data or ""
    try:
        user = service.log_in(
            username, form.password.data or "", access.client(), instead_of=access.session_id()
        )
    except Throttled as slowed:
        security_log.warn("login-slowed", user=service.known(username), seconds=slowed.seconds)
        form.password.errors = [str(slowed)]
        return _page(form), 429, {"Retry-After": str(slowed.seconds)}
    except service.WrongLogin:
        security_log.warn("login-failed", user=service.known(username))
        form.password.errors = ["User name or password is wrong."]
        return _page(form), 401
    security_log.tell("login", user=user.username)
    session.clear()  # nothing that was known before the login is worth anything after it
    login_user(user)
    own_forms.mark_session(user)
    if "next" not in request.args and (page := drafts.waiting_page(user)):
        return redirect(page)
    return redirect(access.target())


@bp.get("/login/sender")
def sender() -> ResponseReturnValue:
    """For nginx, before it takes a large body: 204 for whoever is logged in; the gate answers strangers."""
    return "", 204


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session, here and in the database."""
    if (session_id := access.session_id()) is not None:
        service.log_out(current_user, session_id)
    security_log.tell("logout", user=current_user.username)
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


def _page(form: LoginForm) -> str:
    has_ended = "_user_id" in session
    return render_template(
        "login/show.html", form=form, has_ended=has_ended, is_kept=drafts.is_asked_for(access.target())
    )
