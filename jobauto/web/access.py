"""One gate before every request: who is it, may they, and do they come from our own page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, abort, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue, RouteCallable
from flask_login import current_user, user_logged_in
from flask_wtf.csrf import CSRFError

from ..audit.service import Author
from ..auth import sessions, tokens
from ..auth.service import SessionOver
from ..auth.sessions import RECENT, Client, Limits
from ..clock import utcnow
from ..extensions import db
from ..models import ApiToken, User, UserSession
from . import (
    body_limits,
    devices,
    drafts,
    form_parser,
    idempotency,
    own_forms,
    rate_limit,
    security_log,
    static_files,
)
from .extensions import login_manager

View = TypeVar("View", bound=RouteCallable)

PUBLIC = {
    "auth.login",
    "auth.login_submit",
    "login_steps.new_password",  # these are for a pending login, and look whether there is one
    "login_steps.new_password_submit",
    "login_steps.code",
    "login_steps.code_submit",
    "login_steps.set_up",
    "login_steps.set_up_submit",
    "single_sign_on.begin",
    "single_sign_on.callback",
    "single_sign_on.logged_out",
    "health.livez",
    "health.healthz",
    "health.metrics",
} | static_files.ENDPOINTS
"""Endpoints that need no login. Every other one does, whether or not somebody thought of it."""

ASKED_BY_MACHINES = {"auth.sender"}
"""Pages that answer a stranger with 401, and do not lead to the login."""

BESIDE_THE_API = {"health.metrics", "auth.sender"}
"""What a token opens outside of ``/api/``: the second says only that its user may send much."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SHOWN_SESSIONS = 50
_NEEDED_ROLE = "needed_role"
_INGESTS = "ingests"
_LOG_IN = "Log in, or send the header Authorization: Bearer TOKEN."


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


def ingests(view: View) -> View:
    """Mark a view as one that scripts need that bring readings and sites."""
    setattr(view, _INGESTS, True)
    return view


def scopes_for(endpoint: str, method: str) -> tuple[str, ...]:
    """The scopes of tokens that open an endpoint of the API, or one beside it: of others, none does."""
    read = ("read",) if method in SAFE_METHODS else ()
    ingest = ("ingest",) if getattr(current_app.view_functions[endpoint], _INGESTS, False) else ()
    return (*read, *ingest, "full")


def init_app(app: Flask) -> None:
    """Put the gate in front of the app."""
    login_manager.user_loader(_by_session)
    login_manager.request_loader(_by_token)
    user_logged_in.connect(_note_login, app)
    app.before_request(_gate)
    app.register_error_handler(SessionOver, _session_over)
    app.after_request(_remember_browser)
    idempotency.init_app(app)
    app.after_request(_keep_out_of_caches)


def current_author() -> Author:
    """Whoever is logged in, now: the author of what this request changes."""
    return Author(current_user.username, utcnow(), token_name())


def token_name() -> str | None:
    """How the audit log names the token of this request; None where it has none."""
    token: ApiToken | None = g.get("token")
    return token.describe() if token is not None else None


def client() -> Client:
    """Whoever sends this request."""
    address, agent = request.remote_addr or "", request.user_agent.string
    return Client(address, agent, utcnow(), limits(), devices.device_of_request())


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


def is_login_recent() -> bool:
    """Whether the password was given in this session a short while ago."""
    proven_at: datetime | None = g.get("proven_at")
    return session_id() is not None and proven_at is not None and utcnow() - proven_at <= RECENT


def note_proof(now: datetime) -> None:
    """Let the rest of this request know that the password was given."""
    g.proven_at = now


def keep_known() -> None:
    """Let the browser of this request be known anew: what was asked for at its login is another now."""
    g.logged_in = True


def _by_session(key: str) -> User | None:
    # A request that brings a token stands on the token alone: it is exempt from the CSRF check.
    if _stands_on_token():
        return None
    now = utcnow()
    found = sessions.by_key(key, limits(), now)
    if found is None:
        return None
    user, g.session_id, g.proven_at = found.user, found.id, found.proven_at
    sessions.note_use(found, limits(), now)
    user.session_key = key
    return user


def _stands_on_token() -> bool:
    # On a page, credentials in a header are for a proxy in front of us, and not ours to judge.
    if request.path.startswith("/api/"):
        return "Authorization" in request.headers
    return request.endpoint in BESIDE_THE_API and _bearer() is not None


def _bearer() -> str | None:
    try:
        authorization = request.authorization
    except ValueError:  # Werkzeug's own, of a password that is no ASCII
        return None
    return authorization.token if authorization is not None and authorization.type == "bearer" else None


def _by_token(_request: object) -> User | None:
    bearer = _bearer()
    if not bearer or not _stands_on_token():
        return None
    g.token = tokens.by_token(bearer, utcnow())
    if g.token is None:
        security_log.warn("token-refused")
        return None
    user: User = g.token.user
    return user


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such page, or not with this method: the error handler answers
    if request.endpoint not in PUBLIC:
        if not current_user.is_authenticated:
            return _ask_to_log_in()
        _require_role(needed_role(request.endpoint))
        if (token := g.get("token")) is not None:
            require_scope(token)
        body_limits.allow_body()
    _count()
    if request.method in SAFE_METHODS:
        is_page = request.endpoint not in PUBLIC and not request.path.startswith("/api/")
        if is_page and session_id() is not None:
            own_forms.mark_session(current_user)
        return None
    return _take_body()


