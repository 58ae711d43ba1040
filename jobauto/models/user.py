"""People and their tokens."""

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import Boolean, ForeignKey, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..extensions import Base
from .types import Instant, PrimaryKey

ROLES = ("viewer", "operator", "admin")
"""Each may do what those before it may."""

SCOPES = ("read", "ingest", "full")
"""What a token may be used for: to look, to bring readings and sites, for all that its user may do."""

ROWS = (25, 50, 100)
"""How many jobs a page of the list may have, as people choose it; the first unless they do."""


class User(UserMixin, Base):  # type: ignore[misc] # Flask-Login ships no types
    """A person."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    password_lapses_at: Mapped[datetime | None] = mapped_column(Instant)
    """Of a password that somebody else has set: it must be changed at the next login, and ends then."""

    rows_a_page: Mapped[int | None] = mapped_column(Integer)
    """How many jobs a page of the list has, once this person has chosen."""

    session_key = ""  # not stored: the key of the session in which this request found the user

    @property
    def is_active(self) -> bool:
        """For Flask-Login: somebody who was deactivated cannot log in."""
        return self.active

    def get_id(self) -> str:
        """For Flask-Login: what the session cookie carries."""
        return self.session_key

    def may(self, role: str) -> bool:
        """Whether this person has at least the given role."""
        return ROLES.index(self.role) >= ROLES.index(role)


MAY_WORK_JOBS = (User.active, User.role != "viewer")
"""Whom a job may be given, by the page and by the API."""


class ApiToken(Base):
    """A token for scripts. Only its SHA-256 is stored; it carries 256 random bits, so no salt is needed.

    It is worth something until ``expires_at``, unless it was revoked. ``told_days`` is how many days before
    its end that was told last. ``from_before``: it was made when tokens had neither scope nor end.
    """

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(10), default="full", server_default="full")
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    told_days: Mapped[int | None] = mapped_column(Integer)
    from_before: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    def describe(self) -> str:
        """How the audit log names it: several may be called alike."""
        return f"{self.id} ({self.name})"


class UserSession(Base):
    """A login that has not ended: the row is the session, and without it the cookie is worth nothing.

    The cookie carries 256 random bits, of which only the SHA-256 is stored. ``last_seen_at`` is written
    rarely (see :mod:`jobauto.auth.sessions`). ``proven_at`` is when its user last showed who they are.
    """

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    proven_at: Mapped[datetime] = mapped_column(Instant)
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class LoginFailure(Base):
    """Failed logins in a row, of one account or from one address; worth nothing after ``forget_at``.

    ``subject`` is a keyed hash: what people type into the wrong field is not kept.
    """

    __tablename__ = "login_failure"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(Instant)
    forget_at: Mapped[datetime] = mapped_column(Instant, index=True)
