"""Changing accounts: roles, deactivation, passwords, tokens. The last admin cannot be lost."""

from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..audit.conflicts import Seen, asked_for, require_agreement
from ..audit.service import Author, record
from ..auth import service as auth
from ..auth import sessions, tokens
from ..errors import InvalidInput
from ..jobs import service as jobs
from ..models import ApiToken, User
from ..models.user import ROLES
from ..storage.configuration import second_factor_roles
from ..storage.connections import write
from . import mail_addresses


def set_role(username: str, role: str, *, author: Author, seen: Seen = MappingProxyType({})) -> bool:
    """Give a user another role; whether that changed anything. ``seen`` is what the editor looked at.

    Sessions end where the role must have a second factor, and the former need not: they have shown none.
    Raises InvalidInput where no active admin would be left, and EditConflict.
    """
    if role not in ROLES:
        raise InvalidInput("The role was not changed.", {"role": [f"Must be one of {', '.join(ROLES)}."]})
    with write() as session:
        user = _locked(session, username)
        asked = asked_for({"role": role}, seen)
        require_agreement(session, "user", username, user, asked, seen)
        if not asked or user.role == role:
            return False
        record(session, author, "user", username, [("role", user.role, role)])
        if role in second_factor_roles() and user.role not in second_factor_roles():
            sessions.end_all(session, user)
        user.role = role
        _require_an_admin(session)
        return True


def set_active(username: str, active: bool, *, author: Author, hand_over_to: str | None = None) -> bool:
    """Deactivate a user, which ends sessions and tokens for good, or activate; whether it changed anything.

    With ``hand_over_to``, a user or nobody (empty), their open jobs go there in the same transaction.
    Raises InvalidInput where no active admin would be left, or nobody can take the jobs.
    """
    with write() as session:
        user = _locked(session, username)
        if user.active == active:
            return False
        record(session, author, "user", username, [("active", user.active, active)])
        user.active = active
        _require_an_admin(session)
        if not active:
            sessions.end_all(session, user)
            tokens.revoke_all(session, user, author)
            mail_addresses.silence(session, user, author.now)
        if hand_over_to is not None:
            jobs.hand_over(session, username, hand_over_to, author)
        return True


def hand_over(username: str, to: str, *, author: Author) -> int:
    """Give a user's open jobs to somebody else, or to nobody (empty); how many they were.

    Raises InvalidInput.
    """
    with write() as session:
        return jobs.hand_over(session, username, to, author)


def end_sessions(username: str, *, author: Author) -> int:
    """End every session of a user; how many they were. The tokens stay."""
    with write() as session:
        user = auth.by_name(username)
        # Locked, as by who is about to begin one: that one has it, or comes too late.
        session.refresh(user, with_for_update={"key_share": True})
        ended = sessions.end_all(session, user)
        if ended:
            record(session, author, "user", username, [("sessions", None, "ended")])
        return ended


def revoke_token(token_id: int, *, author: Author, owner: str | None = None) -> bool:
    """Make a token worthless; with ``owner``, only one of that user. False: it was worthless already."""
    with write() as session:
        token = session.get(ApiToken, token_id)
        if token is None or owner not in (None, token.user.username):
            raise InvalidInput("There is no such token.", status=404)
        if token.revoked_at is not None:
            return False
        token.revoked_at = author.now
        record(session, author, "token", token.user.username, [("revoked", None, token.name)])
        return True


def _locked(session: Session, username: str) -> User:
    # All admins are locked, not only this one: two of them might be taking the role from each other. Whoever
    # has locked a job and notes to whom it goes, by the key alone, is not kept waiting for whom we wait for.
    session.execute(
        select(User.id)
        .where(User.role == "admin", User.active)
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    user = auth.by_name(username)
    session.refresh(user, with_for_update={"key_share": True})
    return user


def _require_an_admin(session: Session) -> None:
    session.flush()
    if session.scalar(select(User.id).where(User.role == "admin", User.active).limit(1)) is None:
        raise InvalidInput("This is the last active admin. Make somebody else an admin first.", status=409)
