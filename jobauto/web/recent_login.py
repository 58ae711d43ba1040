"""What gives power, takes it for good, or says where messages go: a recent login, or the password once more.

Whoever finds a screen unlocked, or has copied a cookie, does not have it. A form that asks has a field for
the password, which its page shows only where the login is not recent.
"""

from flask_login import current_user
from wtforms import Field

from ..auth import service as auth
from ..auth.sessions import RECENT
from ..auth.throttling import Throttled
from . import access, entering, security_log

Refused = tuple[int, dict[str, str]]
"""Status and headers of the page that shows the form again."""

TOO_LONG_AGO = f"Enter your password: you logged in more than {RECENT.seconds // 60} minutes ago."
LOG_IN_AGAIN = f"Log in again first: you showed who you are more than {RECENT.seconds // 60} minutes ago."
"""For those who have no password here: at the issuer, to which a link leads in the place of the field."""


def asked_for() -> str | None:
    """What a form needs besides its fields: the ``password``, a ``login`` at the issuer, or ``either``."""
    if access.is_login_recent():
        return None
    if not auth.password_counts(current_user):
        return "login"
    return "either" if entering.came_by_issuer() else "password"


def refused_without(password: Field) -> Refused | None:
    """None where the login is recent, or the password makes it so; else the reason is beside the field."""
    if access.session_id() is None or access.is_login_recent():
        return None
    if not password.data or not auth.password_counts(current_user):
        password.errors = [TOO_LONG_AGO if auth.password_counts(current_user) else LOG_IN_AGAIN]
        return 422, {}
    return refused_unless_right(password)


def refused_unless_right(password: Field) -> Refused | None:
    """None where it is the password, however recent the login; else the reason is beside the field."""
    client = access.client()
    try:
        auth.prove_again(current_user.username, password.data or "", access.session_id(), client)
    except (auth.WrongLogin, Throttled) as error:
        return unproven(password, error)
    access.look_again()
    access.note_proof(client.now)
    return None


def unproven(password: Field, error: auth.WrongLogin | Throttled) -> Refused:
    """Put beside the field, and into the log, that its password was wrong or not looked at."""
    if isinstance(error, Throttled):
        security_log.warn("password-check-slowed", user=current_user.username, seconds=error.seconds)
        password.errors = [str(error)]
        return 429, {"Retry-After": str(error.seconds)}
    security_log.warn("password-check-failed", user=current_user.username)
    password.errors = ["This is not your current password."]
    return 422, {}
