"""One meter of a site, while its readings are walked: what is good on it, and what is in line with that."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from .register import DAY, LEAST_LEARNED_LIMIT

LEARNED_FROM = 400 * DAY
LEARNED_AFTER = 14 * DAY
TIMES_THE_MEAN = 20
FULL_COUNT = 3
FULL_SPAN = DAY
UNDONE_WITHIN = 14 * DAY
"""So long may a reading that is in line with the meter before show that a new level was wrong."""
TOO_MANY = 3
TOO_MANY_WITHIN = 30 * DAY
"""So many levels that the learned limit would have let pass, in so short a time: the capacity is wrong."""

Limit = tuple[int, int]
"""How fast a register may rise: so many watt-hours in so many microseconds."""


@dataclass
class Meter:
    """A meter of a site and its good readings, as places in the walked readings ``at`` and ``value``.

    ``start`` is the instant from which it counts. ``by_level`` says that the walk took a level for it, and
    not a person, nor the first reading. ``decided`` good readings, from its first on, stand by what people
    said, the last of them by its own right. ``capacity`` is the limit in watt-hours a day, None: learned.
    ``misfits`` are the first readings of the newest levels that only the capacity kept out of line.
    """

    at: Sequence[int]
    value: Sequence[int]
    fall_tolerance: int
    capacity: int | None
    start: int
    good: list[int]
    by_level: bool = False
    decided: int = 0
    misfits: tuple[int, ...] = ()
    capacity_too_small: bool = False
    _oldest: int = field(default=0, init=False)

    def limit(self, place: int) -> Limit | None:
        """How fast the register may have risen to the reading at a place; None where nothing is known."""
        return self.learned_limit(place) if self.capacity is None else (self.capacity, DAY)

    def learned_limit(self, place: int) -> Limit | None:
        """20 times the mean of the good readings later than 400 days before it, at least 100 kWh a day.

        None where they span less than 14 days.
        """
        first = self._first_since(self.at[place] - LEARNED_FROM)
        last = self.good[-1]
        time = self.at[last] - self.at[first]
        if time < LEARNED_AFTER:
            return None
        rise = TIMES_THE_MEAN * (self.value[last] - self.value[first])
        return (rise, time) if rise * DAY > LEAST_LEARNED_LIMIT * time else (LEAST_LEARNED_LIMIT, DAY)

    def _first_since(self, horizon: int) -> int:
        """The first good reading later than an instant, else the last one. Mostly the same as last time."""
        oldest = min(self._oldest, len(self.good) - 1)
        while oldest and self.at[self.good[oldest - 1]] > horizon:
            oldest -= 1
        while oldest < len(self.good) - 1 and self.at[self.good[oldest]] <= horizon:
            oldest += 1
        self._oldest = oldest
        return self.good[oldest]

    def falls(self, earlier: int, later: int) -> bool:
        """Whether the register is lower at one place than at another, by more than it may be."""
        return self.value[later] < self.value[earlier] - self.fall_tolerance

    def is_in_line(self, earlier: int, later: int) -> bool:
        """Whether the later reading may follow the earlier one, which is good, on this meter."""
        if self.value[later] < self.value[earlier] - self.fall_tolerance:
            return False
        return self._within(self.limit(later), earlier, later)

    def is_misfit(self, later: int) -> bool:
        """Whether only the capacity keeps a reading out of line with the last good one."""
        last = self.good[-1]
        return (
            self.capacity is not None
            and not self.falls(last, later)
            and self._within(self.learned_limit(later), last, later)
        )

    def _within(self, limit: Limit | None, earlier: int, later: int) -> bool:
        if limit is None:
            return True
        rise, time = limit
        elapsed = max(self.at[later] - self.at[earlier], DAY)
        return (self.value[later] - self.value[earlier]) * time <= rise * elapsed

    def is_full(self, first: int, last: int, count: int) -> bool:
        """Whether so many readings, from one place to another, are enough to be judged."""
        return count >= FULL_COUNT and self.at[last] - self.at[first] >= FULL_SPAN

    def good_before_spike(self, place: int) -> int | None:
        """How many good readings must stay for the reading at a place to be in line with the last of them.

        The fewest may go, less than a full level, and none that a person decided. None: it cannot be.
        """
        count = len(self.good)
        for stay in range(count - 1, max(self.decided, 1) - 1, -1):
            if self.is_full(self.good[stay], self.good[-1], count - stay):
                return None
            if self.is_in_line(self.good[stay - 1], place):
                return stay
        return None

    def may_be_undone(self, place: int) -> bool:
        """Whether a reading may still show that the level which began the meter was wrong."""
        return self.by_level and not self.decided and self.at[place] - self.start <= UNDONE_WITHIN

    def level(self) -> list[int]:
        """The good readings of the days in which the meter may be undone: what its review is about."""
        return list(takewhile(lambda place: self.at[place] - self.start <= UNDONE_WITHIN, self.good))

    def followed_by(self, start: int, first: int) -> "Meter":
        """The meter that a person says begins at an instant; its first reading stands."""
        return replace(self, start=start, good=[first], by_level=False, decided=1, capacity_too_small=False)

    def followed_by_level(self, level: list[int]) -> "Meter":
        """The meter that a full level is taken for. Its limit is learned where there are too many misfits."""
        first = self.at[level[0]]
        misfits, too_small = self.misfits, False
        if self.is_misfit(level[0]):
            misfits = (*misfits, first)[-TOO_MANY:]
            too_small = len(misfits) == TOO_MANY and first - misfits[0] <= TOO_MANY_WITHIN
        return replace(
            self,
            start=first,
            good=level,
            by_level=True,
            decided=0,
            capacity=None if too_small else self.capacity,
            misfits=misfits,
            capacity_too_small=too_small,
        )
