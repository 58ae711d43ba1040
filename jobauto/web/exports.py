"""Lists as files to download; what stands in them is said by their features (`jobs/export.py`)."""

from flask import Response, stream_with_context

from ..clock import utcnow
from ..jobs import queries
from ..jobs.export import as_csv
from ..settings import service as settings_service


def csv_response(wanted: queries.JobFilter) -> Response:
    """The jobs that a filter wants, as a file for spreadsheets."""
    now, zone = utcnow(), settings_service.current().settings.schedule.zone
    lines = as_csv(queries.jobs_matching(wanted, now), zone, now)
    headers = {"Content-Disposition": "attachment; filename=jobs.csv"}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)
