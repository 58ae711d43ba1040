"""API tokens: made once, kept as a hash, worth something until they end or are revoked."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..extensions import db
from ..models import ApiToken, User
from ..models.user import SCOPES
from ..storage.connections import write

PREFIX = "jobauto_"
"""Lets scanners of leaked secrets recognise a token."""
NAME_LENGTH = 100
DAYS, MOST_DAYS = 365, 3650
"""How long a token lasts unless it is said, and at most."""
MOST_OF_A_USER = 100
"""So many tokens at most are worth something at once: each is told of before it ends, and listed."""
USE_NOTED_EVERY = timedelta(hours=1)
"""So often at most the last use of a token is written down, so that requests do not contend for it."""


@dataclass(frozen=True)
class NewToken:
    """A token as it is asked for: what it is for, what it may be used for, and for how many days."""

    name: str
    scope: str = "full"
    days: int = DAYS

    def reason_against(self) -> str | None:
        """Why there can be no such token, in a sentence; None where there can."""
        if not self.name.strip() or len(self.name) > NAME_LENGTH or not self.name.isprintable():
            return f"A token needs a name of 1 to {NAME_LENGTH} characters, all of which can be seen."
        if self.scope not in SCOPES:
            return f"A scope is one of {', '.join(SCOPES)}."
        if not 1 <= self.days <= MOST_DAYS:
            return f"A token lasts 1 to {MOST_DAYS:,} days."
        return None


def make(session: Session, user: User, wanted: NewToken, author: Author) -> str:
    """A new token of a user, in the caller's transaction. Only its hash is kept: it is shown this once."""
    token = PREFIX + secrets.token_urlsafe(32)
    name = wanted.name.strip()
    session.add(
        ApiToken(
            user_id=user.id,
            name=name,
            token_hash=_hash(token),
            scope=wanted.scope,
            created_at=author.now,
            expires_at=author.now + timedelta(days=wanted.days),
        )
    )
    record(session, author, "token", user.username, [("created", None, name)])
    return token


def by_token(token: str, now: datetime) -> ApiToken | None:
    """The token, if it is worth something and its user is active. Notes the use, rarely."""
    found: ApiToken | None = db.session.scalar(
        select(ApiToken).where(
            ApiToken.token_hash == _hash(token), ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
        )
    )
    if found is None or not found.user.active:
        return None
    if found.last_used_at is None or now - found.last_used_at > USE_NOTED_EVERY:
        with suppress(OperationalError), write(nowait=True):  # a busy database is no reason to wait
            found.last_used_at = now
    return found


def tokens_for(user: User, now: datetime) -> Select[ApiToken]:
    """A user's tokens that are worth something, newest first."""
    mine = (ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    return select(ApiToken).where(*mine).order_by(ApiToken.id.desc())


def revoke_all(session: Session, user: User, author: Author) -> int:
    """Make every token of a user worthless; how many they were."""
    mine = update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    revoked = session.execute(mine.values(revoked_at=author.now).returning(ApiToken.name)).all()
    record(session, author, "token", user.username, [("revoked", None, name) for (name,) in revoked])
    return len(revoked)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
