"""Zero Reads at every slot, for all thresholds at once, as :mod:`jobauto.rules.zero_reads` has it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import gt, ne, or_

from .series import DAY, Judged, Series, bits
from .slots import Slots

THRESHOLDS = range(2, 31)
ALL = bits(THRESHOLDS[0], THRESHOLDS[-1])
SLACK = DAY // 2


@dataclass(frozen=True)
class Limits:
    """The settings of the rule that the lab leaves as they are; energies in watt-hours."""

    readings_to_compare: int
    min_increase: int
    fall_tolerance: int

    def are_enough(self, days: int, count: int, span: int) -> bool:
        """Whether readings that have not risen flag the site, or are too few to tell."""
        needed = min(self.readings_to_compare, days)
        return count >= needed and span >= (needed - 1) * DAY - SLACK


def judge(series: Series, slots: Slots, limits: Limits) -> Iterator[Judged]:
    """The slots at which some threshold does not find the site ok.

    What rose within the shortest window, and has not fallen within the longest, rose within each of them:
    almost every slot of almost every site ends here.
    """
    times = series.times
    has_risen, judge_at = _ways(series, limits)
    for place, at in enumerate(slots.times):
        newest = bisect_right(times, at) - 1
        if not has_risen(at, newest):
            flagged, ok = judge_at(at, newest)
            if ok != ALL:
                yield place, flagged, ok


def since(series: Series, at: int, days: int, limits: Limits) -> int:
    """When the standstill that a threshold flags at a slot began."""
    times, values = series.times, series.values
    newest = bisect_right(times, at) - 1
    if series.is_interval:
        return _last_that_counted(series, newest, limits)
    begins = bisect_left(series.meters, series.meters[newest])
    highest = max(values[_first_of(series, at, days, newest) : newest + 1])
    place = newest
    while place >= begins and values[place] >= highest - limits.min_increase - limits.fall_tolerance:
        place -= 1
    return next(
        times[later]
        for later in range(place + 1, newest + 1)
        if values[later] >= highest - limits.min_increase
    )


def _last_that_counted(series: Series, newest: int, limits: Limits) -> int:
    total = 0
    for place in range(newest, -1, -1):
        total += series.values[place]
        if total > limits.min_increase:
            return series.times[place]
    return series.times[0]


_HasRisen = Callable[[int, int], bool]
_JudgeAt = Callable[[int, int], tuple[int, int]]


def _ways(series: Series, limits: Limits) -> tuple[_HasRisen, _JudgeAt]:
    if series.is_interval:
        return _interval_ways(series, limits)
    return _register_ways(series, limits)


def _register_ways(series: Series, limits: Limits) -> tuple[_HasRisen, _JudgeAt]:
    times, values, meters, rise = series.times, series.values, series.meters, limits.min_increase
    breaks = _breaks(series)

    def has_risen(at: int, newest: int) -> bool:
        first = bisect_right(times, at - THRESHOLDS[0] * DAY)
        if first >= newest or values[newest] - values[first] <= rise:
            return False
        last_break = bisect_right(breaks, at) - 1
        return last_break < 0 or breaks[last_break] <= at - THRESHOLDS[-1] * DAY

    def judge_at(at: int, newest: int) -> tuple[int, int]:
        if newest < 0:
            return 0, 0
        flagged = ok = 0
        begins, seen, highest = bisect_left(meters, meters[newest]), newest + 1, values[newest]
        for days in THRESHOLDS:
            first = max(bisect_right(times, at - days * DAY, 0, newest + 1), begins)
            if first > newest:
                continue
            highest, seen = max(highest, max(values[first:seen], default=highest)), first
            lowest = max(values[max(first - 1, begins) : first + 1])
            if highest - lowest > rise:
                ok |= 1 << days
            elif limits.are_enough(days, newest + 1 - first, times[newest] - times[first]):
                flagged |= 1 << days
        return flagged, ok

    return has_risen, judge_at


def _breaks(series: Series) -> Sequence[int]:
    """When the register had fallen, or was another one, since the reading before."""
    values, meters = series.values, series.meters
    broken = list(map(or_, map(gt, values, values[1:]), map(ne, meters, meters[1:])))
    return list(compress(series.times[1:], broken))


def _interval_ways(series: Series, limits: Limits) -> tuple[_HasRisen, _JudgeAt]:
    times, values = series.times, series.values

    def has_risen(at: int, newest: int) -> bool:
        return sum(values[bisect_right(times, at - THRESHOLDS[0] * DAY) : newest + 1]) > limits.min_increase

    def judge_at(at: int, newest: int) -> tuple[int, int]:
        flagged = ok = total = 0
        seen = newest + 1
        for days in THRESHOLDS:
            first = bisect_right(times, at - days * DAY, 0, newest + 1)
            total, seen = total + sum(values[first:seen]), first
            if total > limits.min_increase:
                ok |= 1 << days
            elif first <= newest and limits.are_enough(
                days, newest + 1 - first, times[newest] - times[first]
            ):
                flagged |= 1 << days
        return flagged, ok

    return has_risen, judge_at


def _first_of(series: Series, at: int, days: int, newest: int) -> int:
    return max(bisect_right(series.times, at - days * DAY), bisect_left(series.meters, series.meters[newest]))
