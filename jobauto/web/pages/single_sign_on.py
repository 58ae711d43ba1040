"""Logging in and out at an OpenID Connect issuer. Where it is silent, logins with a password go on."""

from importlib import import_module
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...auth import logging_in, steps
from ...auth.sessions import RECENT
from ...auth.steps import LoginOver
from ...clock import utcnow
from ...errors import InvalidInput
from ...storage.configuration import issuer, public_url
from ...users import single_sign_on
from ...users.single_sign_on import Proven, SignOnRefused
from .. import access, entering, security_log

bp = Blueprint("single_sign_on", __name__, url_prefix="/login")

OIDC = "jobauto.auth.oidc"
"""Loaded with Authlib where somebody logs in this way; most processes never do."""

_FLOW = "sign_on"
LONGEST_TARGET = 1000
"""The cookie that carries it may have 4 kB at most."""
UNAVAILABLE = (
    "Single sign-on does not answer at present. Try again, or log in with a password if you have one."
)
REFUSED = "Single sign-on did not log you in. Try again."


@bp.get("/single-sign-on")
def begin() -> ResponseReturnValue:
    """Lead to the issuer."""
    if current_user.is_authenticated and issuer() is not None:
        return redirect(access.target())
    return _lead_there(request.args.get("next", ""), anew=False)


@bp.get("/single-sign-on/again")
def again() -> ResponseReturnValue:
    """Lead there once more, for what needs a recent login: the person is asked, not only the browser."""
    return _lead_there(request.args.get("next", ""), anew=True)


def _lead_there(wanted: str, *, anew: bool) -> ResponseReturnValue:
    client, oidc = _client()
    try:
        address, flow = client.begin(utcnow(), anew=anew)
    except oidc.IssuerUnavailable as error:
        return _unavailable(error)
    kept = wanted if len(wanted) <= LONGEST_TARGET else None
    session[_FLOW] = [flow.state, flow.nonce, flow.verifier, kept or None, anew]
    return redirect(address)


@bp.get("/single-sign-on/callback")
def callback() -> ResponseReturnValue:
    """Come back from the issuer. The answer must be to what this very browser has asked."""
    client, oidc = _client()
    state, nonce, verifier, wanted, anew = session.get(_FLOW, (None, None, None, None, False))
    if state is None or request.args.get("state") != state:
        return _of_something_else()
    del session[_FLOW]
    if "code" not in request.args:
        return _refused(f"the issuer says {request.args.get('error', 'nothing')[:50]}")
    flow = oidc.Flow(state, nonce, verifier, anew)
    try:
        claims = client.finish(flow, request.args["code"], request.args.get("iss"), utcnow())
    except oidc.IssuerUnavailable as error:
        return _unavailable(error)
    except oidc.NotProven as error:
        return _refused(str(error))
    return _enter(Proven(client.issuer, claims, anew), wanted)


@bp.get("/logged-out")
def logged_out() -> ResponseReturnValue:
    """Lead on to the logout at the issuer. Not by the answer to a form: that may not lead to another site."""
    if current_user.is_authenticated:
        return redirect(access.target())
    at_issuer = None
    if issuer() is not None:
        client, oidc = _client()
        try:
            at_issuer = client.end_session_url(f"{_home()}/login", utcnow())
        except oidc.IssuerUnavailable as error:
            security_log.warn("single-sign-on-unavailable", reason=error)
    return render_template("login/logged_out.html", at_issuer=at_issuer)


def _of_something_else() -> ResponseReturnValue:
    # Of another tab perhaps, or of somebody who wants to end the login that is under way: it goes on.
    if current_user.is_authenticated:
        flash(f"You are logged in already, as {current_user.username}.", "info")
        return redirect(access.target())
    return _refused("the answer is to nothing that this browser has asked")


def _enter(proven: Proven, wanted: str | None) -> ResponseReturnValue:
    try:
        user, came = single_sign_on.person(proven, utcnow()), access.client()
        entered = logging_in.enter_by_issuer(
            user.id,
            came,
            second_factor=proven.has_second_factor,
            at=proven.at(came.now),
            instead_of=access.session_id(),
        )
    except (SignOnRefused, InvalidInput) as error:
        return _refused(f"{proven.claims.get('sub')}: {error}", told=str(error))
    except LoginOver:
        return _refused(f"{user.username} is deactivated")
    if entered.step == steps.SET_UP and came.now - proven.at(came.now) > RECENT:
        # A phone that is taken up stays: whoever only found the screen must not take up theirs.
        if proven.anew:
            return _refused("the issuer asked nobody, though it was told to")
        return _lead_there(wanted or "", anew=True)
    return entering.go_on(entered, wanted=wanted, by_issuer=True)


def _client() -> tuple[Any, Any]:
    """This program at its issuer, once a process, and the module that knows how."""
    configured = issuer()
    if configured is None:
        abort(404, "There is no single sign-on here.")
    oidc = import_module(OIDC)
    if OIDC not in current_app.extensions:
        back_to = f"{_home()}/login/single-sign-on/callback"
        current_app.extensions[OIDC] = oidc.Client(configured, back_to)
    return current_app.extensions[OIDC], oidc


def _home() -> str:
    # What is configured, not what the request names: the issuer sends people and codes there.
    return public_url().rstrip("/")


def _unavailable(error: Exception) -> ResponseReturnValue:
    security_log.warn("single-sign-on-unavailable", reason=error)
    return _back_to_the_login(UNAVAILABLE)


def _refused(reason: str, told: str = REFUSED) -> ResponseReturnValue:
    security_log.warn("single-sign-on-refused", reason=reason)
    return _back_to_the_login(told)


def _back_to_the_login(told: str) -> ResponseReturnValue:
    flash(told, "danger")
    return redirect(url_for("auth.login"))