def _take_body() -> ResponseReturnValue | None:
    db.session.rollback()  # from here on the body is read, and PostgreSQL ends what stands still for it
    body_limits.require_whole()
    body_limits.check_unmeasured()
    if g.get("token") is None:
        try:
            own_forms.require_own_form()
        except CSRFError as error:
            return _lead_on() or own_forms.refuse(error)
        form_parser.require_no_json()
    if request.endpoint in PUBLIC:
        return None
    if request.path.startswith("/api/"):
        request.get_data()
    look_again()
    return idempotency.answer_of_the_first()


def look_again() -> None:
    """Refuse whose session, token or role has ended since the gate, in what may have taken long.

    A body comes as slowly as its sender likes, and a password waits for its turn. Raises SessionOver.
    """
    db.session.rollback()  # what was read before is read anew
    token: ApiToken | None = g.get("token")
    if token is not None:
        is_over = token.revoked_at is not None
    else:
        is_over = db.session.get(UserSession, session_id()) is None
    if is_over and request.path.startswith("/api/"):
        abort(401, _LOG_IN)
    if is_over:
        raise SessionOver
    _require_role(needed_role(request.endpoint or ""))


def _session_over(_error: SessionOver) -> ResponseReturnValue:
    idempotency.give_back()
    return _ask_to_log_in()


def _count() -> None:
    if request.path.startswith("/api/"):
        rate_limit.count_request(caller())
    elif request.endpoint not in PUBLIC:
        rate_limit.count_page(caller())


def _require_role(role: str) -> None:
    if not current_user.may(role):
        security_log.warn("forbidden", user=current_user.username, needs=role)
        abort(403, f"This needs the role {role}.")


def require_scope(token: ApiToken) -> None:
    """Refuse what a token may not be used for, with 403."""
    allowed = scopes_for(request.endpoint or "", request.method)
    if token.scope not in allowed:
        security_log.warn("forbidden", user=token.user.username, token=token.id, scope=token.scope)
        abort(403, f"This needs a token of the scope {' or '.join(allowed)}.")


def _lead_on() -> ResponseReturnValue | None:
    """Where a form of an older session leads, which is never taken; None for one that may not be ours."""
    if request.path.startswith("/api/") or request.endpoint == "auth.logout":
        return None
    if not own_forms.is_of_an_older_session():
        return None
    whose = own_forms.whose()
    if request.endpoint == "auth.login_submit" and whose is None:
        if current_user.is_authenticated:
            flash(f"You are logged in already, as {current_user.username}.", "info")
            return redirect(target())
        flash("This page was older than your last login or logout. Log in here.", "warning")
        return redirect(url_for("auth.login", next=request.args.get("next")))
    if current_user.is_authenticated and whose is not None and whose.id == current_user.id:
        return drafts.back_to_the_page(whose)
    return None


def target(given: str | None = None) -> str:
    """The page that asked for the login, if it is one of ours; ``given``, or what the address names."""
    wanted = request.args.get("next", "") if given is None else given
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    # Split only then: of what names a host, some cannot be split at all.
    if is_local and wanted.isprintable() and ".." not in unquote(urlsplit(wanted).path).split("/"):
        return request.root_path + wanted
    return url_for("dashboard.show")


def caller() -> str:
    """Whose requests are counted: a token's, or a user's."""
    if (token := g.get("token")) is not None:
        return f"token {token.id}"
    return f"user {current_user.username}"


def _ask_to_log_in() -> ResponseReturnValue:
    if request.path.startswith("/api/") or request.endpoint in ASKED_BY_MACHINES:
        abort(401, _LOG_IN)
    if request.method in SAFE_METHODS:
        return redirect(drafts.login_address(request.full_path.rstrip("?")))
    db.session.rollback()
    is_kept = request.endpoint != "auth.logout" and drafts.is_small() and _has_logged_in_before()
    whose = own_forms.whose() if is_kept else None
    if whose is None:
        if request.endpoint != "auth.logout":
            flash(drafts.NOT_LOGGED_IN, "warning")
        return redirect(url_for("auth.login"))
    flash(drafts.SESSION_ENDED, "warning")
    return redirect(drafts.login_address(drafts.keep_for(whose)))


def _has_logged_in_before() -> bool:
    # What a form takes to be read is many times its size: that is not for anybody to cause.
    return "_user_id" in session or devices.device_of_request() is not None


def _note_login(_app: Flask, **_: object) -> None:
    keep_known()


def _remember_browser(response: Response) -> Response:
    if g.get("logged_in") and current_user.is_authenticated:
        # The cookie of the session comes first: there are scripts that look at no other.
        current_app.session_interface.save_session(current_app, session, response)
        session.modified = False
        devices.remember(response, current_user)
    return response


def _keep_out_of_caches(response: ResponseReturnValue) -> ResponseReturnValue:
    # Those of files have one already: see static_files.
    response.headers.setdefault("Cache-Control", "no-store")  # type: ignore[union-attr]
    return response
