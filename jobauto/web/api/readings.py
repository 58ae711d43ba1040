"""``/api/readings/``."""

from functools import partial
from io import BytesIO
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...imports import readings
from ...imports.lines import FileError
from ...imports.profiles import service as profiles
from ...imports.profiles.reader import needs_file_name, rows_of
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
    if "profile" in request.args:
        return _answer(_through_profile(request.args["profile"], request.args.get("file_name"), zone))
    result = import_rows(
        partial(readings.from_csv, ignore=request.args.getlist("ignore_column")),
        readings.from_json,
        partial(readings.store_readings, zone=zone, now=utcnow()),
    )
    return _answer(result)


def _through_profile(name: str, file_name: str | None, zone: ZoneInfo) -> ImportResult:
    """Readings from a body of any kind, as a profile says. Raises InvalidInput."""
    profile = profiles.get(name).profile
    if needs_file_name(profile) and not file_name:
        why = "The profile takes the site from the file's name: say it here."
        raise InvalidInput(why, {"file_name": [why]})
    db.session.rollback()  # as in the gate: the body may come slowly
    body, now = BytesIO(request.get_data()), utcnow()
    try:
        with rows_of(body, profile, file_name, zone, now) as rows:
            return readings.store_readings(rows, zone=zone, now=now)
    except FileError as error:
        raise InvalidInput(str(error)) from error


def _answer(result: ImportResult) -> ResponseReturnValue:
    body = ImportOut.of(result).model_dump(mode="json")
    if result.rows < 2 or result.rejected < result.rows:
        return body
    return body | {"error": _refusal(result), "fields": result.reasons.by_column(readings.COLUMNS)}, 422


def _refusal(result: ImportResult) -> str:
    return f"None of the {result.rows:,} rows could be taken: {'; '.join(result.reasons.describe())}"
