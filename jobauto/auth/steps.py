"""The steps of a login, and which of them is next: decided here and nowhere else.

1. Who it is: a password, or the word of an OpenID Connect issuer.
2. A code of the second factor, where the person has one.
3. Setting one up, where the role must have one.
4. A new password, where the one that was typed was set by somebody else.

Then the session begins. Until then there is a pending login: its key opens the page of the next step and
nothing else. A step takes the pending login away and makes the next one, or the session, under another key,
in one transaction. So of two who take a step at once one fails, and no key outlives what it was given for.
Whatever ends a user's sessions ends these, too.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import PendingLogin, SecondFactor, User
from ..storage.configuration import second_factor_roles
from . import sessions
from .sessions import Client

SECOND_FACTOR = "second_factor"
SET_UP = "set_up"
NEW_PASSWORD = "new_password"  # noqa: S105 (the name of a step)

LASTS = timedelta(minutes=15)
"""So long a pending login waits for its next step."""


class LoginOver(Exception):
    """The pending login has ended, or waits for another step."""


@dataclass(frozen=True)
class Proven:
    """What has been shown so far; ``second_factor`` also where the issuer says that it asked for one.

    ``at`` is when, where that was not just now. A step that is left makes it so, and it is forgotten.
    """

    by_password: bool
    second_factor: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Entered:
    """Where a login stands: ``key`` is that of a session, or of a pending login that waits for ``step``."""

    user: User
    key: str
    step: str | None


def next_step(session: Session, user: User, proven: Proven) -> str | None:
    """What is left; None where the session may begin."""
    if not proven.second_factor:
        if session.scalar(select(exists().where(SecondFactor.user_id == user.id))):
            return SECOND_FACTOR
        if user.role in second_factor_roles():
            return SET_UP
    if proven.by_password and user.password_lapses_at is not None:
        return NEW_PASSWORD
    return None


def enter(session: Session, user: User, proven: Proven, client: Client) -> Entered:
    """Begin the session, or a login that waits for the next step. Clears away what waited too long."""
    step = next_step(session, user, proven)
    if step is None:
        user.session_key = sessions.begin(session, user, client, proven.at)
        return Entered(user, user.session_key, None)
    key = secrets.token_urlsafe(32)
    session.add(
        PendingLogin(
            key_hash=_hash(key),
            user_id=user.id,
            created_at=client.now,
            by_password=proven.by_password,
            second_factor=proven.second_factor,
        )
    )
    session.flush()
    over = select(PendingLogin.key_hash).where(PendingLogin.created_at <= client.now - LASTS)
    locked = over.with_for_update(skip_locked=True).scalar_subquery()
    session.execute(delete(PendingLogin).where(PendingLogin.key_hash.in_(locked)))
    return Entered(user, key, step)


def waiting(key: str, now: datetime) -> Entered | None:
    """The pending login of a key, if it goes on and its user is active."""
    found = db.session.execute(
        select(PendingLogin, User).join(User).where(_is(key, now), User.active)
    ).one_or_none()
    if found is None:
        return None
    pending, user = found
    step = next_step(db.session(), user, Proven(pending.by_password, pending.second_factor))
    return Entered(user, key, step)


def user_of(session: Session, key: str, now: datetime) -> User:
    """Whose pending login it is, locked, so that their steps go one after the other. Raises LoginOver."""
    user: User | None = session.scalar(
        select(User).join(PendingLogin).where(_is(key, now), User.active).with_for_update(of=User)
    )
    if user is None:
        raise LoginOver
    return user


def take(session: Session, user: User, key: str, step: str, now: datetime) -> Proven:
    """Take the pending login away, for the step that it waits for. Raises LoginOver."""
    taken = session.execute(
        delete(PendingLogin)
        .where(_is(key, now), PendingLogin.user_id == user.id)
        .returning(PendingLogin.by_password, PendingLogin.second_factor)
    ).one_or_none()
    if taken is None or next_step(session, user, proven := Proven(*taken)) != step:
        raise LoginOver
    return proven


def _is(key: str, now: datetime) -> ColumnElement[bool]:
    return (PendingLogin.key_hash == _hash(key)) & (PendingLogin.created_at > now - LASTS)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
