"""``/api/readings/``."""

from functools import partial

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...errors import InvalidInput
from ...imports import readings
from ...imports.result import ImportResult
from ...settings import service as settings_service
from ..access import ingests, needs
from ..paging import describe_fields
from .importing import import_rows
from .requests import ReadingsFileIn, ReadingsIn
from .responses import ImportOut, ImportRefusedOut
from .spec import UNKNOWN_PARAMETER, responses, spec

bp = Blueprint("api_readings", __name__, url_prefix="/api")


@bp.post("/readings/")
@needs("operator")
@ingests
@spec.validate(
    query=ReadingsFileIn,
    json=ReadingsIn,
    resp=responses(ImportOut, 413, 415, refused=ImportRefusedOut),
    skip_validation=True,
)
def reading_import() -> ResponseReturnValue:
    """Add readings: a JSON list, or CSV. Each row is taken or rejected on its own.

    Where two rows or more were sent and none could be taken, the answer is 422, with the same body.
    """
    _refuse_unknown_parameters()
    zone = settings_service.current().settings.schedule.zone
    result = import_rows(
        partial(readings.from_csv, ignore=request.args.getlist("ignore_column")),
        readings.from_json,
        partial(readings.store_readings, zone=zone, now=utcnow()),
    )
    body = ImportOut.of(result).model_dump(mode="json")
    if result.rows < 2 or result.rejected < result.rows:
        return body
    return body | {"error": _refusal(result), "fields": result.reasons.by_column(readings.COLUMNS)}, 422


def _refuse_unknown_parameters() -> None:
    """A parameter says how the rows are to be read: without it they might be stored with another meaning."""
    unknown = request.args.keys() - ReadingsFileIn.model_fields
    if unknown:
        wrong = {name: [UNKNOWN_PARAMETER] for name in sorted(unknown)}
        raise InvalidInput(describe_fields(wrong), wrong, 400)


def _refusal(result: ImportResult) -> str:
    return f"None of the {result.rows:,} rows could be taken: {'; '.join(result.reasons.describe())}"
