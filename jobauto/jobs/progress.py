"""What has become of a job's fault since it was opened, as one sentence. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ..models import Job
from ..models.types import format_minute
from ..rules.rule import Window
from ..wording import pluralize

BACK_DATED = timedelta(minutes=1)
"""A run whose instant lies further before its start was asked about the past."""


@dataclass(frozen=True)
class Late:
    """Readings of before a job's check that came in, or were corrected, after it.

    How many, the newest one, what that one was before (None: nothing), and their lowest and highest value.
    """

    count: int
    at: datetime
    value: Decimal
    was: Decimal | None
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True)
class Seen:
    """What is known of a job's register.

    The check looked at the instant ``as_of``, in a run that started at ``started_at``, and kept its
    ``evidence``; ``since`` are the readings of after it, ``late`` those that were missing or wrong then.
    So many of those after it were ``set_aside``. With a ``new_meter``, ``since`` are the readings of that.
    """

    as_of: datetime
    started_at: datetime
    evidence: Window
    since: Window
    late: Late | None = None
    new_meter: bool = False
    set_aside: int = 0

    @property
    def back_dated(self) -> bool:
        """Whether the check looked at the past."""
        return self.started_at - self.as_of > BACK_DATED

    @property
    def stands_still(self) -> bool:
        """Whether all that was seen after the check, if anything, is the register's last value in it."""
        after = [] if self.since.lowest is None else [self.since.lowest, self.since.highest]
        late = [self.late.lowest, self.late.highest] if self.late else []
        is_known = bool(self.evidence.count) and not self.new_meter
        return is_known and {*after, *late} <= {self.evidence.last_value}


@dataclass(frozen=True)
class Progress:
    """``level`` is ``good``, ``quiet`` or ``unknown``."""

    level: str
    headline: str
    detail: str


def progress(job: Job, seen: Seen, zone: ZoneInfo) -> Progress:
    """What the register has done since the check that opened the job.

    1. A run has seen that the fault is gone: recovered, whatever came after.
    2. No reading since, and none that came in late: nothing has changed.
    3. Otherwise it is told whether the register moved. Only a run decides whether that is a recovery.
    """
    movement = " ".join(_movement(seen, zone))
    if job.recovered_at is not None:
        at = format_minute(job.recovered_at, zone)
        told = f"Run {job.recovered_run_id} saw at {at} that the fault is gone."
        return Progress("good", "Recovered", f"{told} {movement}")
    if not seen.since.count and not seen.late:
        good = "good " if seen.set_aside else ""
        told = " ".join([*_set_aside(seen), "Nothing tells of a recovery."])
        return Progress("quiet", f"No {good}reading since {_opening(seen, zone)}", told)
    if seen.stands_still:
        return Progress("quiet", "The register has not moved", movement)
    headline = "The register has moved" if seen.evidence.count else "The site has begun to report"
    if seen.new_meter:
        headline = "The meter was changed"
    return Progress("unknown", headline, f"{movement} The next run tells whether the fault is gone.")


def _opening(seen: Seen, zone: ZoneInfo) -> str:
    if seen.back_dated:
        return f"{format_minute(seen.as_of, zone)}, as of which the job was opened"
    return "the job was opened"


def _movement(seen: Seen, zone: ZoneInfo) -> Iterator[str]:
    since = seen.since
    if seen.late:
        yield _late(seen.late, zone)
    if since.last is None:
        good = " good" if seen.set_aside else ""
        none = "There is none from after" if seen.late else f"No{good} reading has come in since"
        yield f"{none} {_opening(seen, zone)}."
        yield from _set_aside(seen)
        return
    last = f"the last one at {format_minute(since.last, zone)}{since.describe_silence()}"
    readings = f"{pluralize(since.count, 'reading')} since {_opening(seen, zone)}, {last}"
    yield f"{readings}{_change(seen)}"
    if since.count > 1 and (falls := since.describe_falls()):
        yield falls
    yield from _set_aside(seen)


def _set_aside(seen: Seen) -> Iterator[str]:
    if seen.set_aside:
        were = "was" if seen.set_aside == 1 else "were"
        yield f"{pluralize(seen.set_aside, 'reading')} {were} set aside."


def _change(seen: Seen) -> str:
    value, before = seen.since.last_value, seen.evidence.last_value
    if value is None:
        return "."
    if seen.new_meter:
        return f", on a new meter, with {value:,} kWh."
    if before is None:
        return f", with {value:,} kWh."
    if value == before:
        return f", still {value:,} kWh."
    return f": {'up' if value > before else 'down'} {abs(value - before):,} kWh."


def _late(late: Late, zone: ZoneInfo) -> str:
    at = format_minute(late.at, zone)
    if late.count > 1:
        newest = f"the last one of {at} with {late.value:,} kWh"
        return f"{late.count:,} earlier readings came in late or were corrected, {newest}."
    if late.was is not None:
        return f"The reading of {at} was corrected from {late.was:,} to {late.value:,} kWh."
    return f"The reading of {at} came in late, with {late.value:,} kWh."
