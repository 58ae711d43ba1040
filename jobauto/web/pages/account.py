"""Everybody's own account: password, sessions, API tokens and mail address."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from wtforms import Field

from ...auth import service as auth
from ...auth.throttling import Throttled
from ...auth.tokens import DAYS, NewToken, tokens_for
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...storage.configuration import mail_server
from ...users import mail_addresses, service
from ...users.mail_addresses import LinkRefused
from ...wording import pluralize
from ...work import broker, tasks
from .. import access, drafts, security_log
from ..access import current_author
from ..forms.account import AssignmentsForm, OwnPasswordForm, SessionsForm, TokenForm
from ..forms.errors import put_beside
from ..forms.users import MailForm, id_in
from ..numbers import whole_numbers
from ..recent_login import LOG_IN_AGAIN, asked_for, refused_without, unproven

bp = Blueprint("account", __name__, url_prefix="/account")

OwnForm = OwnPasswordForm | TokenForm | SessionsForm | MailForm


@bp.get("")
def show() -> ResponseReturnValue:
    """Everybody's own password, sessions and tokens."""
    return _page()


@bp.post("")
def change() -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    actions = {
        "token": _new_token,
        "password": _new_password,
        "sessions": _end_sessions,
        "mail": _set_mail,
        "mail_link": _send_link,
        "assignments": _choose,
    }
    return actions.get(request.form.get("action", ""), _revoke)()


def _new_token() -> ResponseReturnValue:
    form = TokenForm()
    if refused := _unconfirmed(form):
        return refused
    wanted = NewToken(form.name.data or "", form.scope.data, form.days.data or DAYS)
    name, password = current_user.username, form.confirm.data or ""
    try:
        if auth.password_counts(current_user):
            session_id = access.session_id()
            token = auth.issue_own_token(name, wanted, password, access.client(), session_id=session_id)
        else:
            token = auth.issue_token(name, wanted, current_author())
    except auth.TokenRefused as error:
        form.name.errors = [str(error)]
        return _page(form), 422
    except (auth.WrongLogin, Throttled) as error:
        return _refuse(form, form.confirm, error)
    security_log.tell("token-created", user=current_user.username)
    return _page(new_token=token)


def _unconfirmed(form: TokenForm | SessionsForm) -> ResponseReturnValue | None:
    """What is answered where the password is missing, or, of who has none here, a recent login."""
    has_password = auth.password_counts(current_user)
    if not has_password:
        form.confirm.validators = []
    if not form.validate():
        return _page(form), 422
    if not has_password and not access.is_login_recent():
        flash(LOG_IN_AGAIN, "danger")
        return _page(form), 422
    return None


def _revoke() -> ResponseReturnValue:
    if service.revoke_token(id_in("token_id"), author=current_author(), owner=current_user.username):
        security_log.tell("token-revoked", user=current_user.username)
        flash("Revoked.", "success")
    else:
        flash("Nothing was changed: the token was revoked already.", "info")
    return redirect(url_for(".show"))


def _new_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if not form.validate():
        return _page(form), 422
    current, new = form.current.data or "", form.password.data or ""
    try:
        user = auth.change_own_password(
            current_user.username,
            current,
            new,
            access.client(),
            session_id=access.session_id(),
            revoke_tokens=form.revoke_tokens.data,
        )
    except auth.PasswordRefused as error:
        form.password.errors = [str(error)]
        return _page(form), 422
    except (auth.WrongLogin, Throttled) as error:
        return _refuse(form, form.current, error)
    security_log.tell("password-changed", user=user.username)
    login_user(user)  # this session goes on under a new key; all others have ended
    tokens_too = " and your tokens are revoked" if form.revoke_tokens.data else ""
    flash(f"Your password is changed. Your other sessions have ended{tokens_too}.", "success")
    return redirect(url_for(".show"))


def _end_sessions() -> ResponseReturnValue:
    form = SessionsForm()
    if refused := _unconfirmed(form):
        return refused
    chosen = whole_numbers(request.form.getlist("session_id"))
    name, password = current_user.username, form.confirm.data or ""
    try:
        if auth.password_counts(current_user):
            ended = auth.end_own_sessions(name, chosen, password, access.client())
        else:
            ended = auth.end_sessions(name, chosen)
    except (auth.WrongLogin, Throttled) as error:
        return _refuse(form, form.confirm, error)
    security_log.tell("sessions-ended", user=current_user.username, count=ended)
    if ended:
        flash(f"Ended {pluralize(ended, 'session')}.", "success")
    else:
        flash("No session was ended: tick some.", "warning")
    return redirect(url_for(".show"))


