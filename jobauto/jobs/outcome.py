"""What came of a step of the work, as people are told. Pure."""

from collections.abc import Iterable

from ..audit.service import Difference
from ..wording import label_of, pluralize

NOTHING = ("Nothing was changed.", "info")


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


def of_several(chosen: int, refused: int) -> tuple[str, str]:
    """The same of several jobs: how many were changed; those that were not are named besides."""
    if refused == chosen:
        return "Nothing was changed.", "warning"
    if refused:
        return f"Changed {pluralize(chosen - refused, 'job')} of {chosen:,}.", "warning"
    return f"Changed {pluralize(chosen, 'job')}.", "success"


def in_words(code: str) -> str:
    """``false_alarm`` as ``false alarm``, inside a sentence."""
    return label_of(code).lower()
