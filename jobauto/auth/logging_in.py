"""A login after its first step: what it asks for, step by step; each returns where it stands then.

The user's row is locked first. So codes are looked at one after the other, however many come at once, and a
password that is changed meanwhile leaves no pending login to go on with.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from ..audit.service import Author, record
from ..models import User
from ..storage.connections import write
from . import passwords, second_factor, service, sessions, steps
from .second_factor import WrongCode
from .sessions import Client
from .steps import Entered, LoginOver, Proven


def enter_by_issuer(
    user_id: int, client: Client, *, second_factor: bool, at: datetime, instead_of: int | None = None
) -> Entered:
    """Begin what is left of a login whose first step an issuer has proven. Raises LoginOver.

    ``at`` is when its user has shown there who they are, which may have been in the morning.
    """
    with write() as session:
        user = session.scalar(select(User).where(User.id == user_id, User.active).with_for_update())
        if user is None:
            raise LoginOver
        sessions.end_former(session, instead_of)
        proven = Proven(by_password=False, second_factor=second_factor, at=at)
        return steps.enter(session, user, proven, client)


def give_code(key: str, code: str, client: Client) -> Entered:
    """Give a code of the app or for recovery. Raises WrongCode, Throttled and LoginOver."""
    with write() as session:
        user = steps.user_of(session, key, client.now)
        if second_factor.give_code(session, user, code, client):
            proven = steps.take(session, user, key, steps.SECOND_FACTOR, client.now)
            return steps.enter(session, user, replace(proven, second_factor=True), client)
    raise WrongCode


def set_up(key: str, sealed: str, code: str, client: Client) -> tuple[Entered, list[str]]:
    """Take a proposed second factor up; also the recovery codes.

    Raises WrongCode, ProposalOver and LoginOver.
    """
    with write() as session:
        user = steps.user_of(session, key, client.now)
        proposal = second_factor.proposed(user, sealed, client.now)
        proven = steps.take(session, user, key, steps.SET_UP, client.now)
        codes = second_factor.set_up(session, user, proposal, code, client.now)
        return steps.enter(session, user, replace(proven, second_factor=True), client), codes


def give_new_password(key: str, password: str, client: Client) -> Entered:
    """Change the password that somebody else has set. Raises PasswordRefused, LoginOver and passwords.Busy.

    It is looked at before the user is locked: whoever waits for the lock holds a thread that pages need.
    """
    waiting = steps.waiting(key, client.now)
    if waiting is None:
        raise LoginOver
    with passwords.in_line(waiting.user.id):
        if passwords.matches(waiting.user.password_hash, password):
            raise service.PasswordRefused(service.SET_BY_ANOTHER)
        kept = service.hash_of_good(password, waiting.user.username)
    with write() as session:
        user = steps.user_of(session, key, client.now)
        proven = steps.take(session, user, key, steps.NEW_PASSWORD, client.now)
        user.password_hash, user.password_lapses_at = kept, None
        sessions.end_all(session, user)
        author = Author(user.username, client.now)
        record(session, author, "user", user.username, [("password", None, "changed")])
        return steps.enter(session, user, proven, client)
