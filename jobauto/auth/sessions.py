"""Sessions: a row for each login, so that one that has ended is worth nothing, whoever has its cookie."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, not_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import PendingLogin, User, UserSession
from ..storage.connections import write
from .devices import Device

RECENT = timedelta(minutes=10)
"""So long after the password was given a session may do what needs a recent login."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody has shown who they are, of whom nobody knows when."""
MOST_OF_A_USER = 1000
"""More sessions than these end the one that was used longest ago; scripts log in often and never out."""


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: unused, and at all."""

    idle: timedelta
    absolute: timedelta

    @property
    def noted_every(self) -> timedelta:
        """So often at most its use is written down, so that pages do not contend for the database."""
        return self.idle / 24


@dataclass(frozen=True)
class Client:
    """Who knocks, as far as the request tells, and when."""

    address: str
    agent: str
    now: datetime
    limits: Limits
    device: Device | None = None

    def known_as(self, user: User) -> str | None:
        """The name of its browser, where that has logged in as this user before."""
        return self.device.name if self.device is not None and self.device.knows(user) else None


def begin(session: Session, user: User, client: Client, proven_at: datetime | None = None) -> str:
    """A new session; returns its key, which only the cookie has. Clears away sessions that are over.

    ``proven_at`` is when its user has shown who they are, where that was not just now.
    """
    key = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            user_id=user.id,
            key_hash=_hash(key),
            created_at=client.now,
            last_seen_at=client.now,
            proven_at=proven_at or client.now,
            address=client.address[:45],
            agent="".join(filter(str.isprintable, client.agent))[:200],
        )
    )
    session.flush()
    over = select(UserSession.id).where(not_(_alive(client.limits, client.now)))
    too_many = _of(user.id).with_only_columns(UserSession.id).offset(MOST_OF_A_USER)
    for unwanted in (over, too_many):
        locked = unwanted.with_for_update(skip_locked=True)
        session.execute(delete(UserSession).where(UserSession.id.in_(locked.scalar_subquery())))
    return key


def by_key(key: str, limits: Limits, now: datetime) -> UserSession | None:
    """The session of a cookie's key, if it goes on and its user is active."""
    asked = select(UserSession).where(UserSession.key_hash == _hash(key), _alive(limits, now))
    found = db.session.scalar(asked)
    return found if found is not None and found.user.active else None


def note_use(used: UserSession, limits: Limits, now: datetime) -> None:
    """Write down that a session is used, rarely."""
    if now - used.last_seen_at < limits.noted_every:
        return
    noted = update(UserSession).where(UserSession.id == used.id).values(last_seen_at=now)
    with suppress(OperationalError), write(nowait=True) as session:  # a busy database is no reason to wait
        session.execute(noted)


def prove(session: Session, session_id: int | None, user: User, now: datetime) -> None:
    """Note that its user has given the password in it just now."""
    proven = update(UserSession).where(UserSession.id == session_id, UserSession.user_id == user.id)
    session.execute(proven.values(proven_at=now))


def sessions_for(user: User, limits: Limits, now: datetime) -> Select[UserSession]:
    """A user's sessions that go on, the one used last first."""
    return _of(user.id).where(_alive(limits, now))


def goes_on(session: Session, session_id: int | None, user: User) -> bool:
    """Whether a session of a user has not been ended."""
    mine = (UserSession.id == session_id, UserSession.user_id == user.id)
    return session.scalar(select(UserSession.id).where(*mine)) is not None


def end(session: Session, session_ids: list[int], user: User) -> int:
    """End sessions of a user; how many they were."""
    mine = (UserSession.user_id == user.id, UserSession.id.in_(session_ids))
    return len(session.execute(delete(UserSession).where(*mine).returning(UserSession.id)).all())


def end_former(session: Session, session_id: int | None) -> None:
    """End the session that a browser brings to a login, if any, whosever it is."""
    if session_id is not None:
        session.execute(delete(UserSession).where(UserSession.id == session_id))


def end_all(session: Session, user: User) -> int:
    """End every session of a user, also those that wait for a step of their login; how many there were."""
    session.execute(delete(PendingLogin).where(PendingLogin.user_id == user.id))
    ended = session.execute(
        delete(UserSession).where(UserSession.user_id == user.id).returning(UserSession.id)
    )
    return len(ended.all())


def _of(user_id: int) -> Select[UserSession]:
    newest_first = (UserSession.last_seen_at.desc(), UserSession.id.desc())
    return select(UserSession).where(UserSession.user_id == user_id).order_by(*newest_first)


def _alive(limits: Limits, now: datetime) -> ColumnElement[bool]:
    return and_(UserSession.created_at > now - limits.absolute, UserSession.last_seen_at > now - limits.idle)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
