"""People and their accounts, for admins."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...audit.conflicts import EditConflict
from ...audit.service import Author
from ...auth import second_factor
from ...auth import service as auth
from ...auth.tokens import tokens_for
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import queries as jobs
from ...models import User
from ...storage.configuration import mail_server, second_factor_roles
from ...users import mail_addresses, queries, second_factors, service
from ...users.single_sign_on import identity_of
from ...wording import pluralize
from ...work import broker, tasks
from .. import access, drafts, security_log
from ..access import current_author, needs
from ..forms.errors import put_beside
from ..forms.seen import Conflicts, labelled, seen_in_request, seen_to_send
from ..forms.users import (
    ActivateForm,
    DeactivateForm,
    HandOverForm,
    MailForm,
    NewUserForm,
    PasswordForm,
    ResetForm,
    UserForm,
    id_in,
)
from ..recent_login import asked_for, refused_without

bp = Blueprint("users", __name__, url_prefix="/users")

ACTIONS = (
    "role",
    "password",
    "activate",
    "deactivate",
    "revoke",
    "sessions",
    "hand_over",
    "reset_second_factor",
    "mail",
)
OWN = ("password", "reset_second_factor")
"""What one changes of oneself on the page of one's account, and not here."""
SECURITY = ("role", "password", "activate", "deactivate", "revoke")
"""Those that change what somebody may do; ending sessions is told in any case."""

