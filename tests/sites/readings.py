"""Readings for pure tests, as of noon in UTC, which is 13:00 in London."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from jobauto.models import Reading
from jobauto.sites.scene import Scene
from tests.fleets import NOON, days_before

LONDON = ZoneInfo("Europe/London")


def reading(at: datetime, kwh: Any, **said: Any) -> Reading:
    """A reading of some site: a good one of its first meter, unless said otherwise."""
    return Reading(
        site_key=1, reading_date=at, reading_value=Decimal(str(kwh)), **{"quality": 0, "meter": 0, **said}
    )


def readings(sent: Mapping[datetime, Any]) -> list[Reading]:
    """Readings, oldest first."""
    return [reading(at, sent[at]) for at in sorted(sent)]


def ago(kwh_by_days: Mapping[float, Any]) -> list[Reading]:
    """Readings of so many days of 24 hours before noon."""
    return readings({days_before(days): kwh for days, kwh in kwh_by_days.items()})


def a_day_each(values: Iterable[Any], last: datetime = NOON) -> list[Reading]:
    """A reading a day, the last one at ``last``; None is a day without one."""
    every = list(values)
    return [
        reading(last - timedelta(days=len(every) - 1 - place), value)
        for place, value in enumerate(every)
        if value is not None
    ]


def scene(days: float = 60, **others: Any) -> Scene:
    """An axis of so many days up to noon."""
    given: dict[str, Any] = {"start": days_before(days), "now": NOON, "zone": LONDON}
    return Scene(**(given | others))
