"""Rows that come in by the API: JSON or CSV, each taken or rejected on its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from threading import Lock
from typing import BinaryIO

from flask import abort, request

from ...errors import InvalidInput
from ...extensions import db
from ...imports.lines import FileError
from ...imports.result import ImportResult
from ...imports.rows import Source

LARGE = 500_000
"""Bytes of a body that has to wait for its turn."""
_turn = Lock()


def in_turn(body: bytes) -> AbstractContextManager[object]:
    """Held while the rows of a body are taken.

    A large one takes up to thirty times its bytes meanwhile, so a process takes them one after the other. To
    take several at once would be no faster: it is the processor that they need.
    """
    return _turn if len(body) > LARGE else nullcontext()


def import_rows(
    from_csv: Callable[[BinaryIO], Source],
    from_json: Callable[[bytes], Source],
    load: Callable[[Source], ImportResult],
) -> ImportResult:
    """Take the request's rows. Raises InvalidInput where they are none."""
    db.session.rollback()  # as in the gate: the body may come slowly
    is_csv = request.mimetype == "text/csv"
    if not (is_csv or request.is_json):
        abort(415, "Send JSON or CSV, with the header Content-Type: application/json or text/csv.")
    body = request.get_data()
    try:
        with in_turn(body):
            return load(from_csv(BytesIO(body)) if is_csv else from_json(body))
    except FileError as error:
        raise InvalidInput(str(error)) from error
