"""No Coms at every slot, for all thresholds at once: :mod:`jobauto.rules.no_coms` says what is the case."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import compress, pairwise
from operator import sub

from .series import DAY, Judged, Series, bits
from .slots import Slots

THRESHOLDS = range(1, 31)
ALL = bits(THRESHOLDS[0], THRESHOLDS[-1])


def judge(series: Series, slots: Slots) -> Iterator[Judged]:
    """The slots at which some threshold does not find the site ok.

    A gap between two readings, or between the last one and the end, flags the site at each slot in it under
    every threshold that it is as long as. Most gaps are shorter than a day, and are not looked at.
    """
    heard = series.heard
    if not heard:
        yield from _never_heard(series.monitored_from, slots, len(slots.times))
        return
    yield from _never_heard(series.monitored_from, slots, bisect_left(slots.times, heard[0]))
    for before, after in _gaps(heard):
        place = bisect_left(slots.times, before + DAY)
        while place < len(slots.times) and (after is None or slots.times[place] < after):
            flagged = bits(THRESHOLDS[0], min((slots.times[place] - before) // DAY, THRESHOLDS[-1]))
            yield place, flagged, ALL & ~flagged
            place += 1


def since(series: Series, at: int) -> int | None:
    """When the silence at a slot began; None if the site had never reported."""
    place = bisect_left(series.heard, at + 1)
    return series.heard[place - 1] if place else None


def _gaps(heard: Sequence[int]) -> Iterator[tuple[int, int | None]]:
    long = [gap >= DAY for gap in map(sub, heard[1:], heard)]
    yield from compress(pairwise(heard), long)
    yield heard[-1], None


def _never_heard(monitored_from: date | None, slots: Slots, until: int) -> Iterator[Judged]:
    for place in range(until):
        old = [not monitored_from or monitored_from <= slots.date_before(place, days) for days in THRESHOLDS]
        yield place, sum(1 << days for days in compress(THRESHOLDS, old)), 0
