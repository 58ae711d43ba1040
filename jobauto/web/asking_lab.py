"""Asking the lab from a page or the API: the answer where it comes soon, else how far it is."""

import threading
from contextlib import suppress
from functools import partial

from ..clock import utcnow
from ..errors import InvalidInput
from ..extensions import db
from ..lab import service
from ..lab.service import NOW, Claimed, Question, Standing
from ..sites import queries as sites
from ..storage.leases import LeaseLost
from ..work import threads

SOON = 2.0
"""Seconds that somebody waits before they are told how far it is."""
at_a_walk = threading.Lock()
"""Held while this process walks: one question at a time, so that asking many takes no more of the machine."""


def ask(question: Question) -> Standing:
    """The standing of a question; begin to work it out where nobody does.

    Raises InvalidInput for a group that no site has: anybody could invent any number of them.
    """
    if question.group and db.session.scalar(sites.any_of_group(question.group)) is None:
        raise InvalidInput("There is no such group.", {"group": ["No site is in this group."]}, 400)
    standing = service.standing(question, utcnow())
    if standing.answer is not None or standing.progress is not None:
        return standing
    if question.days != NOW and not at_a_walk.acquire(blocking=False):
        return Standing(progress=0.0, is_waiting=True)
    _begin(question)
    standing = service.standing(question, utcnow())
    return standing if standing.answer is not None else Standing(progress=standing.progress or 0.0)


def _begin(question: Question) -> None:
    """Work it out in a thread, unless another process is at it. Of a walk, the thread releases the lock."""
    work = None
    try:
        if claimed := service.claim(question, utcnow()):
            work = threads.start(partial(_work_out, claimed), "lab")
    finally:
        if work is None and question.days != NOW:
            at_a_walk.release()
    if work is not None:
        work.join(SOON)


def _work_out(claimed: Claimed) -> None:
    try:
        with suppress(LeaseLost):  # the settings have changed: somebody works it out by the new ones
            service.work_out(claimed, utcnow)
    finally:
        if claimed.question.days != NOW:
            at_a_walk.release()
