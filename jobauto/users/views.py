"""People, for admins; and everybody's own account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user

from ..audit import queries as audit
from ..audit.service import Author
from ..auth import service as auth
from ..auth.access import needs
from ..clock import utcnow
from ..errors import InvalidInput
from ..extensions import db
from ..models import User
from ..models.event import SUBJECTS
from ..paging import asked_page, page_up_to
from . import queries, service
from .forms import NewUserForm, OwnPasswordForm, PasswordForm, TokenForm, UserForm

bp = Blueprint("users", __name__)

ACTIONS = ("role", "password", "activate", "deactivate", "revoke")


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
        form.username.errors = [str(error)]
        return _list(form), 422
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
        service.revoke_token(_token_id(), author=_me(), owner=user.username)


@bp.get("/account")
def account() -> ResponseReturnValue:
    """Everybody's own password and tokens."""
    return _own(OwnPasswordForm(), TokenForm())


@bp.post("/account")
def account_change() -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    action = request.form.get("action", "")
    if action == "token":
        return _new_token()
    if action == "password":
        return _new_password()
    service.revoke_token(_token_id(), author=_me(), owner=current_user.username)
    flash("Revoked.", "success")
    return redirect(url_for(".account"))


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
        return _own(OwnPasswordForm(formdata=None), form), 422
    token = auth.issue_token(current_user.username, form.name.data or "", _me())
    return _own(OwnPasswordForm(formdata=None), TokenForm(formdata=None), token)


def _new_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if form.validate() and not auth.authenticate(current_user.username, form.current.data or ""):
        form.current.errors = ["This is not your current password."]
    if form.errors:
        return _own(form, TokenForm(formdata=None)), 422
    auth.set_password(current_user.username, form.password.data or "", _me())
    login_user(auth.by_name(current_user.username))  # this session goes on; all others have ended
    flash("Your password is changed. Your other sessions have ended.", "success")
    return redirect(url_for(".account"))


def _token_id() -> int:
    text = request.form.get("token_id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


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
        history=db.session.scalars(audit.of("user", user.username)).all(),
    )


def _own(password_form: OwnPasswordForm, token_form: TokenForm, new_token: str | None = None) -> str:
    return render_template(
        "users/account.html",
        password_form=password_form,
        token_form=token_form,
        new_token=new_token,
        tokens=db.session.scalars(queries.tokens(current_user)).all(),
    )
