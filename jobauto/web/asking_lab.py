"""Asking the lab from a page or the API: the answer where it comes soon, else how far it is."""

from contextlib import suppress
from functools import partial

from ..clock import utcnow
from ..lab import service
from ..lab.service import Claimed, Question, Standing
from ..storage.leases import LeaseLost
from ..work import threads

SOON = 2.0
"""Seconds that somebody waits before they are told how far it is."""


def ask(question: Question) -> Standing:
    """The standing of a question; begin to work it out where nobody does."""
    standing = service.standing(question, utcnow())
    if standing.answer is not None or standing.progress is not None:
        return standing
    if claimed := service.claim(question, utcnow()):
        threads.start(partial(_work_out, claimed), "lab").join(SOON)
    standing = service.standing(question, utcnow())
    return standing if standing.answer is not None else Standing(progress=standing.progress or 0.0)


def _work_out(claimed: Claimed) -> None:
    with suppress(LeaseLost):  # the settings have changed: somebody works it out by the new ones
        service.work_out(claimed, utcnow)
