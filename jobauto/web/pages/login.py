"""Logging in and out."""

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from ...auth import service
from ...auth.throttling import Throttled
from ...storage.configuration import break_glass_admin, issuer
from .. import access, drafts, entering, security_log
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
        entered = service.log_in(
            username, form.password.data or "", access.client(), instead_of=access.session_id()
        )
    except Throttled as slowed:
        security_log.warn("login-slowed", user=service.known(username), seconds=slowed.seconds)
        form.password.errors = [str(slowed)]
        return _page(form), 429, {"Retry-After": str(slowed.seconds)}
    except service.PasswordLapsed:
        security_log.warn("login-lapsed", user=service.known(username))
        form.password.errors = ["This password was not used in time. Ask an administrator for a new one."]
        return _page(form), 401
    except service.WrongLogin:
        security_log.warn("login-failed", user=service.known(username))
        form.password.errors = ["User name or password is wrong."]
        return _page(form), 401
    return entering.go_on(entered, by_issuer=False)


@bp.get("/login/sender")
@access.needs("operator")
@access.ingests
def sender() -> ResponseReturnValue:
    """For nginx, before it takes a large body: 204 for whose role may send one; the gate answers others."""
    return "", 204


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session, here and in the database."""
    if (session_id := access.session_id()) is not None:
        service.log_out(current_user, session_id)
    security_log.tell("logout", user=current_user.username)
    by_issuer = entering.came_by_issuer()
    logout_user()
    session.clear()
    return redirect(url_for("single_sign_on.logged_out" if by_issuer else "auth.login"))


def _page(form: LoginForm) -> str:
    has_ended = "_user_id" in session
    return render_template(
        "login/show.html",
        form=form,
        has_ended=has_ended,
        is_kept=drafts.is_asked_for(access.target()),
        has_issuer=issuer() is not None,
        only_by_issuer=break_glass_admin() != "",
    )
