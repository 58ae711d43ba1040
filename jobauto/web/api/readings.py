"""``/api/readings/``."""

from functools import partial

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...imports import readings
from ...imports.result import ImportResult
from ...settings import service as settings_service
from ..access import ingests, needs
from .importing import import_rows
from .requests import ReadingsFileIn, ReadingsIn
from .responses import ImportOut, ImportRefusedOut
from .spec import responses, spec

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


def _refusal(result: ImportResult) -> str:
    return f"None of the {result.rows:,} rows could be taken: {'; '.join(result.reasons.describe())}"
