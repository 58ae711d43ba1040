"""One gate before every request: who is it, may they, and do they come from our own page."""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue, RouteCallable
from flask_login import current_user

from ..clock import utcnow
from ..extensions import csrf, login_manager
from ..models import User
from . import service

View = TypeVar("View", bound=RouteCallable)

PUBLIC = {"auth.login", "auth.login_submit", "static", "bootstrap.static", "health.healthz", "health.metrics"}
"""Endpoints that need no login. Every other one does, whether or not somebody thought of it."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
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


def _by_session(session_key: str) -> User | None:
    # A request that brings a token stands on the token alone: it is exempt from the CSRF check.
    return None if _stands_on_token() else service.by_session_key(session_key)


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
    return user


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such page, or not with this method: the error handler answers
    if request.endpoint not in PUBLIC:
        if not current_user.is_authenticated:
            return _ask_to_log_in()
        if not current_user.may(needed_role(request.endpoint)):
            abort(403, f"This needs the role {needed_role(request.endpoint)}.")
    if request.method not in SAFE_METHODS and not g.get("by_token"):
        csrf.protect()
    return None


def _ask_to_log_in() -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        abort(401, "Log in, or send the header Authorization: Bearer TOKEN.")
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("auth.login", next=None if target == "/" else target))


def _keep_out_of_caches(response: ResponseReturnValue) -> ResponseReturnValue:
    if request.endpoint not in ("static", "bootstrap.static"):
        response.headers.setdefault("Cache-Control", "no-store")  # type: ignore[union-attr]
    return response
