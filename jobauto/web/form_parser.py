"""How forms are taken apart: large ones one after the other.

While one is, it takes up to 190 times its size, and a third of a second. Eight at once would take a process
to 500 MB, which it keeps, and be no faster: one process works with one processor.
"""

from io import BytesIO
from typing import IO, TYPE_CHECKING

from flask import Flask, Request
from flask_login import current_user
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

from ..turns import Turns
from .in_turn import in_turn

if TYPE_CHECKING:
    from werkzeug.formparser import t_parse_result

SMALL = 32_000
"""Bytes of a form that waits for none."""
IN_LINE = 2
"""So many more wait for their turn, so that threads are left for pages; the next one is told at once."""

LARGE_FORMS = Turns(1, IN_LINE)
OF_STRANGERS = Turns(1, IN_LINE)
"""Their own line: anybody may send many, and keeps nobody who is logged in waiting."""


class Parser(FormDataParser):
    """As Werkzeug's, in turn. Files in parts go to disk, and are not meant."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> "t_parse_result":
        """Take a form apart. Raises TooManyRequests, and BadRequest where a field has no name."""
        if mimetype != "application/x-www-form-urlencoded":
            parsed = super().parse(stream, mimetype, content_length, options)
            if None in parsed[1]:
                raise BadRequest("A part of the form has no name.")
            return parsed
        whole = stream.read()  # before the turn: it may come slowly
        if len(whole) <= SMALL:
            return super().parse(BytesIO(whole), mimetype, content_length, options)
        line = LARGE_FORMS if current_user.is_authenticated else OF_STRANGERS
        why = "Other large forms are being read, so nothing was done. Send it again in some seconds."
        with in_turn(line, why, "uploads-limited"):
            return super().parse(BytesIO(whole), mimetype, content_length, options)


class ParsedInTurn(Request):
    """A request whose form is taken apart so."""

    form_data_parser_class = Parser


def init_app(app: Flask) -> None:
    """Take the forms of an app apart so."""
    app.request_class = ParsedInTurn
