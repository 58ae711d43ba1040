"""Browsers that have logged in as a user before, which are known by a cookie (OWASP's device cookies).

It opens nothing. A browser that brings it has a count of failed logins of its own, so that whoever guesses at
the user's password elsewhere does not keep that browser out. It is worth nothing after a change of the
password, or of whether a second factor is asked for: whoever knew the password before may have made many.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from ..extensions import db
from ..models import SecondFactor, User

MOST_USERS = 10
"""Of one browser; the one who logged in longest ago is forgotten first."""


@dataclass(frozen=True)
class Device:
    """A browser: a name drawn by lot, and whom it knows, by number, with a mark of what was asked for."""

    name: str
    users: Mapping[int, str]

    def knows(self, user: User) -> bool:
        """Whether somebody has logged in with it as this user, with the password and second factor of now."""
        return self.users.get(user.id) == _mark(user)

    def with_user(self, user: User) -> "Device":
        """The same, knowing this user, too."""
        others = {user_id: mark for user_id, mark in self.users.items() if user_id != user.id}
        kept = list(others.items())[-(MOST_USERS - 1) :]
        return Device(self.name, {**dict(kept), user.id: _mark(user)})


def new_device() -> Device:
    """One that knows nobody."""
    return Device(secrets.token_urlsafe(16), {})


def _mark(user: User) -> str:
    # Of the salted hash, so that it tells nothing of the password.
    asked_for = f"device {user.id} {user.password_hash}"
    if (factor := db.session.get(SecondFactor, user.id)) is not None:
        asked_for += f" {factor.created_at.isoformat()}"
    return hashlib.sha256(asked_for.encode()).hexdigest()[:32]
