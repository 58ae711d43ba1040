"""Users, their passwords and logins, and what a password is given for."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..extensions import db
from ..models import User
from ..models.user import ROLES
from ..storage.configuration import break_glass_admin
from ..storage.connections import write
from . import passwords, sessions, steps, throttling, tokens
from .sessions import Client
from .steps import Entered, Proven
from .tokens import NewToken

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
SET_BY_ANOTHER_LASTS = timedelta(days=7)
"""So long a password that somebody else has set may wait for its first login."""
SET_BY_ANOTHER = "This is the password that was set for you. Choose another one."


class AccountError(ValueError):
    """An account cannot be made or changed as asked; says why."""


class PasswordRefused(AccountError):
    """A password that must not be used; says why."""


class TokenRefused(AccountError):
    """A token that there cannot be; says why."""


class WrongLogin(Exception):
    """The name or the password is wrong; which of them is not told."""


class SessionOver(Exception):
    """The session in which something was asked for has ended meanwhile."""


class PasswordLapsed(WrongLogin):
    """It is the password, but somebody else had set it, and it was not used in time."""


def create_user(
    username: str, password: str, role: str, author: Author, *, must_change: bool = False
) -> User:
    """Make an account. Names differ by more than their case. Raises AccountError.

    With ``must_change``, the password is good for the first login only, and for :data:`SET_BY_ANOTHER_LASTS`.
    """
    if not USERNAME.fullmatch(username):
        raise AccountError(
            "A user name has 1 to 100 letters, digits and . _ @ + -, and starts with a letter or digit."
        )
    if role not in ROLES:
        raise AccountError(f"A role is one of {', '.join(ROLES)}.")
    user = User(username=username.lower(), role=role, active=True, created_at=author.now)
    use_password(user, password, lapses_at=_lapses_at(author) if must_change else None)
    try:
        with write() as session:
            session.add(user)
            record(session, author, "user", user.username, [("created", None, role)])
    except IntegrityError as error:
        raise AccountError(f"There is a user {username.lower()} already.") from error
    return user


def set_password(
    username: str, password: str, author: Author, *, must_change: bool = False, revoke_tokens: bool = False
) -> None:
    """Change a password, which ends every session of that user and any wait, and the tokens if asked to.

    ``must_change`` as in :func:`create_user`. Raises AccountError.
    """
    with write() as session:
        # First, as a login does: two that lock the same rows in another order would block each other.
        throttling.forget_account(session, username)
        user = by_name(username)
        use_password(user, password, lapses_at=_lapses_at(author) if must_change else None)
        sessions.end_all(session, user)
        record(session, author, "user", user.username, [("password", None, "changed")])
        if revoke_tokens:
            tokens.revoke_all(session, user, author)


def log_in(username: str, password: str, client: Client, *, instead_of: int | None = None) -> Entered:
    """Begin a session, or what is left of the login, instead of the session that the browser had.

    Raises WrongLogin, PasswordLapsed among them, and Throttled.
    """
    proof = prove(username, password, client)
    seen = proof.password_hash
    renewed = passwords.hashed(password) if passwords.is_outdated(seen) else seen
    with write() as session:
        user = _proven(session, proof, client)
        user.password_hash = renewed
        sessions.end_former(session, instead_of)
        return steps.enter(session, user, Proven(by_password=True), client)


@dataclass(frozen=True)
class Proof:
    """Whose password was right, and the hash by which it was."""

    subject: throttling.Subject
    user_id: int
    password_hash: str


def prove(username: str, password: str, client: Client) -> Proof:
    """That it is the password of the user of that name. A wrong one is counted.

    What the password is given for must ask :func:`_proven` in its transaction. Raises WrongLogin, Throttled
    and passwords.Busy.
    """
    named = _named(username) if client.device is not None else None
    if named is not None and (device := client.known_as(named)) is not None:
        subject, line = throttling.Subject.of_device(username, device), named.id
    else:
        subject, line = throttling.Subject.of(username, client.address), None
    try:
        throttling.check_throttle(subject, client.now)
    except throttling.Throttled:
        throttling.count_refused(subject, client.now)
        raise
    with passwords.in_line(line):
        user = authenticate(username, password)
        if user is None or not password_counts(user):
            # Still in line: while SQLite's write lock is held, whoever waits here holds a thread, too.
            throttling.count_failure(subject, client.now)
            raise WrongLogin
    if user.password_lapses_at is not None and user.password_lapses_at <= client.now:
        raise PasswordLapsed
    return Proof(subject, user.id, user.password_hash)


def _proven(session: Session, proof: Proof, client: Client) -> User:
    """The user, locked, in the transaction of what the password was given for.

    Raises WrongLogin and Throttled: the password may have been changed, or the account deactivated, since it
    was looked at.
    """
    throttling.succeed(session, proof.subject, client.now)
    unchanged = (User.id == proof.user_id, User.password_hash == proof.password_hash, User.active)
    user: User | None = session.scalar(select(User).where(*unchanged).with_for_update())
    if user is None:
        raise WrongLogin
    return user


def change_own_password(
    username: str,
    current: str,
    password: str,
    client: Client,
    *,
    session_id: int | None,
    revoke_tokens: bool = False,
) -> User:
    """Change one's own password: every session ends, and a new one begins; the tokens end if asked to.

    The new one takes the place of ``session_id``. Raises AccountError, WrongLogin, Throttled and SessionOver.
    """
    proof = prove(username, current, client)
    with write() as session:
        user = _proven(session, proof, client)
        if not sessions.end(session, [session_id] if session_id is not None else [], user):
            raise SessionOver  # by an admin perhaps: whoever has another role now shows a second factor first
        # Who came in by an issuer was not asked for another one at the login.
        if user.password_lapses_at is not None and password == current:
            raise PasswordRefused(SET_BY_ANOTHER)
        use_password(user, password)
        sessions.end_all(session, user)
        author = Author(user.username, client.now)
        record(session, author, "user", user.username, [("password", None, "changed")])
        if revoke_tokens:
            tokens.revoke_all(session, user, author)
        key = sessions.begin(session, user, client)
    user.session_key = key
    return user


def end_own_sessions(username: str, session_ids: list[int], current: str, client: Client) -> int:
    """End some of one's own sessions; how many they were. Raises WrongLogin and Throttled."""
    proof = prove(username, current, client)
    with write() as session:
        return sessions.end(session, session_ids, _proven(session, proof, client))


