"""How many bytes a request may send, decided before any of them is read.

1. Every request begins with ``MAX_CONTENT_LENGTH``, which is ``PAGE``: a stranger never has more.
2. Whoever the gate lets in has the limit of the address: a page that needs more joins a table here.
3. A form is read into memory, at many times its size (190 bytes for a ``%``), and so is a JSON object (as
   much for each name that is not known, which its answer tells). So what an address may have more of than
   others is of one kind: a form, a file in parts, which goes to disk, rows, or a document. Of large forms one
   is read at a time (:mod:`jobauto.web.form_parser`).

nginx has the same numbers (deploy/nginx); ``tests/deploy`` compares them.
"""

from collections.abc import Mapping

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from ..imports import uploads

PAGE = 256_000
API = 10_000_000
FILE = uploads.LARGEST

FORMS = {"/policies/": 2_000_000}
"""Of pages with long forms: all below an address."""

ROWS = {"api_readings.reading_import", "api_sites.site_import"}
"""The endpoints of the API that take rows, one by one: of ``API``. Other bodies are objects, and small."""

DOCUMENTS = {"/api/job-automation/policies/": 2_000_000, "/api/profiles/": 2_000_000}
"""Of the API with long objects: all below an address."""

FILES = {
    "imports.submit",
    "profiles.edit_submit",
    "profiles.new_submit",
    "profiles.try_out",
    "proposals.begin",
}
"""The endpoints that take a file. (A profile is saved by the form with which it is tried on one.)"""

MOST_FIELDS = 20
LONGEST_FIELD = 150_000
"""Of a form with a file, which could otherwise carry as much in its fields as in the file.

Werkzeug reads 64 KiB at a time, and means with the length of a field also what it has not looked at yet.
"""

_PARTS = "multipart/form-data"
FORM_KINDS = (_PARTS, "application/x-www-form-urlencoded")


def allow_body() -> None:
    """Give a request that the gate lets in the limit of its address."""
    if request.endpoint in FILES and request.mimetype == _PARTS:
        request.max_content_length = FILE
        request.max_form_parts = MOST_FIELDS
        request.max_form_memory_size = LONGEST_FIELD
    elif not request.path.startswith("/api/"):
        request.max_content_length = _of_address(FORMS)
    elif request.mimetype not in FORM_KINDS:
        request.max_content_length = API if request.endpoint in ROWS else _of_address(DOCUMENTS)


def _of_address(limits: Mapping[str, int]) -> int | None:
    return next((limit for address, limit in limits.items() if request.path.startswith(address)), None)


def require_whole() -> None:
    """Have a body that says how long it is be read to that length, or refused.

    gunicorn says that it ends each body itself. Of one whose connection broke off it hands out what has come,
    and Werkzeug would believe it: a row of it may end within its number.
    """
    if request.content_length is not None:
        request.environ.pop("wsgi.input_terminated", None)


def check_unmeasured() -> None:
    """Read a body that does not say how long it is. Raises RequestEntityTooLarge where it is too long.

    Werkzeug would take as much as is allowed, and leave the rest without a word: half of a file's rows.
    """
    is_open = request.content_length is None and "wsgi.input_terminated" in request.environ
    if is_open and request.mimetype != _PARTS:
        request.get_data()
        if request.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
