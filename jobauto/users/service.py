"""Changing accounts: roles, deactivation, passwords, tokens. The last admin cannot be lost."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..auth import service as auth
from ..auth import sessions
from ..errors import InvalidInput
from ..models import ApiToken, User
from ..models.user import ROLES
from ..storage.connections import write


def set_role(username: str, role: str, *, author: Author) -> None:
    """Give a user another role. Raises InvalidInput where no active admin would be left."""
    if role not in ROLES:
        raise InvalidInput("The role was not changed.", {"role": [f"Must be one of {', '.join(ROLES)}."]})
    with write() as session:
        user = _locked(session, username)
        record(session, author, "user", username, [("role", user.role, role)] if user.role != role else [])
        user.role = role
        _require_an_admin(session)


def set_active(username: str, active: bool, *, author: Author) -> None:
    """Deactivate a user, which ends the sessions and tokens, or activate again. Raises InvalidInput."""
    with write() as session:
        user = _locked(session, username)
        record(
            session,
            author,
            "user",
            username,
            [("active", user.active, active)] if user.active != active else [],
        )
        user.active = active
        _require_an_admin(session)
        if not active:
            sessions.end_all(session, user)


def end_sessions(username: str, *, author: Author) -> None:
    """End every session of a user; the tokens stay."""
    with write() as session:
        user = auth.by_name(username)
        sessions.end_all(session, user)
        record(session, author, "user", username, [("sessions", None, "ended")])


def revoke_token(token_id: int, *, author: Author, owner: str | None = None) -> None:
    """Make a token worthless; with ``owner``, only one of that user. Does nothing to one that is already."""
    with write() as session:
        token = session.get(ApiToken, token_id)
        if token is None or owner not in (None, token.user.username):
            raise InvalidInput("There is no such token.", status=404)
        if token.revoked_at is None:
            token.revoked_at = author.now
            record(session, author, "token", token.user.username, [("revoked", None, token.name)])


def _locked(session: Session, username: str) -> User:
    # All admins are locked, not only this one: two of them might be taking the role from each other.
    session.execute(
        select(User.id).where(User.role == "admin", User.active).order_by(User.id).with_for_update()
    )
    return auth.by_name(username)


def _require_an_admin(session: Session) -> None:
    session.flush()
    if session.scalar(select(User.id).where(User.role == "admin", User.active).limit(1)) is None:
        raise InvalidInput("This is the last active admin. Make somebody else an admin first.", status=409)
