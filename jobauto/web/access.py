"""One gate before every request: who is it, may they, and do they come from our own page."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue, RouteCallable
from flask_login import current_user
from flask_wtf.csrf import CSRFError

from ..audit.service import Author
from ..auth import service, sessions
from ..auth.sessions import Client, Limits
from ..clock import utcnow
from ..extensions import csrf, db, login_manager
from ..models import User, UserSession
from . import rate_limit, security_log

View = TypeVar("View", bound=RouteCallable)

PUBLIC = {
    "auth.login",
    "auth.login_submit",
    "static",
    "bootstrap.static",
    "health.livez",
    "health.healthz",
    "health.metrics",
}
"""Endpoints that need no login. Every other one does, whether or not somebody thought of it."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SHOWN_SESSIONS = 50
_NEEDED_ROLE = "needed_role"


def needs(role: str) -> Callable[[View], View]:
    """Mark a view as one that needs at least this role; without a mark it needs ``viewer``."""

    def mark(view: View) -> View:
        setattr(view, _NEEDED_ROLE, role)
        return view

    return mark


def needed_role(endpoint: str) -> str:
    """The least role that may use an endpoint."""
    role: str = getattr(current_app.view_functions[endpoint], _NEEDED_ROLE, "viewer")
    return role


def init_app(app: Flask) -> None:
    """Put the gate in front of the app."""
    login_manager.user_loader(_by_session)
    login_manager.request_loader(_by_token)
    app.before_request(_gate)
    app.after_request(_keep_out_of_caches)


def current_author() -> Author:
    """Whoever is logged in, now: the author of what this request changes."""
    return Author(current_user.username, utcnow())


def client() -> Client:
    """Whoever sends this request."""
    return Client(request.remote_addr or "", request.user_agent.string, utcnow(), limits())


def limits() -> Limits:
    """How long sessions last, as configured."""
    config = current_app.config
    return Limits(
        idle=timedelta(minutes=config["SESSION_IDLE_MINUTES"]),
        absolute=timedelta(minutes=config["SESSION_MINUTES"]),
    )


def sessions_of(user: User) -> list[UserSession]:
    """A user's sessions that have not ended, for a page: not more than it can show."""
    alive = sessions.sessions_for(user, limits(), utcnow())
    return list(db.session.scalars(alive.limit(SHOWN_SESSIONS)))


def session_id() -> int | None:
    """The session in which this request comes; None for one that brings a token, and for a stranger's."""
    return g.get("session_id") if current_user.is_authenticated else None


def _by_session(key: str) -> User | None:
    # A request that brings a token stands on the token alone: it is exempt from the CSRF check.
    if _stands_on_token():
        return None
    now = utcnow()
    found = sessions.by_key(key, limits(), now)
    if found is None:
        return None
    user, g.session_id = found.user, found.id
    sessions.note_use(found, limits(), now)
    user.session_key = key
    return user


def _stands_on_token() -> bool:
    # On a page, other credentials are for a proxy in front of us, and not ours to judge.
    bearer = request.authorization is not None and request.authorization.type == "bearer"
    return bearer or ("Authorization" in request.headers and request.path.startswith("/api/"))


def _by_token(_request: object) -> User | None:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        return None
    user = service.by_token(authorization.token, utcnow())
    g.by_token = user is not None
    if user is None:
        security_log.warn("token-refused")
    return user


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such page, or not with this method: the error handler answers
    if request.endpoint not in PUBLIC:
        if not current_user.is_authenticated:
            return _ask_to_log_in()
        if not current_user.may(needed_role(request.endpoint)):
            security_log.warn("forbidden", user=current_user.username, needs=needed_role(request.endpoint))
            abort(403, f"This needs the role {needed_role(request.endpoint)}.")
    if request.path.startswith("/api/"):
        rate_limit.count_request(_caller())
    if request.method not in SAFE_METHODS:
        db.session.rollback()  # from here on the body is read, and PostgreSQL ends what stands still for it
        if not g.get("by_token"):
            _require_our_own_form()
    return None


def _require_our_own_form() -> None:
    try:
        csrf.protect()
    except CSRFError as error:
        security_log.warn("csrf-refused", reason=error.description)
        raise


def _caller() -> str:
    if g.get("by_token") and request.authorization is not None:
        return f"token {hash(request.authorization.token)}"
    return f"user {current_user.username}"


def _ask_to_log_in() -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        abort(401, "Log in, or send the header Authorization: Bearer TOKEN.")
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("auth.login", next=None if target == "/" else target))


def _keep_out_of_caches(response: ResponseReturnValue) -> ResponseReturnValue:
    if request.endpoint not in ("static", "bootstrap.static"):
        response.headers.setdefault("Cache-Control", "no-store")  # type: ignore[union-attr]
    return response
