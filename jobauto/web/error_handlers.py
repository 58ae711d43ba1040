"""Errors as the caller can read them: JSON under /api/, a page elsewhere; never a traceback."""

import logging
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError, InternalError, OperationalError, ProgrammingError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    SecurityError,
    ServiceUnavailable,
)

from ..auth.passwords import Busy
from ..errors import InvalidInput
from ..extensions import db
from ..logs import LogEvent
from ..storage.connections import (
    DatabaseNotReady,
    DatabaseUnreachable,
    is_unavailable,
    require_ready,
    unreachable,
)
from ..storage.leases import LeaseLost
from . import security_log

log = logging.getLogger("jobauto.errors")

TITLES = {
    403: "Not allowed",
    404: "Not found",
    413: "Too large",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available",
}
"""What a page says above the reason."""
REASONS = {
    405: "This address cannot be asked in this way.",
    413: "More was sent than this address takes.",
    500: "This is a fault of the program. Its log says more.",
}
"""Why, where nobody said it more closely."""


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(SecurityError, untrusted_host)
    app.register_error_handler(InvalidInput, invalid_input)
    app.register_error_handler(DatabaseNotReady, database_not_ready)
    app.register_error_handler(LeaseLost, lease_lost)
    app.register_error_handler(Busy, busy)
    app.register_error_handler(DataError, data_error)
    app.register_error_handler(OperationalError, database_error)
    app.register_error_handler(InternalError, database_error)
    app.register_error_handler(ProgrammingError, database_error)


def http_error(error: HTTPException) -> ResponseReturnValue:
    """What Flask refuses, and what nobody expected."""
    if isinstance(error, NotFound) and request.url_rule is None:
        error = _with_the_last_slash() or NotFound("There is no page at this address.")
    elif isinstance(error, MethodNotAllowed) and not request.path.endswith("/"):
        error = _with_the_last_slash() or error
    if error.code is None or error.code < 400:
        return error
    response = _answer(error.code, _reason(error), {})
    for name in ("Allow", "Retry-After"):
        if value := error.get_response().headers.get(name):
            response.headers[name] = value
    return response


def _reason(error: HTTPException) -> str:
    said = error.description if error.description != type(error).description else None
    return said or REASONS.get(error.code or 0) or error.description or error.name


def _with_the_last_slash() -> MethodNotAllowed | None:
    # Werkzeug adds a missing slash only for a method that the address knows, and calls others not found.
    # Where a site's address is the beginning of another, it names the methods of the site's alone.
    adapter = current_app.create_url_adapter(request)
    try:
        if adapter:
            adapter.match(f"{request.path}/")
    except MethodNotAllowed as error:
        return error
    except HTTPException:
        pass
    return None


def untrusted_host(_error: SecurityError) -> ResponseReturnValue:
    """A request for a host name that is not ours, or is none. A page could not even link to itself."""
    security_log.warn("host-refused")
    message = "This host name is not served here."
    if request.path.startswith("/api/"):
        return {"error": message, "fields": {}}, 400
    return Response(f"{message}\n", status=400, mimetype="text/plain")


def invalid_input(error: InvalidInput) -> ResponseReturnValue:
    """What a service refused."""
    return _answer(error.status, str(error), error.fields)


def database_not_ready(error: DatabaseNotReady) -> ResponseReturnValue:
    """A database that is missing, old or silent, with what to do."""
    message = str(error)
    if isinstance(error, DatabaseUnreachable):
        log.error(LogEvent("database-unreachable", error=error))
        message = error.advice
    unavailable = ServiceUnavailable(message)
    unavailable.__cause__ = error
    return http_error(unavailable)


def lease_lost(_error: LeaseLost) -> ResponseReturnValue:
    """This process stood still for so long that its work was given up for dead."""
    db.session.rollback()
    why = "This took so long that it was given up; what is done stays. Send it again: nothing is done twice."
    return http_error(ServiceUnavailable(why))


def busy(error: Busy) -> ResponseReturnValue:
    """More people log in at once than passwords can be looked at."""
    security_log.warn("logins-busy")
    return http_error(ServiceUnavailable(str(error), retry_after=Busy.SECONDS))


def data_error(_error: DataError) -> ResponseReturnValue:
    """A value that PostgreSQL cannot hold, such as a text with NUL."""
    db.session.rollback()
    return http_error(BadRequest("The request holds a character or a number that cannot be stored."))


def database_error(error: OperationalError | InternalError | ProgrammingError) -> ResponseReturnValue:
    """Tell a database that is not ready from a fault of ours."""
    db.session.rollback()
    log.exception(LogEvent("database-error", method=request.method, path=request.path))
    try:
        require_ready()
    except DatabaseNotReady as reason:
        return database_not_ready(reason)
    if is_unavailable(error):
        return database_not_ready(unreachable(error))
    return http_error(InternalServerError())


def _answer(status: int, message: str, fields: dict[str, list[str]]) -> Response:
    if request.path.startswith("/api/"):
        response = jsonify({"error": message, "fields": fields})
    else:
        title = TITLES.get(status, "Not accepted")
        response = make_response(_page(status=status, title=title, message=message))
    response.status_code = status
    return response


def _page(status: int, **told: Any) -> str:
    if status < 500:
        return render_template("error.html", status=status, **told)
    # Without what the frame asks the database and the session: it may be the very thing that failed.
    return current_app.jinja_env.get_template("error.html").render(status=status, **told)
