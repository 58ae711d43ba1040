"""Whether new readings are good without a look at those before them, as nearly all are."""

from collections.abc import Sequence
from itertools import chain

from .meter import UNDONE_WITHIN
from .register import DAY, Point, Register
from .reviews import UNSTEADY_SPAN

CALM = max(UNDONE_WITHIN, UNSTEADY_SPAN)
"""So long before its newest reading must a site have been calm for :func:`in_line` to be asked: 14 days."""


def in_line(last: Point, readings: Sequence[Point], register: Register) -> bool:
    """Whether a whole walk would find all new readings good, on the meter of ``last``, and nothing else new.

    False only means that it cannot be told from here: then all readings of the site must be walked.

    ``readings`` are in the order of their instants, and their sender estimated none. ``last`` is the newest
    reading before them that is not estimated or ignored. The caller answers for these:

    * All older readings of the site are classified, and each new one is later than ``last``.
    * ``last`` is good, and no reading of the :data:`CALM` time before it is doubtful or wrong.
    * Its meter is number 0, or has a reading that is older than ``last`` by more than that time.
    * No recorded change is later than ``last``, and no decision is about a reading of that time or later.

    The reason: ``certain_limit`` holds whatever the register did in 400 days, and a reading that follows a
    calm time undoes no meter, ends no review, and makes no site unsteady.
    """
    if register.is_interval:
        return True
    sign = -1 if register.counts_down else 1
    least, most = -register.fall_tolerance, register.certain_limit
    earlier = chain((last,), readings)
    for (at, value), (since, before) in zip(readings, earlier, strict=False):
        step = sign * (value - before)
        if step < least or (step > most and step * DAY > most * (at - since)):
            return False
    return True
