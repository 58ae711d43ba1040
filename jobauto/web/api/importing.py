"""Rows that come in by the API: JSON or CSV, each taken or rejected on its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from typing import BinaryIO

from flask import abort, request

from ...errors import InvalidInput
from ...extensions import db
from ...imports.lines import FileError
from ...imports.profiles.packed import SIGNATURE
from ...imports.result import ImportResult
from ...imports.rows import Source
from ...turns import Turns
from .. import body_limits
from ..in_turn import in_turn

AT_ONCE = 2
"""So many large bodies a process has in hand at once: each takes up to 200 MB, and a thread for seconds."""
IN_LINE = 3
"""So many more wait for their turn, so that threads are left for pages; the next one is told at once."""

LARGE_BODIES = Turns(AT_ONCE, IN_LINE)


@contextmanager
def body() -> Iterator[bytes]:
    """What the request brings, in hand for as long as it is worked on. Raises TooManyRequests."""
    db.session.rollback()  # as in the gate: the body may come slowly
    sent = request.get_data()  # before the turn, for the same reason
    why = "Other large bodies are worked on, so this one was not taken. Send it again in some seconds."
    with nullcontext() if _is_small(sent) else in_turn(LARGE_BODIES, why, "uploads-limited"):
        yield sent


def _is_small(sent: bytes) -> bool:
    """Of an archive the size tells nothing: a workbook of 60 kB takes as much memory as rows of 10 MB."""
    return len(sent) <= body_limits.PAGE and not sent.startswith(SIGNATURE)


def import_rows(
    from_csv: Callable[[BinaryIO], Source],
    from_json: Callable[[bytes], Source],
    load: Callable[[Source], ImportResult],
) -> ImportResult:
    """Take the request's rows. Raises InvalidInput where they are none."""
    is_csv = request.mimetype == "text/csv"
    if not (is_csv or request.is_json):
        abort(415, "Send JSON or CSV, with the header Content-Type: application/json or text/csv.")
    try:
        with body() as sent:
            return load(from_csv(BytesIO(sent)) if is_csv else from_json(sent))
    except FileError as error:
        raise InvalidInput(str(error)) from error