def end_sessions(username: str, session_ids: list[int]) -> int:
    """End some sessions of a user; how many they were. Raises AccountError."""
    with write() as session:
        return sessions.end(session, session_ids, by_name(username))


def prove_again(username: str, password: str, session_id: int | None, client: Client) -> None:
    """Make of a session one whose login is recent. Raises WrongLogin and Throttled."""
    proof = prove(username, password, client)
    with write() as session:
        sessions.prove(session, session_id, _proven(session, proof, client), client.now)


def log_out(user: User, session_id: int) -> None:
    """End a session."""
    with write() as session:
        sessions.end(session, [session_id], user)


def by_name(username: str) -> User:
    """The user of that name. Raises AccountError."""
    user: User | None = db.session.scalar(select(User).where(User.username == username.lower()))
    if user is None:
        raise AccountError(f"There is no user {username}.")
    return user


def known(username: str) -> str | None:
    """The name, if there is such a user: what else was typed there might be a password."""
    with suppress(AccountError):
        return by_name(username).username if USERNAME.fullmatch(username) else None
    return None


def authenticate(username: str, password: str) -> User | None:
    """The active user of that name and password. Takes as long when there is no such user."""
    user = _named(username)
    correct = passwords.matches(user.password_hash if user else None, password)
    return user if user and user.active and correct else None


def _named(username: str) -> User | None:
    named = USERNAME.fullmatch(username) is not None  # what no user is called need not be asked for
    return db.session.scalar(select(User).where(User.username == username.lower())) if named else None


def issue_token(username: str, wanted: NewToken, author: Author) -> str:
    """A new token of a user, which can be shown this once. Raises AccountError."""
    _check_token(wanted)
    with write() as session:
        user = by_name(username)
        # Locked, as by who deactivates: a token that comes after would be revived with the account.
        session.refresh(user, with_for_update=True)
        if not user.active:
            raise AccountError(f"{user.username} is deactivated, and gets no token.")
        return _make_token(session, user, wanted, author)


def issue_own_token(
    username: str, wanted: NewToken, password: str, client: Client, *, session_id: int | None
) -> str:
    """A new token for oneself, to be shown this once; ``session_id`` is the one in which it is asked for.

    Raises AccountError, WrongLogin, Throttled and SessionOver.
    """
    _check_token(wanted)
    proof = prove(username, password, client)
    with write() as session:
        user = _proven(session, proof, client)
        if not sessions.goes_on(session, session_id, user):
            raise SessionOver
        return _make_token(session, user, wanted, Author(user.username, client.now))


def _make_token(session: Session, user: User, wanted: NewToken, author: Author) -> str:
    # The user is locked, so that two at once are counted one after the other.
    those = tokens.tokens_for(user, author.now).order_by(None).subquery()
    if (session.scalar(select(func.count()).select_from(those)) or 0) >= tokens.MOST_OF_A_USER:
        raise TokenRefused(f"There are {tokens.MOST_OF_A_USER} tokens. Revoke one first.")
    return tokens.make(session, user, wanted, author)


def _check_token(wanted: NewToken) -> None:
    if reason := wanted.reason_against():
        raise TokenRefused(reason)


def password_counts(user: User) -> bool:
    """Whether a user has a password that may be used: all may be switched off but that of one admin."""
    return bool(user.password_hash) and break_glass_admin() in ("", user.username)


def use_password(user: User, password: str, *, lapses_at: datetime | None = None) -> None:
    """Give a user another password, in the transaction of the caller. Raises PasswordRefused."""
    user.password_hash = hash_of_good(password, user.username)
    user.password_lapses_at = lapses_at


def hash_of_good(password: str, username: str) -> str:
    """What is kept of a password that may be used. Raises PasswordRefused."""
    if reason := passwords.reason_against(password, username):
        raise PasswordRefused(reason)
    return passwords.hashed(password)


def _lapses_at(author: Author) -> datetime:
    return author.now + SET_BY_ANOTHER_LASTS
