"""Files that a page reads within its request: one after the other in a process, for one that is held as a
whole, such as a workbook, takes half a gigabyte and a thread for seconds, however small it was sent."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from ..extensions import db
from ..turns import NoTurn, Turns
from . import security_log

IN_LINE = 3
"""So many wait for their turn, so that threads are left for pages; the next one is told at once."""
RETRY_SECONDS = 10

FILES = Turns(1, IN_LINE)


def reads_a_file(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """A view that waits for its turn. Raises TooManyRequests."""

    @wraps(view)
    def in_turn(**of_address: Any) -> ResponseReturnValue:
        db.session.rollback()  # nobody waits in a transaction
        try:
            with FILES.turn():
                return view(**of_address)
        except NoTurn as error:
            security_log.warn("uploads-limited")
            why = "Other files are being read, so this one was not taken. Send it again in some seconds."
            raise TooManyRequests(why, retry_after=RETRY_SECONDS) from error

    return in_turn
