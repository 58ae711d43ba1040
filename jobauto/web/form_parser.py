"""How forms are taken apart: large ones one after the other.

While one is, it takes up to 190 times its size, and a third of a second. Eight at once would take a process
to 500 MB, which it keeps, and be no faster: one process works with one processor. One that comes in parts
takes less, and as long.
"""

from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from flask import Flask, Request, request
from flask_login import current_user
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from ..turns import Turns
from .body_limits import FILE, FORM_KINDS
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
    """As Werkzeug's, in turn. What may bring a file goes to disk as it comes, and is not meant."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> "t_parse_result":
        """Take a form apart. Raises TooManyRequests, and BadRequest where a field has no name."""
        if mimetype not in FORM_KINDS or request.max_content_length == FILE:
            return self._named(stream, mimetype, content_length, options)
        whole = stream.read()  # before the turn: it may come slowly
        if len(whole) <= SMALL:
            return self._named(BytesIO(whole), mimetype, content_length, options)
        line = LARGE_FORMS if current_user.is_authenticated else OF_STRANGERS
        why = "Other large forms are being read, so nothing was done. Send it again in some seconds."
        with in_turn(line, why, "uploads-limited"):
            return self._named(BytesIO(whole), mimetype, content_length, options)

    def _named(self, *asked: Any) -> "t_parse_result":
        parsed = super().parse(*asked)
        if None in parsed[1]:
            raise BadRequest("A part of the form has no name.")
        return parsed


class ParsedInTurn(Request):
    """A request whose form is taken apart so."""

    form_data_parser_class = Parser


def require_no_json() -> None:
    """Refuse JSON on a page. Raises UnsupportedMediaType.

    Flask-WTF would take it for a form: one that waits in no line, with fields that are no texts.
    """
    if request.is_json and not request.path.startswith("/api/"):
        raise UnsupportedMediaType("A page takes a form, and no JSON.")


def init_app(app: Flask) -> None:
    """Take the forms of an app apart so."""
    app.request_class = ParsedInTurn
