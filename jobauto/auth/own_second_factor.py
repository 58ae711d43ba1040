"""Changing one's own second factor while logged in. Whoever found the screen unlocked has no code."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..models import User
from ..storage.configuration import second_factor_roles
from ..storage.connections import write
from . import second_factor
from .second_factor import WrongCode
from .sessions import Client


class SecondFactorNeeded(Exception):
    """The user's role must have one."""


def set_up(user_id: int, sealed: str, code: str, client: Client) -> list[str]:
    """Take a proposed second factor up; the recovery codes. Raises WrongCode and ProposalOver."""
    with write() as session:
        user = _locked(session, user_id)
        proposal = second_factor.proposed(user, sealed, client.now)
        return second_factor.set_up(session, user, proposal, code, client.now)


def renew_recovery_codes(user_id: int, code: str, client: Client) -> list[str]:
    """New recovery codes instead of the former ones. Raises WrongCode and Throttled."""
    with write() as session:
        user = _locked(session, user_id)
        if second_factor.give_code(session, user, code, client):
            author = Author(user.username, client.now)
            record(session, author, "user", user.username, [("recovery_code", None, "renewed")])
            return second_factor.renew_recovery_codes(session, user)
    raise WrongCode


def switch_off(user_id: int, code: str, client: Client) -> None:
    """Do without. Raises WrongCode, Throttled and SecondFactorNeeded."""
    with write() as session:
        user = _locked(session, user_id)
        if user.role in second_factor_roles():
            raise SecondFactorNeeded
        if second_factor.give_code(session, user, code, client):
            second_factor.remove(session, user)
            author = Author(user.username, client.now)
            record(session, author, "user", user.username, [("second_factor", "on", "off")])
            return
    raise WrongCode


def _locked(session: Session, user_id: int) -> User:
    return session.scalars(select(User).where(User.id == user_id).with_for_update()).one()
