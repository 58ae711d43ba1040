"""Whether the fleet is fine, and whether that can be told at all. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ..models import Run
from ..settings.schedule import OVERDUE
from ..wording import pluralize


@dataclass(frozen=True)
class Fleet:
    """What is known of the fleet: how many sites are watched, and how many of them have an open job."""

    active: int
    faulty: int


@dataclass(frozen=True)
class Condition:
    """``level`` is ``good``, ``warning``, ``bad`` or ``unknown``."""

    level: str
    headline: str
    detail: str


def condition(fleet: Fleet, last_run: Run | None, next_run: datetime | None, now: datetime) -> Condition:
    """The fleet's condition in a sentence.

    1. No active site, or never checked: nothing is known.
    2. The last run did not succeed, or the daily one is overdue by more than an hour: what is known may be
       out of date, and that matters more than what it says.
    3. Otherwise it is what the open jobs say.
    """
    if not fleet.active or last_run is None:
        return Condition(
            "unknown", "The fleet has not been checked yet", "Nothing is known about faults yet."
        )
    if last_run.status == "held":
        return _held(last_run)
    if last_run.status != "succeeded":
        return Condition("bad", *_UNSUCCESSFUL.get(last_run.status, _UNSUCCESSFUL["failed"]))
    if next_run is not None and now - next_run > OVERDUE:
        return Condition("bad", "The daily check is overdue", "Nothing that starts due runs seems to be up.")
    if fleet.faulty:
        noun = "has" if fleet.faulty == 1 else "have"
        sites = f"{fleet.faulty:,} of {pluralize(fleet.active, 'active site')}"
        return Condition("warning", f"{sites} {noun} an open job", _OTHERS)
    return Condition(
        "good", "No open faults", f"None of the {pluralize(fleet.active, 'active site')} has an open job."
    )


def _held(run: Run) -> Condition:
    if run.hold and run.hold.decision == "discarded":
        return Condition(
            "warning",
            "The jobs of the last run were discarded",
            "The next run judges the silent sites again.",
        )
    return Condition("bad", "The last run is held", "Its jobs wait until somebody releases or discards them.")


_OTHERS = "The last check found no fault at the others, as far as it could assess them."
_UNSUCCESSFUL = {
    "partial": ("One rule failed in the last run", "What it would have found is missing here."),
    "failed": ("The last run failed", "The figures below may be out of date."),
    "crashed": (
        "The last run crashed",
        "It stopped half-way: the figures may be out of date.",
    ),
}
