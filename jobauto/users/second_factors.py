"""Somebody has lost the device of their second factor, and an administrator takes it away."""

from sqlalchemy import select

from ..audit.service import Author, record
from ..auth import second_factor, sessions
from ..auth import service as auth
from ..models import User
from ..notifications import service as notifications
from ..storage.connections import write


def reset(username: str, *, author: Author) -> bool:
    """Take a user's second factor away, which ends their sessions; whether there was one.

    It is told to its owner at the next login, and to the channels of problems. Raises AccountError.
    """
    with write() as session:
        user_id = auth.by_name(username).id
        user = session.scalars(select(User).where(User.id == user_id).with_for_update()).one()
        if not second_factor.remove(session, user):
            return False
        sessions.end_all(session, user)
        record(session, author, "user", user.username, [("second_factor", "on", "reset")])
        notifications.second_factor_reset(session.connection(), user.username, author.name, author.now)
        return True
