"""Lists as files to download; what stands in them is said by their features (`jobs/export.py`,
`sites/export.py`)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, stream_with_context
from sqlalchemy import Select

from ..clock import utcnow
from ..jobs import queries
from ..jobs.export import as_csv
from ..settings import service as settings_service
from .access import caller
from .paging import count_of
from .rate_limit import count_exported


def csv_response(wanted: queries.JobFilter) -> Response:
    """The jobs that a filter wants, as a file for spreadsheets. Raises TooManyRequests."""
    now, zone = utcnow(), settings_service.current().settings.schedule.zone
    return csv_of(queries.jobs_matching(wanted, now), zone, now)


def csv_of(jobs: Select[Any], zone: ZoneInfo, now: datetime) -> Response:
    """The jobs of a query, as a file for spreadsheets. Raises TooManyRequests."""
    count_exported(caller(), count_of(jobs))
    return csv_file(as_csv(jobs, zone, now), "jobs.csv")


def csv_file(lines: Iterator[str], name: str) -> Response:
    """Lines as a file to download, sent as they are made."""
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)
