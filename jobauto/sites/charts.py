"""What charts of readings draw: register and daily yield, as lists that JSON can carry."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..models import JobReading, Reading
from ..models.types import format_minute
from ..rules import rule_named

SPAN = timedelta(days=60)
DAY = timedelta(days=1)

Points = list[dict[str, str | float | None]]


def register(readings: Sequence[Reading | JobReading], zone: ZoneInfo) -> Points:
    """The register at each reading: local minute and kWh. Floats are for drawing only."""
    return [
        {"label": format_minute(reading.reading_date, zone), "value": float(reading.reading_value)}
        for reading in readings
    ]


def daily_yield(readings: Sequence[Reading], zone: ZoneInfo) -> Points:
    """How far the register went up on each local day: its last value less that of the day before.

    The first day has nothing to compare with. Where that day or the one before it has no reading, the
    value is None: a gap, which is not zero.
    """
    last_of_day = {
        reading.reading_date.astimezone(zone).date(): reading.reading_value for reading in readings
    }
    if not last_of_day:
        return []
    first, days = min(last_of_day), (max(last_of_day) - min(last_of_day)).days
    points: Points = []
    for day in (first + DAY * count for count in range(1, days + 1)):
        both = day in last_of_day and day - DAY in last_of_day
        value = float(last_of_day[day] - last_of_day[day - DAY]) if both else None
        points.append({"label": day.isoformat(), "value": value})
    return points


def of_site(register: Points, daily_yield: Points) -> dict[str, Any]:
    """A site's two charts, by name."""
    return {
        "register": {"type": "line", "series": [{"title": "Register, kWh", "points": register}]},
        "daily_yield": {"type": "bar", "series": [{"title": "Yield, kWh", "points": daily_yield}]},
    }


def evidence(
    rule: str, evidence: Sequence[JobReading], since: Sequence[Reading], zone: ZoneInfo
) -> dict[str, Any]:
    """The readings that a job was opened on, and the later ones, which come newest first."""
    known = rule_named(rule)
    opened = {
        "title": "When the job was opened, kWh",
        "colour": known.colour if known else None,
        "points": register(evidence, zone),
    }
    # The later line starts where the other one ends.
    after: list[Reading | JobReading] = [*evidence[-1:], *since[::-1]] if since else []
    later = {"title": "Since then, kWh", "points": register(after, zone)}
    return {"type": "line", "series": [series for series in (opened, later) if series["points"]]}
