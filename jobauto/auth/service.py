"""Users, passwords and tokens."""

import hashlib
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.security import check_password_hash, generate_password_hash

from ..audit.service import Author, record
from ..database import write
from ..extensions import db
from ..models import ApiToken, User
from ..models.user import ROLES

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200
TOKEN_PREFIX = "jobauto_"  # noqa: S105 (lets scanners of leaked secrets recognise a token)
USE_NOTED_EVERY = timedelta(hours=1)
"""So often at most the last use of a token is written down, so that requests do not contend for it."""


class AccountError(ValueError):
    """An account cannot be made or changed as asked; says why."""


def create_user(username: str, password: str, role: str, author: Author) -> User:
    """Make an account. Names differ by more than their case. Raises AccountError."""
    if not USERNAME.fullmatch(username):
        raise AccountError(
            "A user name has 1 to 100 letters, digits and . _ @ + -, and starts with a letter or digit."
        )
    if role not in ROLES:
        raise AccountError(f"A role is one of {', '.join(ROLES)}.")
    user = User(username=username.lower(), role=role, active=True, created_at=author.now)
    _use_password(user, password)
    try:
        with write() as session:
            session.add(user)
            record(session, author, "user", user.username, [("created", None, role)])
    except IntegrityError as error:
        raise AccountError(f"There is a user {username.lower()} already.") from error
    return user


def set_password(username: str, password: str, author: Author) -> None:
    """Change a password, which ends every session of that user. Raises AccountError."""
    with write() as session:
        user = by_name(username)
        _use_password(user, password)
        record(session, author, "user", user.username, [("password", None, "changed")])


def by_name(username: str) -> User:
    """The user of that name. Raises AccountError."""
    user: User | None = db.session.scalar(select(User).where(User.username == username.lower()))
    if user is None:
        raise AccountError(f"There is no user {username}.")
    return user


def by_session_key(key: str) -> User | None:
    """The user that a session cookie names, unless the password has changed since."""
    return db.session.scalar(select(User).where(User.session_key == key, User.active))


def authenticate(username: str, password: str) -> User | None:
    """The active user of that name and password. Takes as long when there is no such user."""
    user = db.session.scalar(select(User).where(User.username == username.lower()))
    correct = check_password_hash(user.password_hash if user else _NOBODY, password[:LONGEST_PASSWORD])
    return user if user and user.active and correct else None


def issue_token(username: str, name: str, author: Author) -> str:
    """A new token of a user. Only its hash is kept, so it can be shown this once. Raises AccountError."""
    if not name.strip() or len(name) > 100:
        raise AccountError("A token needs a name of 1 to 100 characters.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with write() as session:
        user = by_name(username)
        session.add(
            ApiToken(user_id=user.id, name=name.strip(), token_hash=_hash(token), created_at=author.now)
        )
        record(session, author, "token", user.username, [("created", None, name.strip())])
    return token


def by_token(token: str, now: datetime) -> User | None:
    """The active user of a token that was not revoked. Notes the use, rarely."""
    found = db.session.scalar(
        select(ApiToken).where(ApiToken.token_hash == _hash(token), ApiToken.revoked_at.is_(None))
    )
    if found is None or not found.user.active:
        return None
    if found.last_used_at is None or now - found.last_used_at > USE_NOTED_EVERY:
        with suppress(OperationalError), write():  # a busy database is no reason to refuse a request
            found.last_used_at = now
    user: User = found.user
    return user


def _use_password(user: User, password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(f"A password has at most {LONGEST_PASSWORD} characters.")
    user.password_hash = generate_password_hash(password)
    user.session_key = secrets.token_hex(32)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_NOBODY = "scrypt:32768:8:1$" + "x" * 16 + "$" + "0" * 128
"""A hash that no password has, of the same cost as a real one."""
