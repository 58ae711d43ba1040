"""People, for admins; and everybody's own account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from wtforms import Field

from ..audit import queries as audit
from ..audit.service import Author
from ..auth import access, security_log, sessions
from ..auth import service as auth
from ..auth.access import needs
from ..auth.slowing import Slowed
from ..clock import utcnow
from ..detection.rules.rule import counted
from ..errors import InvalidInput
from ..extensions import db
from ..models import User, UserSession
from ..models.event import SUBJECTS
from ..paging import asked_page, page_up_to
from . import queries, service
from .forms import NewUserForm, OwnPasswordForm, PasswordForm, SessionsForm, TokenForm, UserForm

bp = Blueprint("users", __name__)

OwnForm = OwnPasswordForm | TokenForm | SessionsForm
SHOWN_SESSIONS = 50

ACTIONS = ("role", "password", "activate", "deactivate", "revoke", "sessions")


def _me() -> Author:
    return Author(current_user.username, utcnow())


@bp.get("/users/")
@needs("admin")
def index() -> ResponseReturnValue:
    """Everybody, and the form for a new account."""
    return _list(NewUserForm())


@bp.post("/users/")
@needs("admin")
def create() -> ResponseReturnValue:
    """Make an account."""
    form = NewUserForm()
    if not form.validate():
        return _list(form), 422
    try:
        user = auth.create_user(form.username.data or "", form.password.data or "", form.role.data, _me())
    except auth.AccountError as error:
        field = form.password if isinstance(error, auth.PasswordRefused) else form.username
        field.errors = [str(error)]
        return _list(form), 422
    security_log.tell("user-created", user=user.username, role=user.role, by=current_user.username)
    flash(f"Created {user.username}.", "success")
    return redirect(url_for(".index"))


@bp.get("/users/<username>")
@needs("admin")
def show(username: str) -> ResponseReturnValue:
    """One account: role, state, password, tokens, and what was changed of it."""
    return _account(_user(username))


@bp.post("/users/<username>")
@needs("admin")
def change(username: str) -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    user = _user(username)
    action = request.form.get("action", "")
    if action not in ACTIONS:
        raise InvalidInput(f"There is no action {action}.", status=400)
    form = PasswordForm() if action == "password" else UserForm()
    if action in ("password", "role") and not form.validate():
        return _account(user, form), 422
    try:
        _apply(user, action, form)
    except InvalidInput as error:
        flash(str(error), "danger")
        return _account(_user(username)), error.status
    except auth.PasswordRefused as error:
        form.password.errors = [str(error)]
        return _account(user, form), 422
    security_log.tell(f"user-{action}", user=username, by=current_user.username)
    flash("Saved.", "success")
    return redirect(url_for(".show", username=username))


def _apply(user: User, action: str, form: UserForm | PasswordForm) -> None:
    if action == "role" and isinstance(form, UserForm):
        service.set_role(user.username, form.role.data, author=_me())
    elif action == "password" and isinstance(form, PasswordForm):
        auth.set_password(user.username, form.password.data or "", _me())
    elif action in ("activate", "deactivate"):
        service.set_active(user.username, action == "activate", author=_me())
    elif action == "revoke":
        service.revoke_token(_id_in("token_id"), author=_me(), owner=user.username)
    elif action == "sessions":
        service.end_sessions(user.username, author=_me())


@bp.get("/account")
def account() -> ResponseReturnValue:
    """Everybody's own password, sessions and tokens."""
    return _own()


@bp.post("/account")
def account_change() -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    actions = {"token": _new_token, "password": _new_password, "sessions": _end_sessions}
    return actions.get(request.form.get("action", ""), _revoke)()


@bp.get("/audit/")
@needs("admin")
def audit_log() -> ResponseReturnValue:
    """Who changed what, newest first."""
    chosen = {name: request.args.get(name, "").strip() for name in ("who", "subject", "subject_id")}
    page = page_up_to(audit.matching(**chosen), *asked_page())
    return render_template("users/audit.html", page=page, chosen=chosen, subjects=SUBJECTS)


