"""Reading what a caller sent."""

import json
from datetime import datetime
from typing import Any

from flask import abort, request

from ...errors import InvalidInput
from ...imports.fields import FieldError, InstantReader
from ...settings import service as settings_service

WITH_OBJECT = ("POST", "PUT", "PATCH")


def json_object() -> dict[str, Any]:
    """The body, which must be a JSON object. Answers 415 or 400 otherwise."""
    if not request.is_json:
        abort(415, "Send JSON, with the header Content-Type: application/json.")
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        abort(400, "The body is not JSON.")
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    return body


def check_body() -> None:
    """Before the views of a blueprint that take JSON objects: a body that is none is told so first."""
    if request.method in WITH_OBJECT:
        json_object()


def query_of_request() -> Any:
    """The address's query as the view's schema has read it."""
    return request.context.query  # type: ignore[attr-defined] # put there by SpecTree


def body_of_request() -> Any:
    """The body as the view's schema has read it."""
    return request.context.json  # type: ignore[attr-defined] # put there by SpecTree


def read_instant(name: str, text: str, *, now: datetime, refused: str = "", status: int = 422) -> datetime:
    """An instant as readings have it: without an offset on the clocks of the schedule, not after ``now``.

    Raises InvalidInput for the field ``name``, in whole saying what was ``refused``, otherwise why.
    """
    zone = settings_service.current().settings.schedule.zone
    try:
        return InstantReader(zone, now=now)(text.strip())
    except FieldError as error:
        why = str(error).removeprefix("reading_date ")
        raise InvalidInput(refused or f"{name} {why}.", {name: [f"It {why}."]}, status) from error
