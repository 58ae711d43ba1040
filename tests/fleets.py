"""Building fleets: sites with readings, in words that a truth table can use."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from jobauto.detection.service import RunParameters, RunResult, run
from jobauto.models import Reading, Site
from jobauto.storage.connections import write

NOTHING: Mapping[str, Any] = MappingProxyType({})
NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
"""The instant that most tests look from: noon in UTC, 13:00 in London."""


def days_before(days: float, instant: datetime = NOON) -> datetime:
    """So many days of 24 hours before an instant."""
    return instant - timedelta(days=days)


def add_site(site_id: str = "S1", readings: Mapping[datetime, Any] | None = None, **values: Any) -> int:
    """A site with readings ``{instant: kWh}``; returns its key."""
    with write() as session:
        site = Site(site_id=site_id, **{"site_name": f"Site {site_id}", **values})
        session.add(site)
        session.flush()
        key = site.key
        session.add_all(_rows(key, readings or {}))
    return key


def add_readings(key: int, readings: Mapping[datetime, Any], **values: Any) -> None:
    """More readings of a site; ``values`` are what else they have, such as their quality."""
    with write() as session:
        session.add_all(_rows(key, readings, values))


def daily(values: Iterable[Any], last: datetime = NOON) -> dict[datetime, Any]:
    """One reading a day, the last one at ``last``."""
    values = list(values)
    return {days_before(len(values) - 1 - place, last): value for place, value in enumerate(values)}


def run_noon() -> RunResult:
    """Run the rules as of noon."""
    return run(RunParameters("cli", "tests"), lambda: NOON)


def add_one_fault_of_each_rule() -> None:
    """A site that is silent for 9 days, one that has stood still for 3, and a job for each."""
    add_site("silent", {days_before(9): 100}, site_name="Silent House")
    add_site("flat", daily([7, 7, 7, 7]), site_name="Flat Roof")
    run_noon()


def _rows(key: int, readings: Mapping[datetime, Any], values: Mapping[str, Any] = NOTHING) -> list[Reading]:
    return [
        Reading(site_key=key, reading_date=instant, reading_value=Decimal(str(value)), **values)
        for instant, value in readings.items()
    ]
