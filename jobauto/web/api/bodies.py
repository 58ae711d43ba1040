"""Reading what a caller sent."""

import json
from typing import Any

from flask import abort, request

WITH_OBJECT = ("PUT", "PATCH")


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
    """Before a view: a body that is no JSON object at all is told so, before what is wrong inside it."""
    if request.method in WITH_OBJECT:
        json_object()


def query_of_request() -> Any:
    """The address's query as the view's schema has read it."""
    return request.context.query  # type: ignore[attr-defined] # put there by SpecTree


def body_of_request() -> Any:
    """The body as the view's schema has read it."""
    return request.context.json  # type: ignore[attr-defined] # put there by SpecTree
