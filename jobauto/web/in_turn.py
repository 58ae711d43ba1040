"""What requests wait for: of some things a process does few at once, for each takes a thread for seconds, or
much memory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from werkzeug.exceptions import TooManyRequests

from ..extensions import db
from ..turns import NoTurn, Turns
from . import security_log

RETRY_SECONDS = 10


@contextmanager
def in_turn(turns: Turns, why: str, event: str) -> Iterator[None]:
    """One's turn, also around a view. Raises TooManyRequests, and tells the security log of the ``event``.

    Nobody waits in a transaction: what was asked of the database before is asked anew.
    """
    db.session.rollback()
    with ExitStack() as held:
        try:
            held.enter_context(turns.turn())
        except NoTurn as error:
            security_log.warn(event)
            raise TooManyRequests(why, retry_after=RETRY_SECONDS) from error
        yield
