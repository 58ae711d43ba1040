"""Sites, and the readings of one, as CSV for spreadsheets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from ..extensions import db
from ..models import Reading, Site
from ..models.quality import Quality
from ..rules import RULES
from ..spreadsheets import BYTE_ORDER_MARK, clock, harmless, line
from .queries import last_readings
from .states import LastRun, State, states

AT_ONCE = 1000
INVENTORY = (
    "site_id",
    "site_name",
    "group",
    "source",
    "monitored_from",
    "active",
    "capacity_kwp",
    "measure",
    "counts",
    "snooze_reason",
)
"""What an import of sites takes, but for the last.

``measure`` is what somebody has said: with what is only known from readings, the file would change its sites.
"""
READING_COLUMNS = ("site_id", "reading_date", "reading_value", "quality", "local_time", "received")

OpenJobs = Callable[[Sequence[Site]], Mapping[int, int]]
"""How many open jobs each of some sites has, by key."""


def sites_as_csv(
    query: Select[Any], last: Sequence[LastRun], zone: ZoneInfo, open_jobs: OpenJobs
) -> Iterator[str]:
    """The sites of a query, a line each, never all in memory; with what each rule said in the last run.

    Times are on the clocks of the zone.
    """
    of_rules = [name for rule in RULES for name in (rule.name, f"{rule.name}_reason")]
    columns = (*INVENTORY, "snoozed_until", *of_rules, "last_reading", "open_jobs")
    yield BYTE_ORDER_MARK + line(columns)
    found = db.session.scalars(query.execution_options(yield_per=AT_ONCE))
    for some in found.partitions(AT_ONCE):
        said, newest, jobs = states(some, last), last_readings(some), open_jobs(some)
        for site in some:
            yield line(
                harmless(value)
                for value in (
                    *(_plain(getattr(site, name)) for name in INVENTORY),
                    clock(site.snoozed_until, zone),
                    *(cell for state in said[site.key] for cell in _cells(state)),
                    clock(newest.get(site.key), zone),
                    jobs.get(site.key, 0),
                )
            )
    db.session.rollback()


def readings_as_csv(site_id: str, query: Select[Any], zone: ZoneInfo) -> Iterator[str]:
    """The readings of a query, a line each, never all in memory.

    Instants are in UTC as an import takes them, and once more on the clocks of the zone.
    """
    yield BYTE_ORDER_MARK + line(READING_COLUMNS)
    reading: Reading
    for reading in db.session.scalars(query.execution_options(yield_per=AT_ONCE)):
        at = reading.reading_date
        yield line(
            (
                harmless(site_id),
                _instant(at),
                reading.reading_value,
                Quality(reading.quality).word,
                clock(at, zone),
                _instant(reading.received.replace(microsecond=0)) if reading.received else "",
            )
        )
    db.session.rollback()


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _cells(state: State) -> tuple[str, str | None]:
    return state.verdict, state.reason


def _plain(value: Any) -> Any:
    """As an import reads it."""
    return str(value).lower() if isinstance(value, bool) else value
