"""Jobs as CSV, for spreadsheets."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from ..extensions import db
from ..models import Job
from ..spreadsheets import BYTE_ORDER_MARK, clock, harmless, line

AT_ONCE = 1000
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
    has lasted by now comes last.
    """
    yield BYTE_ORDER_MARK + line((*COLUMNS, *LOCAL, "faulty_days"))
    for job in db.session.scalars(query.execution_options(yield_per=AT_ONCE)):
        yield line(harmless(value) for value in _values(job, zone, now))
    db.session.rollback()


def _values(job: Job, zone: ZoneInfo, now: datetime) -> Iterator[object]:
    for name in COLUMNS:
        if name in INSTANTS:
            yield clock(getattr(job, name), UTC)
        else:
            yield getattr(job.site if name in OF_SITE else job, name)
    for name in INSTANTS:
        yield clock(getattr(job, name), zone)
    yield job.faulty_days(now)
