"""What came of a step of the work, as people are told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..audit.service import Difference
from ..wording import label_of, pluralize

NAMED = 10
"""So many of the jobs that were not changed for the same reason are named; the action's page has them all."""
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
    """The same of several jobs: ``10 jobs assigned to Carol. 2 were not changed.``; why is said besides."""
    if not tally.changed:
        return "Nothing was changed.", "warning"
    jobs = pluralize(tally.changed, "job")
    done = f"Undone for {jobs}." if action == "undo" else f"{jobs} {_done(action, change)}."
    if not tally.refused:
        return done, "success"
    return f"{done} {tally.refused:,} {'was' if tally.refused == 1 else 'were'} not changed.", "warning"


def of_changed(action: str, change: Mapping[str, str]) -> str:
    """What became of each job that was changed: ``Closed as fixed``."""
    done = "given back what it had" if action == "undo" else _done(action, change)
    return done[0].upper() + done[1:]


def of_refused(why: str, job_ids: Sequence[int]) -> str:
    """Jobs that were not changed for the same reason: ``Jobs 4, 7: Nobody has it already.``"""
    others = len(job_ids) - NAMED
    names = ", ".join(map(str, job_ids[:NAMED])) + (f" and {others:,} more" if others > 0 else "")
    return f"{'Job' if len(job_ids) == 1 else 'Jobs'} {names}: {why}"


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
        return f"moved to the queue {change['queue']}" if change["queue"] else "put into no queue"
    return "reopened"


def in_words(code: str) -> str:
    """``false_alarm`` as ``false alarm``, inside a sentence."""
    return label_of(code).lower()
