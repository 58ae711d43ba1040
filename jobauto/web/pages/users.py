"""People and their accounts, for admins."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...audit.conflicts import EditConflict
from ...auth import service as auth
from ...errors import InvalidInput
from ...extensions import db
from ...models import User
from ...users import queries, service
from ...wording import pluralize
from .. import access, drafts, security_log
from ..access import current_author, needs
from ..forms.seen import Conflicts, labelled, seen_in_request, seen_to_send
from ..forms.users import NewUserForm, PasswordForm, UserForm, id_in

bp = Blueprint("users", __name__, url_prefix="/users")

ACTIONS = ("role", "password", "activate", "deactivate", "revoke", "sessions")


@bp.get("/")
@needs("admin")
def index() -> ResponseReturnValue:
    """Everybody, and the form for a new account."""
    return _list(NewUserForm(drafts.typed()))


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
        done = _apply(user, action, form)
    except EditConflict as error:
        user = _user(username)
        return _account(user, form, conflicts=labelled(form, error.conflicts)), error.status
    except InvalidInput as error:
        flash(str(error), "danger")
        return _account(_user(username)), error.status
    except auth.PasswordRefused as error:
        form.password.errors = [str(error)]
        return _account(user, form), 422
    if done is None:
        flash("Nothing was changed.", "info")
    else:
        security_log.tell(f"user-{action}", user=username, by=current_user.username)
        flash(done, "success")
    return redirect(url_for(".show", username=username))


def _apply(user: User, action: str, form: UserForm | PasswordForm) -> str | None:
    """What was done, in a sentence; None where it was so already."""
    name, author = user.username, current_author()
    if action == "role" and isinstance(form, UserForm):
        changed = service.set_role(name, form.role.data, author=author, seen=seen_in_request(form.KEPT))
        return f"{name} has the role {form.role.data} now." if changed else None
    if action in ("activate", "deactivate"):
        changed = service.set_active(name, action == "activate", author=author)
        return f"{name} is {action}d." if changed else None
    if action == "revoke":
        revoked = service.revoke_token(id_in("token_id"), author=author, owner=name)
        return "The token is revoked." if revoked else None
    if action == "sessions":
        ended = service.end_sessions(name, author=author)
        return f"Ended {pluralize(ended, 'session')} of {name}." if ended else None
    auth.set_password(name, form["password"].data or "", author)
    return f"The password of {name} is changed, and their sessions have ended."


def _user(username: str) -> User:
    try:
        return auth.by_name(username)
    except auth.AccountError as error:
        raise InvalidInput(str(error), status=404) from error


def _list(form: NewUserForm) -> str:
    return render_template("users/index.html", form=form, users=db.session.scalars(queries.all_users()).all())


def _account(user: User, typed: UserForm | PasswordForm | None = None, conflicts: Conflicts = ()) -> str:
    return render_template(
        "users/show.html",
        account=user,
        form=typed if isinstance(typed, UserForm) else UserForm(drafts.typed("role"), obj=user),
        seen=seen_to_send(user, UserForm.KEPT, anew=bool(conflicts)),
        conflicts=conflicts,
        password_form=typed if isinstance(typed, PasswordForm) else PasswordForm(formdata=None),
        tokens=db.session.scalars(queries.tokens(user)).all(),
        sessions=access.sessions_of(user),
        history=db.session.scalars(audit.events_for("user", user.username)).all(),
    )
