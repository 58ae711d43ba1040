"""What came of a step of the work, as people are told. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..audit.service import Difference
from ..wording import label_of, pluralize

NOTHING = ("Nothing was changed.", "info")


@dataclass(frozen=True)
class Tally:
    """How far an action on several jobs is: how many were chosen, are done, were left alone."""

    chosen: int
    done: int
    refused: int

    @property
    def changed(self) -> int:
        """How many jobs were changed so far."""
        return self.done - self.refused


def of_job(job_id: int, changes: Iterable[Difference]) -> tuple[str, str]:
    """A sentence and its category: ``Job 68 closed as fixed.``"""
    after = {field: value for field, _, value in changes}
    if not after:
        return NOTHING
    if after.get("status") == "closed":
        return f"Job {job_id} closed as {in_words(after['resolution'])}.", "success"
    if after.get("resolution"):
        return f"The resolution of job {job_id} is {in_words(after['resolution'])} now.", "success"
    if "resolution" in after:
        return f"Job {job_id} reopened.", "success"
    return "Saved.", "success"


def of_bulk(action: str, change: Mapping[str, str], tally: Tally) -> tuple[str, str]:
    """The same of several jobs: ``10 jobs assigned to Carol.``; those left alone are named besides."""
    if not tally.changed:
        return "Nothing was changed.", "warning"
    jobs = pluralize(tally.changed, "job")
    of_all = f" of {tally.chosen:,}" if tally.refused else ""
    done = f"{jobs}{of_all} {_done(action, change)}."
    return done, "warning" if tally.refused else "success"


def _done(action: str, change: Mapping[str, str]) -> str:
    if action == "assign":
        return f"assigned to {change['assignee'] or 'nobody'}"
    if action == "close":
        return f"closed as {in_words(change['resolution'])}"
    if action == "status":
        return f"changed to {in_words(change['status'])}"
    if action == "priority":
        return f"given {in_words(change['priority'])} priority"
    if action == "queue":
        return f"moved to the queue {change['queue']}" if change["queue"] else "taken out of their queues"
    return "reopened" if action == "reopen" else "given back what they had before"


def in_words(code: str) -> str:
    """``false_alarm`` as ``false alarm``, inside a sentence."""
    return label_of(code).lower()
