"""``/api/readings/``."""

from functools import partial
from io import BytesIO

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...errors import InvalidInput
from ...imports import readings
from ...imports.canceling import Canceled
from ...imports.lines import FileError
from ...imports.profiles import service as profiles
from ...imports.profiles.reader import needs_file_name, rows_of
from ...imports.recorded import Recorded
from ...imports.result import ImportResult
from ...settings import service as settings_service
from .. import body_limits
from ..access import current_author, ingests, needs
from . import importing
from .requests import ReadingsFileIn, ReadingsIn
from .responses import ImportRefusedOut, ReadingsImportOut
from .spec import responses, spec

bp = Blueprint("api_readings", __name__, url_prefix="/api")


@bp.post("/readings/")
@needs("operator")
@ingests
@spec.validate(
    query=ReadingsFileIn,
    json=ReadingsIn,
    resp=responses(ReadingsImportOut, 404, 409, 413, 415, refused=ImportRefusedOut),
    skip_validation=True,
)
def reading_import() -> ResponseReturnValue:
    """Add readings: a JSON list, or CSV. Each row is taken or rejected on its own.

    Where two rows or more were sent and none could be taken, the answer is 422, with the same body.
    """
    recorded = Recorded(
        "api",
        request.args.get("file_name", ""),
        current_author(),
        settings_service.current().settings.schedule.zone,
    )
    try:
        if "profile" in request.args:
            result = _through_profile(request.args["profile"], recorded)
        else:
            result = importing.import_rows(
                partial(readings.from_csv, ignore=request.args.getlist("ignore_column")),
                readings.from_json,
                lambda rows: recorded.load(rows, now=utcnow()),
            )
    except Canceled as error:
        abort(409, str(error))
    return _answer(result, recorded)


def _through_profile(name: str, recorded: Recorded) -> ImportResult:
    """Readings from a body of any kind, as a profile says. Raises InvalidInput."""
    recorded.profile = profiles.get(name)
    profile, file_name = recorded.profile.profile, request.args.get("file_name")
    if needs_file_name(profile) and not file_name:
        why = "The profile takes the site from the file's name: say it here."
        raise InvalidInput(why, {"file_name": [why]})
    try:
        with importing.body() as sent:
            now = utcnow()
            with rows_of(BytesIO(sent), profile, file_name, recorded.zone, now, body_limits.API) as rows:
                return recorded.load(rows, now=now)
    except FileError as error:
        raise InvalidInput(str(error)) from error


def _answer(result: ImportResult, recorded: Recorded) -> ResponseReturnValue:
    body = ReadingsImportOut.of(result, import_id=recorded.import_id).model_dump(mode="json")
    if result.rows < 2 or result.rejected < result.rows:
        return body
    return body | {"error": _refusal(result), "fields": result.reasons.by_column(readings.COLUMNS)}, 422


def _refusal(result: ImportResult) -> str:
    return f"None of the {result.rows:,} rows could be taken: {'; '.join(result.reasons.describe())}"
