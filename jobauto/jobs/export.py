"""Jobs as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from ..extensions import db
from ..models import Job

AT_ONCE = 1000
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")

BYTE_ORDER_MARK = "\ufeff"
"""By which Excel knows UTF-8."""

OF_SITE = ("site_id", "site_name", "group")
INSTANTS = ("created_at", "closed_at", "recovered_at")
COLUMNS = (
    "id",
    *OF_SITE,
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
LOCAL = tuple(name.replace("_at", "_local") for name in INSTANTS)


def as_csv(query: Select[Any], zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """The jobs of a query, a line each, never all in memory.

    Instants are in UTC, and behind the other columns once more on the clocks of the zone; how long the fault
    has lasted by now comes last. Every cell is quoted: where semicolons separate, one with a semicolon would
    otherwise begin a cell that is calculated.
    """
    yield BYTE_ORDER_MARK + line((*COLUMNS, *LOCAL, "faulty_days"))
    for job in db.session.scalars(query.execution_options(yield_per=AT_ONCE)):
        yield line(harmless(value) for value in _values(job, zone, now))
    db.session.rollback()


def harmless(value: object) -> str:
    """The text of a cell. One that a spreadsheet would calculate is quoted with an apostrophe.

    Source: OWASP, CSV Injection.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _values(job: Job, zone: ZoneInfo, now: datetime) -> Iterator[object]:
    for name in COLUMNS:
        if name in INSTANTS:
            yield _clock(getattr(job, name), UTC)
        else:
            yield getattr(job.site if name in OF_SITE else job, name)
    for name in INSTANTS:
        yield _clock(getattr(job, name), zone)
    yield job.faulty_days(now)


def _clock(instant: datetime | None, zone: tzinfo) -> str | None:
    """``2026-03-31 05:00:00``, which spreadsheets take for a time."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if instant else None


def line(cells: Any) -> str:
    """A line of such a file."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(cells)
    return buffer.getvalue()
