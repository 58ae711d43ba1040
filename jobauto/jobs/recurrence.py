"""A fault that comes back: what closing a job does while it holds, and how often it has come. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ..models import Job
from ..rules.settings import RuleSettings
from ..wording import pluralize

LOOKED_BACK = timedelta(days=365)


def after_closing(settings: RuleSettings) -> str:
    """What the next runs do about a fault that holds after its job was closed, as a sentence."""
    if not settings.enabled:
        return "The rule is switched off, so no run opens a new job."
    if settings.reopen_after_days:
        days = pluralize(settings.reopen_after_days, "day")
        return f"A new job comes {days} after the closing, unless the site recovers in between."
    return "The next run opens a new job."


@dataclass(frozen=True)
class Recurrence:
    """How often a fault has come, counting this job: ``3rd time since September``, and the job before."""

    headline: str
    former: Job


def recurrence(job: Job, earlier: Sequence[Job], zone: ZoneInfo) -> Recurrence | None:
    """What the ``earlier`` jobs of the same fault, newest first, tell of this one; None for the first one."""
    if not earlier:
        return None
    since = _since(earlier[-1].created_at.astimezone(zone), job.created_at.astimezone(zone))
    return Recurrence(f"{ordinal(len(earlier) + 1)} time since {since}", earlier[0])


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``11th``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _since(first: datetime, now: datetime) -> str:
    if (first.year, first.month) == (now.year, now.month):
        return f"{first:%-d %B}"
    return f"{first:%B}" if first.year == now.year else f"{first:%B %Y}"
