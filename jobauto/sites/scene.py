"""What stands beside readings on a chart: times that are told apart, and instants. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from ..models import Event, Job
from ..models.types import format_minute
from ..wording import pluralize
from .days import DAY, MeteredReading, Meters, good, silences, spoken

SPAN = timedelta(days=60)
"""What the charts of a site show, as long as its silence leaves room for readings."""


@dataclass(frozen=True)
class Scene:
    """What readings are seen before: the axis from ``start`` to ``now``, and what else happened.

    ``days_threshold`` is that of No Coms, where it judges the site; ``flat_since`` since when the register
    stands still by Zero Reads, if it does; ``snoozes`` are pairs of instants, ``meters`` what is known of the
    site's.
    """

    start: datetime
    now: datetime
    zone: ZoneInfo
    days_threshold: int | None = None
    flat_since: datetime | None = None
    snoozes: Sequence[tuple[datetime, datetime]] = ()
    jobs: Sequence[Job] = ()
    meters: Meters = field(default_factory=Meters)

    def minute(self, instant: datetime) -> str:
        """Local wall-clock time, which is what the axis shows."""
        return format_minute(instant, self.zone)


@dataclass(frozen=True)
class Band:
    """A time that is told apart: ``silent``, ``flat``, ``snoozed``, or ``missing`` days."""

    kind: str
    since: datetime
    until: datetime
    text: str


@dataclass(frozen=True)
class Mark:
    """An instant that is told: ``threshold``, ``opened``, ``recovered``, ``closed`` or ``meter``."""

    kind: str
    at: datetime
    text: str


def start_before(last: datetime, now: datetime) -> datetime:
    """Where an axis to now begins, so that a silence of any length leaves room to the readings before it."""
    silence = now - last
    return last - max(SPAN - silence, min(silence / 3, 2 * SPAN))


def snoozes(history: Sequence[Event], now: datetime) -> list[tuple[datetime, datetime]]:
    """When a site was snoozed, by its history (oldest first): to its end, or until the next change of it."""
    changes = [event for event in history if event.field == "snoozed_until"]
    ends = [*(event.at for event in changes[1:]), now]
    return [
        (event.at, min(datetime.fromisoformat(event.after), end))
        for event, end in zip(changes, ends, strict=False)
        if event.after
    ]


def silence(since: datetime, until: datetime) -> str:
    """``silent for 44 days``."""
    return f"silent for {pluralize((until - since) // DAY, 'day')}"


def silent(readings: Sequence[MeteredReading], scene: Scene) -> Iterator[Band]:
    """Where the site sent no reading for long, up to now."""
    for since, until in silences(spoken(readings), scene.now):
        yield Band("silent", since, until, silence(since, until))


def flat(readings: Sequence[MeteredReading], scene: Scene) -> Iterator[Band]:
    """Where the register stands still, up to its last good reading."""
    if scene.flat_since and (believed := good(readings)):
        text = f"no increase for {pluralize((scene.now - scene.flat_since) // DAY, 'day')}"
        yield Band("flat", scene.flat_since, believed[-1].reading_date, text)


def snoozed(scene: Scene) -> Iterator[Band]:
    """When no run judged the site."""
    for since, until in scene.snoozes:
        yield Band("snoozed", since, until, "snoozed")


def threshold(readings: Sequence[MeteredReading], scene: Scene) -> Iterator[Mark]:
    """From when on the silence after the site's last reading is a fault; it may lie in the future."""
    if scene.days_threshold is not None and (sent := spoken(readings)):
        at = sent[-1].reading_date + scene.days_threshold * DAY
        yield Mark("threshold", at, f"flagged after {pluralize(scene.days_threshold, 'day')}")


def steps_of_jobs(scene: Scene) -> Iterator[Mark]:
    """When jobs were opened, recovered and closed."""
    for job in scene.jobs:
        yield Mark("opened", job.created_at, f"job {job.id} opened")
        if job.recovered_at:
            yield Mark("recovered", job.recovered_at, f"job {job.id} recovered")
        if job.closed_at:
            yield Mark("closed", job.closed_at, f"job {job.id} closed")


def meter_changes(readings: Sequence[MeteredReading], scene: Scene) -> Iterator[Mark]:
    """When the meter was changed: as somebody recorded it, or else as its readings tell."""
    for change in scene.meters.changes:
        serial = f" to {change.serial}" if change.serial else ""
        yield Mark("meter", change.changed_at, f"meter changed{serial}")
    for before, after in pairwise(good(readings)):
        if after.meter - before.meter > len(scene.meters.between(before, after)):
            yield Mark("meter", after.reading_date, "new meter, by its readings")
