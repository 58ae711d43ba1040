"""Rows that come in by the API: JSON or CSV, each taken or rejected on its own."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from flask import abort, request

from ...errors import InvalidInput
from ...extensions import db
from ...imports import rows
from ...imports.result import ImportResult
from .responses import ImportOut, LineErrorOut


def import_rows(
    required: Sequence[str],
    optional: Sequence[str],
    load: Callable[[Iterator[rows.Row | rows.Rejected]], ImportResult],
) -> ImportOut:
    """Take the request's rows and say what came of them. Raises InvalidInput where they are none."""
    try:
        result = load(_source(required, optional))
    except rows.FileError as error:
        raise InvalidInput(str(error)) from error
    return ImportOut(
        new=result.new,
        updated=result.updated,
        unchanged=result.unchanged,
        rejected=result.rejected,
        errors=[LineErrorOut(line=row.line, error=row.reason) for row in result.errors],
    )


def _source(required: Sequence[str], optional: Sequence[str]) -> Iterator[rows.Row | rows.Rejected]:
    db.session.rollback()  # as in the gate: the body may come slowly
    if request.mimetype == "text/csv":
        return rows.from_csv(BytesIO(request.get_data()), required, optional)
    if not request.is_json:
        abort(415, "Send JSON or CSV, with the header Content-Type: application/json or text/csv.")
    return rows.from_json(request.get_data(), required, optional)
