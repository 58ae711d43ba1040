"""Who somebody is here, whom an issuer has proven: by issuer and subject, never by a name alone.

1. The role follows from a claim, at each login. Without one nobody comes in.
2. A subject that is known is its user.
3. Another one becomes a new user, if nobody has the name yet. A name that is taken is not given away: an
   administrator may connect the two.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from ..audit.service import Author, record
from ..auth import service as auth
from ..auth import sessions
from ..auth.service import USERNAME, AccountError
from ..extensions import db
from ..models import Identity, User
from ..models.user import ROLES
from ..storage.configuration import Issuer, break_glass_admin
from ..storage.connections import write
from . import service

ANYBODY = "*"
LONGEST_SUBJECT = 255
VERIFIED = "email_verified"


class SignOnRefused(Exception):
    """Somebody whom the issuer knows does not come in here; says why, to them."""


@dataclass(frozen=True)
class Proven:
    """What an issuer says of somebody: the claims of a checked ID token.

    ``anew``: it was told to ask the person, and not only the browser.
    """

    issuer: Issuer
    claims: dict[str, Any]
    anew: bool = False

    @property
    def subject(self) -> str:
        """By what the issuer knows them, for ever. Raises SignOnRefused."""
        subject = self.claims.get("sub")
        if not isinstance(subject, str) or not _is_subject(subject):
            raise SignOnRefused("The issuer did not say who you are.")
        return subject

    @property
    def role(self) -> str | None:
        """The highest role that the claim gives."""
        roles = self.issuer.roles
        found = {roles[value] for value in (*self._values(), ANYBODY) if value in roles}
        return max(found, key=ROLES.index, default=None)

    @property
    def has_second_factor(self) -> bool:
        """Whether the issuer says that it asked for more than one factor (RFC 8176)."""
        return "mfa" in (self.claims.get("amr") or [])

    def at(self, now: datetime) -> datetime:
        """When they have shown the issuer who they are: it may know the browser since the morning.

        An issuer that does not say so is believed where it was told to ask.
        """
        said = self.claims.get("auth_time")
        if isinstance(said, int | float):
            with suppress(ValueError, OverflowError, OSError):
                # Some say the first second of all years where they do not know, and no backup holds that.
                return max(sessions.LONG_AGO, min(datetime.fromtimestamp(said, UTC), now))
        return now if said is None and self.anew else sessions.LONG_AGO

    @property
    def username(self) -> str:
        """What a new user is called. Raises SignOnRefused."""
        claim = self.issuer.username_claim
        name = self.claims.get(claim)
        if not self._may_trust(claim):
            raise SignOnRefused("The issuer has not verified your e-mail address.")
        if not isinstance(name, str) or not USERNAME.fullmatch(name):
            raise SignOnRefused(f"The issuer gave no name (claim {claim}) that a user can have here.")
        return name.lower()

    def _values(self) -> Iterator[str]:
        claim = self.issuer.role_claim
        found: Any = self.claims
        for name in [claim] if claim in self.claims else claim.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if self._may_trust(claim):
            yield from (
                value for value in (found if isinstance(found, list) else [found]) if isinstance(value, str)
            )

    def _may_trust(self, claim: str) -> bool:
        return claim != "email" or self.claims.get(VERIFIED) is True


def person(proven: Proven, now: datetime) -> User:
    """The user, with the role that the claim gives now. Raises SignOnRefused, and InvalidInput.

    InvalidInput where the role cannot be changed, because no active admin would be left.
    """
    subject, role = proven.subject, proven.role
    user = _known(proven.issuer.url, subject)
    if role is None:
        if user is not None:
            service.end_sessions(user.username, author=Author(None, now))
        raise SignOnRefused("The issuer gives you no role in this program.")
    if user is None:
        return _create(proven, subject, role, now)
    if not user.active:
        raise SignOnRefused("Your account is deactivated.")
    service.set_role(user.username, role, author=Author(None, now))
    return user


def connect(username: str, issuer: str, subject: str, author: Author) -> None:
    """Let a subject of the issuer be an existing user, instead of any other one. Raises AccountError."""
    if not _is_subject(subject):
        raise AccountError(f"A subject has 1 to {LONGEST_SUBJECT} characters.")
    with write() as session:
        user = auth.by_name(username)
        session.execute(
            delete(Identity).where(
                (Identity.user_id == user.id) | ((Identity.issuer == issuer) & (Identity.subject == subject))
            )
        )
        session.add(Identity(issuer=issuer, subject=subject, user_id=user.id, created_at=author.now))
        record(session, author, "user", user.username, [("single_sign_on", None, f"{subject} at {issuer}")])


def identity_of(user: User) -> Identity | None:
    """By what an issuer knows a user."""
    found: Identity | None = db.session.scalar(select(Identity).where(Identity.user_id == user.id))
    return found


def _is_subject(text: str) -> bool:
    return 1 <= len(text) <= LONGEST_SUBJECT and text.isprintable()


def _known(issuer: str, subject: str) -> User | None:
    of = select(User).join(Identity).where(Identity.issuer == issuer, Identity.subject == subject)
    found: User | None = db.session.scalar(of)
    return found


def _create(proven: Proven, subject: str, role: str, now: datetime) -> User:
    name, author = proven.username, Author(None, now)
    if name == break_glass_admin():
        raise SignOnRefused(f"The name {name} is kept for the break-glass admin.")
    user = User(username=name, password_hash="", role=role, active=True, created_at=now)
    try:
        with write() as session:
            session.add(user)
            session.flush()
            session.add(Identity(issuer=proven.issuer.url, subject=subject, user_id=user.id, created_at=now))
            origin = ("single_sign_on", None, f"{subject} at {proven.issuer.url}")
            record(session, author, "user", name, [("created", None, role), origin])
    except IntegrityError:
        if (made_meanwhile := _known(proven.issuer.url, subject)) is not None:
            return made_meanwhile
        raise SignOnRefused(
            f"There is a user {name} already. If that is you, an administrator connects the two: "
            f"jobauto connect-user {name} {subject}"
        ) from None
    return user
