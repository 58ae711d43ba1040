"""What is known of a site's register besides its readings."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..models.quality import ReviewDecision, ReviewKind

HOUR = 3_600_000_000
DAY = 24 * HOUR

LEAST_LEARNED_LIMIT = 100_000
"""Watt-hours a day that every register may rise whose capacity is unknown."""

Point = tuple[int, int]
"""A reading: microseconds since 1970, watt-hours."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about a review: for these readings, by instant and value, and for no other.

    ``number`` is whatever the caller knows the review by, ``kind`` what it was when it was decided.
    """

    number: int
    kind: ReviewKind
    decision: ReviewDecision
    readings: tuple[Point, ...]

    def standing(self, readings: Sequence[Point]) -> list[int]:
        """The places of those that are still there, with the same value, in readings in order."""
        found = ((bisect_left(readings, point), point) for point in self.readings)
        return sorted(place for place, point in found if place < len(readings) and readings[place] == point)


@dataclass(frozen=True)
class Register:
    """A site's register.

    ``capacity_kwp`` has at most two decimals, and is None where it is unknown. ``counts_down`` and
    ``is_interval`` say what the site's ``counts`` and ``measure`` are. ``fall_tolerance`` is in watt-hours.
    ``changes`` are the instants of the recorded meter changes, in any order. ``decisions`` are those in
    force, in the order in which they were made: of two about one reading, the later one holds.
    """

    capacity_kwp: Decimal | None = None
    counts_down: bool = False
    is_interval: bool = False
    fall_tolerance: int = 1_000
    changes: Sequence[int] = ()
    decisions: Sequence[Decision] = ()

    @property
    def capacity_limit(self) -> int | None:
        """Watt-hours a day that the site can make at the very most, if its capacity is known."""
        return None if self.capacity_kwp is None else int(self.capacity_kwp * 24_000)

    @property
    def certain_limit(self) -> int:
        """Watt-hours a day that are in line whatever the register did before.

        The smaller of what the capacity allows and the least learned limit: where a capacity turns out to
        be too small, the learned one is used.
        """
        return min(LEAST_LEARNED_LIMIT, self.capacity_limit or LEAST_LEARNED_LIMIT)
