"""Whether a form comes from a page of ours, and for whom that page was made.

The token in each form is Flask-WTF's: random, of the session, signed. In ours it also names the user, so that
a form whose session has ended or was replaced is known to be this very person's: it is never taken, but what
was typed into it may be kept for them (:mod:`jobauto.web.drafts`). Nobody else can make such a token.
"""

import secrets
from typing import NoReturn

from flask import request, session
from flask_wtf.csrf import CSRFError
from itsdangerous import BadData, URLSafeTimedSerializer

from ..extensions import db
from ..models import User
from ..storage.configuration import secret_key
from . import security_log
from .extensions import csrf

_KEY = "csrf_token"


def mark_session(user: User) -> None:
    """Let the forms of this session tell for whom they are made."""
    if _KEY not in session:
        session[_KEY] = f"{secrets.token_urlsafe(32)}.{user.id}"


def require_own_form() -> None:
    """Refuse what does not come from a page of this session. Raises CSRFError."""
    csrf.protect()


def refuse(error: CSRFError) -> NoReturn:
    """Log a form that is not ours, and end the request with 400."""
    security_log.warn("csrf-refused", reason=error.description)
    if not request.path.startswith("/api/"):
        error.description = (
            "Nothing was done: the form is not from a page of your present login. "
            f"Open the page anew, and press again. ({error.description})"
        )
    raise error


def is_of_an_older_session() -> bool:
    """Whether the form comes from a page of ours, whenever and for whomever, but not for this session."""
    return _signed() not in (None, session.get(_KEY))


def whose() -> User | None:
    """The active user for whom the page of this form was made, by another session perhaps."""
    name, _, user_id = (_signed() or "").rpartition(".")
    if not name or not user_id.isdigit():
        return None
    user: User | None = db.session.get(User, int(user_id))
    return user if user is not None and user.active else None


def _signed() -> str | None:
    # As Flask-WTF signs it: only whether it is the one of this session is not asked here.
    sent = request.form.get(_KEY) or request.headers.get("X-CSRFToken") or ""
    try:
        found = URLSafeTimedSerializer(secret_key(), salt="wtf-csrf-token").loads(sent)
    except BadData:
        return None
    return found if isinstance(found, str) else None
