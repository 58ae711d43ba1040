"""Jobs as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select

from ..extensions import db
from ..models import Job

AT_ONCE = 1000
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")

COLUMNS = (
    "id",
    "site_id",
    "site_name",
    "group",
    "rule",
    "job_type",
    "status",
    "priority",
    "queue",
    "assignee",
    "description",
    "created_at",
    "closed_at",
    "resolution",
    "recovered_at",
    "run_id",
)


def as_csv(query: Select[Any]) -> Iterator[str]:
    """The jobs of a query, a line each, never all in memory."""
    yield _line(COLUMNS)
    for job in db.session.scalars(query.execution_options(yield_per=AT_ONCE)):
        yield _line(harmless(value) for value in _values(job))
    db.session.rollback()


def harmless(value: object) -> str:
    """The text of a cell. One that a spreadsheet would calculate is quoted with an apostrophe.

    Source: OWASP, CSV Injection.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _values(job: Job) -> Iterator[object]:
    for name in COLUMNS:
        if name in ("site_id", "site_name", "group"):
            yield getattr(job.site, name)
        else:
            value = getattr(job, name)
            yield value.isoformat() if hasattr(value, "isoformat") else value


def _line(cells: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
