"""Whether the fleet is fine, and whether that can be told at all. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..models import Run
from ..settings.schedule import OVERDUE
from ..wording import pluralize
from .coverage import Fleet

ASSESSABLE = 10
"""One site in so many may be not assessable while the fleet is called fine."""


@dataclass(frozen=True)
class Condition:
    """``level`` is ``good``, ``quiet``, ``warning``, ``bad`` or ``unknown``."""

    level: str
    headline: str
    detail: str


def condition(fleet: Fleet, last_run: Run | None, next_run: datetime | None, now: datetime) -> Condition:
    """The fleet's condition in a sentence, and what it leaves out in others.

    1. No active site, or never checked: nothing is known.
    2. The last run, or the last one of a rule, did not succeed, or the daily one is overdue by more than an
       hour: what is known may be out of date, and that matters more than what it says. That a run is held and
       waits is said at the top of every page: here is what is known without its jobs, and it is never fine.
    3. A job is open whose fault holds: an ordinary day.
    4. Not every watched site has a fresh verdict of each rule, or too few could be assessed: that no job is
       open says little.
    5. Otherwise the fleet is fine.
    """
    if not fleet.active or last_run is None:
        return Condition(
            "unknown", "The fleet has not been checked yet", "Nothing is known about faults yet."
        )
    level, headline, detail = _worst(fleet, last_run, next_run, now)
    return Condition(level, headline, " ".join(filter(None, [detail, *_left_out(fleet, headline)])))


def _worst(fleet: Fleet, last_run: Run, next_run: datetime | None, now: datetime) -> tuple[str, str, str]:
    unsuccessful = [run for run in (last_run, *fleet.runs) if run is not None and run.status != "succeeded"]
    for run in unsuccessful:
        if not _waits(run):
            return _unsuccessful(run)
    if next_run is not None and now - next_run > OVERDUE:
        return "bad", "The daily check is overdue", "Nothing that starts due runs seems to be up."
    if not fleet.runs:
        return "warning", "No rule is switched on", "Runs look for no faults until one is, in the settings."
    if fleet.holding:
        others = fleet.faulty < fleet.active and not fleet.jobless
        detail = _HELD_LEFT_OUT if unsuccessful else _NONE_AT_THE_OTHERS if others else ""
        return "quiet", _faulty(fleet), detail
    if unsuccessful:
        return "warning", "No job is open but those held", ""
    if not fleet.watched:
        return "unknown", "No site is watched", "All active sites are snoozed."
    if fleet.unchecked:
        return "warning", _share(fleet.unchecked, fleet, f"{_was(fleet.unchecked)} not checked"), _NOT_CHECKED
    if fleet.unassessable * ASSESSABLE > fleet.watched:
        return "warning", _share(fleet.unassessable, fleet, "could not be assessed"), _TOO_LITTLE
    return "good", "No open faults", f"{_all(fleet)} been checked."


def _waits(run: Run) -> bool:
    """Whether a run's held jobs wait for a decision."""
    return run.status == "held" and run.hold is not None and run.hold.decision is None


def _unsuccessful(run: Run) -> tuple[str, str, str]:
    if run.status != "held":
        return "bad", *_UNSUCCESSFUL.get(run.status, _UNSUCCESSFUL["failed"])
    return (
        "warning",
        "The jobs of the last run were discarded",
        "The next run judges the silent sites again.",
    )


def _faulty(fleet: Fleet) -> str:
    if not fleet.faulty:
        noun = "is" if fleet.holding == 1 else "are"
        return f"{pluralize(fleet.holding, 'job')} {noun} open at inactive sites"
    noun = "has" if fleet.faulty == 1 else "have"
    return (
        f"{fleet.faulty:,} of {pluralize(fleet.active, 'active site')} {noun} an open job whose fault holds"
    )


def _share(count: int, fleet: Fleet, what: str) -> str:
    without = " (without the snoozed ones)" if fleet.watched < fleet.active else ""
    return f"{count:,} of {pluralize(fleet.watched, 'active site')}{without} {what}"


def _all(fleet: Fleet) -> str:
    is_all = fleet.watched == fleet.active
    if fleet.watched == 1:
        return f"The one active site{'' if is_all else ' that is not snoozed'} has"
    without = "" if is_all else " that are not snoozed"
    return f"All {fleet.watched:,} active sites{without} have"


def _left_out(fleet: Fleet, headline: str) -> Iterator[str]:
    """What is to be said in any case, as far as the headline does not."""
    if fleet.jobless:
        verb = "has" if fleet.jobless == 1 else "have"
        yield f"{pluralize(fleet.jobless, 'flagged site')} {verb} no open job any more."
    if fleet.unchecked and "not checked" not in headline:
        yield f"{pluralize(fleet.unchecked, 'site')} {_was(fleet.unchecked)} not checked."
    if fleet.unassessable and "assessed" not in headline:
        yield f"{pluralize(fleet.unassessable, 'site')} could not be assessed."
    if fleet.recovered:
        verb = "has" if fleet.recovered == 1 else "have"
        yield f"{pluralize(fleet.recovered, 'open job')} {verb} recovered."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


_NONE_AT_THE_OTHERS = "The newest check found no fault at the others that it could assess."
_HELD_LEFT_OUT = "The sites of the held jobs are not counted."
_NOT_CHECKED = "There is no verdict of the last 25 hours on them by every rule, so nothing is known of them."
_TOO_LITTLE = "No rule found a fault there, but none could look: it takes more readings, or more time."
_UNSUCCESSFUL = {
    "partial": ("One rule failed in the last run", "What it would have found is missing here."),
    "failed": ("The last run failed", "The figures below may be out of date."),
    "crashed": (
        "The last run crashed",
        "It stopped half-way: the figures may be out of date.",
    ),
}
