"""What has become of a job's fault since it was opened, as one sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from ..models import Job
from ..models.types import format_minute
from ..wording import pluralize


class _Reading(Protocol):
    @property
    def reading_date(self) -> datetime: ...

    @property
    def reading_value(self) -> Decimal: ...


@dataclass(frozen=True)
class Progress:
    """``level`` is ``good``, ``warning`` or ``unknown``."""

    level: str
    headline: str
    detail: str


def progress(
    job: Job, evidence: Sequence[_Reading], since: Sequence[_Reading], zone: ZoneInfo, *, more: bool = False
) -> Progress:
    """What the register has done since the evidence (oldest first): the later readings are newest first.

    1. A run has seen that the fault is gone: recovered, whatever came after.
    2. No reading since: nothing has changed.
    3. Otherwise it is told whether the register moved. Only a run decides whether that is a recovery.

    With ``more``, ``since`` is only the newest part.
    """
    movement = _movement(evidence, since, zone, more=more)
    if job.recovered_at is not None:
        at = format_minute(job.recovered_at, zone)
        seen = f"Run {job.recovered_run_id} saw at {at} that the fault is gone."
        return Progress("good", "Recovered", f"{seen} {movement}")
    if not since:
        return Progress("warning", "No reading since the job was opened", "Nothing tells of a recovery.")
    if evidence and all(reading.reading_value == evidence[-1].reading_value for reading in since):
        return Progress("warning", "The register has not moved", movement)
    told = "The register has moved" if evidence else "The site has begun to report"
    return Progress("unknown", told, f"{movement} The next run tells whether the fault is gone.")


def _movement(evidence: Sequence[_Reading], since: Sequence[_Reading], zone: ZoneInfo, *, more: bool) -> str:
    if not since:
        return "No reading has come in since the job was opened."
    newest = since[0]
    readings = f"{'More than ' if more else ''}{pluralize(len(since), 'reading')}"
    last = f"the last one at {format_minute(newest.reading_date, zone)}"
    if not evidence:
        return f"{readings} since the job was opened, {last} with {newest.reading_value:,} kWh."
    change = newest.reading_value - evidence[-1].reading_value
    if change == 0:
        return f"{readings} since the job was opened, {last}, still {newest.reading_value:,} kWh."
    way = "up" if change > 0 else "down"
    return f"{readings} since the job was opened, {last}: {way} {abs(change):,} kWh."