def _new_token() -> ResponseReturnValue:
    form = TokenForm()
    if not form.validate():
        return _own(form), 422
    token = auth.issue_token(current_user.username, form.name.data or "", _me())
    security_log.tell("token-created", user=current_user.username)
    return _own(new_token=token)


def _revoke() -> ResponseReturnValue:
    service.revoke_token(_id_in("token_id"), author=_me(), owner=current_user.username)
    security_log.tell("token-revoked", user=current_user.username)
    flash("Revoked.", "success")
    return redirect(url_for(".account"))


def _new_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if not form.validate():
        return _own(form), 422
    current, new = form.current.data or "", form.password.data or ""
    try:
        user = auth.change_own_password(_myself(), current, new, access.client())
    except auth.PasswordRefused as error:
        form.password.errors = [str(error)]
        return _own(form), 422
    except (auth.WrongLogin, Slowed) as error:
        return _unproven(form, form.current, error)
    security_log.tell("password-changed", user=user.username)
    login_user(user)  # this session goes on under a new key; all others have ended
    flash("Your password is changed. Your other sessions have ended.", "success")
    return redirect(url_for(".account"))


def _end_sessions() -> ResponseReturnValue:
    form = SessionsForm()
    if not form.validate():
        return _own(form), 422
    chosen = [int(text) for text in request.form.getlist("session_id") if _is_id(text)]
    try:
        ended = auth.end_own_sessions(_myself(), chosen, form.confirm.data or "", access.client())
    except (auth.WrongLogin, Slowed) as error:
        return _unproven(form, form.confirm, error)
    security_log.tell("sessions-ended", user=current_user.username, count=ended)
    flash(f"Ended {counted(ended, 'session')}." if ended else "No session was ended: tick some.", "success")
    return redirect(url_for(".account"))


def _unproven(form: OwnForm, field: Field, error: auth.WrongLogin | Slowed) -> ResponseReturnValue:
    if isinstance(error, Slowed):
        security_log.warn("password-check-slowed", user=current_user.username, seconds=error.seconds)
        field.errors = [str(error)]
        return _own(form), 429, {"Retry-After": str(error.seconds)}
    security_log.warn("password-check-failed", user=current_user.username)
    field.errors = ["This is not your current password."]
    return _own(form), 422


def _myself() -> User:
    return _user(current_user.username)


def _id_in(field: str) -> int:
    text = request.form.get(field, "")
    return int(text) if _is_id(text) else 0


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _user(username: str) -> User:
    try:
        return auth.by_name(username)
    except auth.AccountError as error:
        raise InvalidInput(str(error), status=404) from error


def _list(form: NewUserForm) -> str:
    return render_template("users/index.html", form=form, users=db.session.scalars(queries.all_users()).all())


def _account(user: User, typed: UserForm | PasswordForm | None = None) -> str:
    return render_template(
        "users/show.html",
        account=user,
        form=typed if isinstance(typed, UserForm) else UserForm(formdata=None, obj=user),
        password_form=typed if isinstance(typed, PasswordForm) else PasswordForm(formdata=None),
        tokens=db.session.scalars(queries.tokens(user)).all(),
        sessions=_sessions(user),
        history=db.session.scalars(audit.of("user", user.username)).all(),
    )


def _own(typed: OwnForm | None = None, new_token: str | None = None) -> str:
    """The page, with the one form that somebody has filled in, the others empty."""

    def form(kind: type[OwnForm]) -> OwnForm:
        return typed if isinstance(typed, kind) else kind(formdata=None)

    return render_template(
        "users/account.html",
        password_form=form(OwnPasswordForm),
        token_form=form(TokenForm),
        sessions_form=form(SessionsForm),
        new_token=new_token,
        tokens=db.session.scalars(queries.tokens(current_user)).all(),
        sessions=_sessions(current_user),
        this_session=access.session_id(),
    )


def _sessions(user: User) -> list[UserSession]:
    alive = sessions.of(user, access.limits(), utcnow())
    return list(db.session.scalars(alive.limit(SHOWN_SESSIONS)))
