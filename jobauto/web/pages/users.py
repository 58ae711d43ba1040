"""People and their accounts, for admins."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...auth import service as auth
from ...errors import InvalidInput
from ...extensions import db
from ...models import User
from ...users import queries, service
from .. import access, security_log
from ..access import current_author, needs
from ..forms.users import NewUserForm, PasswordForm, UserForm, id_in

bp = Blueprint("users", __name__, url_prefix="/users")

ACTIONS = ("role", "password", "activate", "deactivate", "revoke", "sessions")


@bp.get("/")
@needs("admin")
def index() -> ResponseReturnValue:
    """Everybody, and the form for a new account."""
    return _list(NewUserForm())


@bp.post("/")
@needs("admin")
def create() -> ResponseReturnValue:
    """Make an account."""
    form = NewUserForm()
    if not form.validate():
        return _list(form), 422
    try:
        user = auth.create_user(
            form.username.data or "", form.password.data or "", form.role.data, current_author()
        )
    except auth.AccountError as error:
        field = form.password if isinstance(error, auth.PasswordRefused) else form.username
        field.errors = [str(error)]
        return _list(form), 422
    security_log.tell("user-created", user=user.username, role=user.role, by=current_user.username)
    flash(f"Created {user.username}.", "success")
    return redirect(url_for(".index"))


@bp.get("/<username>")
@needs("admin")
def show(username: str) -> ResponseReturnValue:
    """One account: role, state, password, tokens, and what was changed of it."""
    return _account(_user(username))


@bp.post("/<username>")
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
        service.set_role(user.username, form.role.data, author=current_author())
    elif action == "password" and isinstance(form, PasswordForm):
        auth.set_password(user.username, form.password.data or "", current_author())
    elif action in ("activate", "deactivate"):
        service.set_active(user.username, action == "activate", author=current_author())
    elif action == "revoke":
        service.revoke_token(id_in("token_id"), author=current_author(), owner=user.username)
    elif action == "sessions":
        service.end_sessions(user.username, author=current_author())


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
        sessions=access.sessions_of(user),
        history=db.session.scalars(audit.events_for("user", user.username)).all(),
    )
