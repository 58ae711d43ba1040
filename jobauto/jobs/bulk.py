"""What is done with several jobs of a list, which may be old by then: only what still is as it was shown.

Each condition is asked of the job as it is locked for the change, and says why it is left alone.
"""

from collections.abc import Callable, Mapping

from ..models import Job
from .outcome import in_words

Refusal = Callable[[Job], str | None]
"""Why a job is not to be changed, in a sentence; None where it is."""


def only_closed(job: Job) -> str | None:
    """Of reopening: a job that somebody works on stays as far as it is."""
    return None if job.status == "closed" else f"It is {in_words(job.status)}, so there is nothing to reopen."


def only_open(job: Job) -> str | None:
    """Of closing: nobody's resolution is replaced."""
    if job.status != "closed":
        return None
    return f"It is closed already, as {in_words(job.resolution or 'other')} by {job.closed_by or 'System'}."


def still_open(job: Job) -> str | None:
    """Of a step of the work: a closed job is reopened by who means to."""
    return "It is closed, so it has no such step: reopen it first." if job.status == "closed" else None


def not_taken_since(assignee: str, seen: Mapping[int, str]) -> Refusal:
    """Of assigning: a job is not taken from somebody whom the list did not show; ``seen`` is what it showed.

    Of a job of which nothing is known it is taken to have shown nobody.
    """

    def refusal(job: Job) -> str | None:
        has_it = job.assignee or ""
        if has_it == assignee:
            return f"{has_it or 'Nobody'} has it already."
        if has_it == seen.get(job.id, ""):
            return None
        return f"{has_it} has it." if has_it else f"{seen[job.id]} does not have it any more."

    return refusal
