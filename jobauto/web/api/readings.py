"""``/api/readings/``."""

from flask import Blueprint

from ...clock import utcnow
from ...imports import readings
from ...settings import service as settings_service
from ..access import needs
from .importing import import_rows
from .requests import ReadingsIn
from .responses import ImportOut
from .spec import responses, spec

bp = Blueprint("api_readings", __name__, url_prefix="/api")


@bp.post("/readings/")
@needs("operator")
@spec.validate(json=ReadingsIn, resp=responses(ImportOut, 413, 415, 422), skip_validation=True)
def reading_import() -> ImportOut:
    """Add readings: a JSON list, or CSV. Each row is taken or rejected on its own."""
    zone = settings_service.current().settings.schedule.zone
    return import_rows(
        readings.COLUMNS, (), lambda source: readings.import_readings(source, zone=zone, now=utcnow())
    )
