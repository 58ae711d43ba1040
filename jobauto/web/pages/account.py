"""Everybody's own account: password, sessions and API tokens."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from wtforms import Field

from ...auth import service as auth
from ...auth.throttling import Throttled
from ...auth.tokens import DAYS, NewToken, tokens_for
from ...clock import utcnow
from ...extensions import db
from ...users import service
from ...wording import pluralize
from .. import access, drafts, security_log
from ..access import current_author
from ..forms.account import OwnPasswordForm, SessionsForm, TokenForm
from ..forms.users import id_in
from ..numbers import whole_numbers
from ..recent_login import LOG_IN_AGAIN, unproven

bp = Blueprint("account", __name__, url_prefix="/account")

OwnForm = OwnPasswordForm | TokenForm | SessionsForm


@bp.get("")
def show() -> ResponseReturnValue:
    """Everybody's own password, sessions and tokens."""
    return _page()


@bp.post("")
def change() -> ResponseReturnValue:
    """Take one of the page's forms; its ``action`` tells which."""
    actions = {"token": _new_token, "password": _new_password, "sessions": _end_sessions}
    return actions.get(request.form.get("action", ""), _revoke)()


def _new_token() -> ResponseReturnValue:
    form = TokenForm()
    has_password = auth.password_counts(current_user)
    if not has_password:
        form.confirm.validators = []
    if not form.validate():
        return _page(form), 422
    if not has_password and not access.is_login_recent():
        flash(LOG_IN_AGAIN, "danger")
        return _page(form), 422
    wanted = NewToken(form.name.data or "", form.scope.data, form.days.data or DAYS)
    name, password = current_user.username, form.confirm.data or ""
    try:
        if has_password:
            token = auth.issue_own_token(name, wanted, password, access.client())
        else:
            token = auth.issue_token(name, wanted, current_author())
    except auth.TokenRefused as error:
        form.name.errors = [str(error)]
        return _page(form), 422
    except (auth.WrongLogin, Throttled) as error:
        return _refuse(form, form.confirm, error)
    security_log.tell("token-created", user=current_user.username)
    return _page(new_token=token)


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
            current_user.username, current, new, access.client(), revoke_tokens=form.revoke_tokens.data
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
    if not form.validate():
        return _page(form), 422
    chosen = whole_numbers(request.form.getlist("session_id"))
    try:
        ended = auth.end_own_sessions(current_user.username, chosen, form.confirm.data or "", access.client())
    except (auth.WrongLogin, Throttled) as error:
        return _refuse(form, form.confirm, error)
    security_log.tell("sessions-ended", user=current_user.username, count=ended)
    if ended:
        flash(f"Ended {pluralize(ended, 'session')}.", "success")
    else:
        flash("No session was ended: tick some.", "warning")
    return redirect(url_for(".show"))


def _refuse(form: OwnForm, field: Field, error: auth.WrongLogin | Throttled) -> ResponseReturnValue:
    status, headers = unproven(field, error)
    return _page(form), status, headers


def _page(typed: OwnForm | None = None, new_token: str | None = None) -> str:
    """The page, with the one form that somebody has filled in, the others empty."""
    mine = db.session.scalars(tokens_for(current_user, utcnow())).all()

    def form(kind: type[OwnForm]) -> OwnForm:
        return typed if isinstance(typed, kind) else kind(formdata=drafts.typed(kind.ACTION))

    return render_template(
        "account/show.html",
        password_form=form(OwnPasswordForm),
        token_form=form(TokenForm),
        has_password=auth.password_counts(current_user),
        sessions_form=form(SessionsForm),
        new_token=new_token,
        tokens=mine,
        from_before=[token for token in mine if token.from_before],
        sessions=access.sessions_of(current_user),
        this_session=access.session_id(),
    )