def _set_mail() -> ResponseReturnValue:
    form = MailForm()
    if not form.validate():
        return _page(form), 422
    if refused := refused_without(form.confirm):
        return _page(form), *refused
    name, address = current_user.username, form.mail.data or ""
    try:
        changed = mail_addresses.set_address(name, address, author=current_author())
    except InvalidInput as error:
        return _not_taken(form, error)
    if not changed:
        flash("Nothing was changed.", "info")
        return redirect(url_for(".show"))
    security_log.tell("mail-address-set", user=name, by=name)
    broker.enqueue(tasks.SEND_MESSAGES)
    link = f"A link is on its way to {address}. Open it while you are logged in."
    flash(link if address else "Your mail address is removed. Nothing is sent to you any more.", "success")
    return redirect(url_for(".show"))


def _not_taken(form: MailForm, error: InvalidInput) -> ResponseReturnValue:
    if put_beside(form, error.fields) or not error.fields:
        raise error
    return _page(form), error.status


def _send_link() -> ResponseReturnValue:
    try:
        mail_addresses.send_link(current_user.username, author=current_author())
    except InvalidInput as error:
        return _not_taken(MailForm(formdata=None, data=_mail()), error)
    broker.enqueue(tasks.SEND_MESSAGES)
    flash("Another link is on its way.", "success")
    return redirect(url_for(".show"))


def _choose() -> ResponseReturnValue:
    form = AssignmentsForm()
    changed = mail_addresses.choose(
        current_user.username, form.assignments.data or "", author=current_author()
    )
    flash(*("Saved.", "success") if changed else ("Nothing was changed.", "info"))
    return redirect(url_for(".show"))


@bp.get("/mail/<token>")
def mail_link(token: str) -> ResponseReturnValue:
    """What a link that was sent to a mail address leads to: the button that confirms it."""
    try:
        mine = mail_addresses.address_meant(current_user, token, utcnow())
    except LinkRefused as error:
        flash(str(error), "warning")
        return redirect(url_for(".show"))
    return render_template("account/mail_link.html", address=mine.channel.display_name)


@bp.post("/mail/<token>")
def mail_link_submit(token: str) -> ResponseReturnValue:
    """Confirm the address: its owner has the link, and is logged in."""
    try:
        address = mail_addresses.verify(current_user.username, token, author=current_author())
    except LinkRefused as error:
        flash(str(error), "warning")
        return redirect(url_for(".show"))
    security_log.tell("mail-address-confirmed", user=current_user.username)
    flash(f"{address} is confirmed. Choose below how soon you are told of jobs.", "success")
    return redirect(url_for(".show"))


def _mail() -> dict[str, str]:
    mine = mail_addresses.address_of(current_user)
    return {"mail": mine.channel.display_name if mine is not None else ""}


def _refuse(form: OwnForm, field: Field, error: auth.WrongLogin | Throttled) -> ResponseReturnValue:
    status, headers = unproven(field, error)
    return _page(form), status, headers


def _page(typed: OwnForm | None = None, new_token: str | None = None) -> str:
    """The page, with the one form that somebody has filled in, the others empty."""
    mine = db.session.scalars(tokens_for(current_user, utcnow())).all()
    mail_address = mail_addresses.address_of(current_user)

    def form(kind: type[OwnForm], **stored: object) -> OwnForm:
        return typed if isinstance(typed, kind) else kind(formdata=drafts.typed(kind.ACTION), **stored)

    return render_template(
        "account/show.html",
        password_form=form(OwnPasswordForm),
        token_form=form(TokenForm),
        has_password=auth.password_counts(current_user),
        sessions_form=form(SessionsForm),
        has_mail=mail_server() is not None,
        mail_address=mail_address,
        mail_form=form(MailForm, data=_mail()),
        assignments_form=AssignmentsForm(formdata=None, obj=mail_address),
        asks_for=asked_for(),
        new_token=new_token,
        tokens=mine,
        from_before=[token for token in mine if token.from_before],
        sessions=access.sessions_of(current_user),
        this_session=access.session_id(),
    )