PowerForm = UserForm | PasswordForm | ActivateForm | DeactivateForm | ResetForm | MailForm
POWER: dict[str, type[PowerForm]] = {
    form.ACTION: form for form in (UserForm, PasswordForm, ActivateForm, DeactivateForm, ResetForm, MailForm)
}
"""What gives somebody power or takes it for good, and so needs a recent login."""


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
    if refused := refused_without(form.confirm):
        return _list(form), *refused
    try:
        user = auth.create_user(
            form.username.data or "",
            form.password.data or "",
            form.role.data,
            current_author(),
            must_change=True,
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
    form = POWER[action]() if action in POWER else None
    if action in OWN and user.username == current_user.username:
        own = "password" if action == "password" else "second factor"
        flash(f"You change your own {own} on the page of your account.", "danger")
        return _account(user), 403
    if form is not None and not form.validate():
        return _account(user, form), 422
    if form is not None and (refused := refused_without(form.confirm)):
        return _account(user, form), *refused
    try:
        done = _apply(user, action, form)
    except EditConflict as error:
        user = _user(username)
        pairs = labelled(form, error.conflicts) if form is not None else ()
        return _account(user, form, conflicts=pairs), error.status
    except InvalidInput as error:
        return _not_taken(_user(username), form, error)
    except auth.PasswordRefused as error:
        if isinstance(form, PasswordForm):
            form.password.errors = [str(error)]
        return _account(user, form), 422
    if action == "sessions" or (done is not None and action in SECURITY):
        security_log.tell(f"user-{action}", user=username, by=current_user.username)
    flash(*(done, "success") if done is not None else ("Nothing was changed.", "info"))
    return redirect(url_for(".show", username=username))


def _not_taken(user: User, form: PowerForm | None, error: InvalidInput) -> ResponseReturnValue:
    if form is not None and error.fields and not put_beside(form, error.fields):
        return _account(user, form), error.status
    flash(str(error), "danger")
    return _account(user), error.status


def _apply(user: User, action: str, form: PowerForm | None) -> str | None:
    """What was done, in a sentence; None where it was so already."""
    name, author = user.username, current_author()
    if action == "role" and isinstance(form, UserForm):
        changed = service.set_role(name, form.role.data, author=author, seen=seen_in_request(form.KEPT))
        return f"{name} has the role {form.role.data} now." if changed else None
    if action == "deactivate":
        return _deactivate(user)
    if action == "activate":
        return f"{name} is activated." if service.set_active(name, True, author=author) else None
    if action == "hand_over":
        to = _chosen_to_take_over(user)
        count = 0 if to is None else service.hand_over(name, to, author=author)
        return f"{pluralize(count, 'open job')} of {name} went to {to or 'nobody'}." if count else None
    if action == "revoke":
        revoked = service.revoke_token(id_in("token_id"), author=author, owner=name)
        return "The token is revoked." if revoked else None
    if action == "sessions":
        ended = service.end_sessions(name, author=author)
        return f"Ended {pluralize(ended, 'session')} of {name}." if ended else None
    if action == "reset_second_factor":
        return _reset_second_factor(name, author)
    if action == "mail" and isinstance(form, MailForm):
        return _set_mail(name, form.mail.data or "", author)
    return _set_password(user, form, author) if isinstance(form, PasswordForm) else None


def _reset_second_factor(name: str, author: Author) -> str | None:
    if not second_factors.reset(name, author=author):
        return None
    security_log.tell("second-factor-reset", user=name, by=current_user.username)
    return f"The second factor of {name} is reset, and their sessions have ended."


def _set_mail(name: str, address: str, author: Author) -> str | None:
    if not mail_addresses.set_address(name, address, author=author):
        return None
    security_log.tell("mail-address-set", user=name, by=current_user.username)
    broker.enqueue(tasks.SEND_MESSAGES)
    if not address:
        return f"The mail address of {name} is removed."
    return f"A link is on its way to {address}. Nothing else is sent there until {name} opens it."


def _set_password(user: User, form: PasswordForm, author: Author) -> str:
    name, revoke = user.username, form.revoke_tokens.data
    must_change = user.id != current_user.id
    auth.set_password(name, form.password.data or "", author, must_change=must_change, revoke_tokens=revoke)
    ended = "sessions have ended and tokens are revoked" if revoke else "sessions have ended"
    return f"The password of {name} is changed, and their {ended}."


def _deactivate(user: User) -> str | None:
    name, to = user.username, _chosen_to_take_over(user)
    if not service.set_active(name, False, author=current_author(), hand_over_to=to):
        return None
    left = db.session.scalar(jobs.open_jobs_of(name)) or 0
    told = f"{name} is deactivated."
    if left:
        stay, them = ("stays", "it") if left == 1 else ("stay", "them")
        return f"{told} {pluralize(left, 'open job')} {stay} with {name} until you hand {them} over below."
    return told if to is None else f"{told} Their open jobs went to {to or 'nobody'}."


def _chosen_to_take_over(user: User) -> str | None:
    form = _offer_to_hand_over(user, HandOverForm())
    if not form.validate():
        raise InvalidInput("Nothing was changed: nobody of that name can take the jobs.")
    return form.chosen()


def _offer_to_hand_over(user: User, form: HandOverForm | None = None) -> HandOverForm:
    form = form or HandOverForm(formdata=None)
    first = f"Leave them with {user.username}" if user.active else "Choose …"
    form.offer(first, [name for name in queries.assignable() if name != user.username])
    return form


def _user(username: str) -> User:
    try:
        return auth.by_name(username)
    except auth.AccountError as error:
        raise InvalidInput(str(error), status=404) from error


def _list(form: NewUserForm) -> str:
    return render_template(
        "users/index.html",
        form=form,
        users=db.session.scalars(queries.all_users()).all(),
        mail_of=dict(db.session.execute(mail_addresses.addresses()).all()),
        asks_for=asked_for(),
    )


def _account(user: User, typed: PowerForm | None = None, conflicts: Conflicts = ()) -> str:
    state_form = DeactivateForm if user.active else ActivateForm
    hand_over_form = HandOverForm() if isinstance(typed, DeactivateForm) else None
    mail_address = mail_addresses.address_of(user)
    mail = {"mail": mail_address.channel.display_name if mail_address is not None else ""}
    return render_template(
        "users/show.html",
        account=user,
        has_mail=mail_server() is not None,
        mail_address=mail_address,
        mail_form=typed if isinstance(typed, MailForm) else MailForm(drafts.typed("mail"), data=mail),
        form=typed if isinstance(typed, UserForm) else UserForm(drafts.typed("role"), obj=user),
        seen=seen_to_send(user, UserForm.KEPT, anew=bool(conflicts)),
        conflicts=conflicts,
        hand_over_form=_offer_to_hand_over(user, hand_over_form),
        open_jobs=db.session.scalar(jobs.open_jobs_of(user.username)),
        password_form=typed if isinstance(typed, PasswordForm) else PasswordForm(formdata=None),
        state_form=typed if isinstance(typed, state_form) else state_form(formdata=None),
        asks_for=asked_for(),
        tokens=db.session.scalars(tokens_for(user, utcnow())).all(),
        sessions=access.sessions_of(user),
        reset_form=typed if isinstance(typed, ResetForm) else ResetForm(formdata=None),
        second_factor=second_factor.of(user),
        needs_second_factor=user.role in second_factor_roles(),
        identity=identity_of(user),
        history=db.session.scalars(audit.newest_events_for("user", user.username)).all()[::-1],
    )
