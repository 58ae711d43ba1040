"""Long lists, sent while they are made; what stands in files to download is said by their features
(`jobs/export.py`, `sites/export.py`)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, stream_with_context
from pydantic import BaseModel
from sqlalchemy import Select

from ..clock import utcnow
from ..jobs import queries
from ..jobs.export import as_csv
from ..settings import service as settings_service
from ..turns import Turns
from .access import caller
from .in_turn import in_turn
from .paging import count_of
from .rate_limit import count_exported

AT_ONCE = 3
"""So many files are sent by a process at once: a large one holds a thread for seconds, which pages need."""

JSON = "application/json"
Lists = Mapping[str, Iterable[BaseModel]]
"""By their names, read one after the other."""
FILES = Turns(AT_ONCE)
BUSY = "Other files are being made. Try again in some seconds."


def file_turn() -> AbstractContextManager[None]:
    """A turn among those who send files. Raises TooManyRequests."""
    return in_turn(FILES, BUSY, "exports-limited")


def csv_response(wanted: queries.JobFilter) -> Response:
    """The jobs that a filter wants, as a file for spreadsheets. Raises TooManyRequests."""
    now, zone = utcnow(), settings_service.current().settings.schedule.zone
    return csv_of(queries.jobs_matching(wanted, now), zone, now)


def csv_of(jobs: Select[Any], zone: ZoneInfo, now: datetime) -> Response:
    """The jobs of a query, as a file for spreadsheets. Raises TooManyRequests."""
    return csv_file(as_csv(jobs, zone, now), "jobs.csv", rows=count_of(jobs))


def csv_file(lines: Iterator[str], name: str, *, rows: int = 0) -> Response:
    """Lines as a file to download, sent as they are made; so many count. Raises TooManyRequests."""
    response = _sent(lines, "text/csv", rows)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def json_file(document: BaseModel, lists: Lists, *, rows: int) -> Response:
    """The same as :func:`json_with` of what is often long: so many rows count. Raises TooManyRequests."""
    return _sent(_json(document, lists), JSON, rows)


def json_with(document: BaseModel, lists: Lists) -> Response:
    """A document with more members, lists that are never all in memory."""
    return Response(stream_with_context(_json(document, lists)), mimetype=JSON)


def _json(document: BaseModel, lists: Lists) -> Iterator[str]:
    yield document.model_dump_json()[:-1]
    for name, items in lists.items():
        yield f',"{name}":['
        for number, item in enumerate(items):
            yield f"{',' if number else ''}{item.model_dump_json()}"
        yield "]"
    yield "}"


def _sent(parts: Iterator[str], mimetype: str, rows: int) -> Response:
    """What is sent while it is made, if others leave room for it; so many rows count."""
    with ExitStack() as held:
        held.enter_context(file_turn())
        if rows:
            count_exported(caller(), rows)
        response = Response(stream_with_context(parts), mimetype=mimetype)
        response.call_on_close(held.pop_all().close)
    return response
