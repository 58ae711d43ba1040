"""Taking two things in turn, and telling their costs as a ratio."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

Deed = Callable[[], object]

LEAST, MOST = 3, 15
ENOUGH_SECONDS = 2.0


@dataclass(frozen=True)
class Side:
    """Something that is timed; what makes it possible again, before, is not."""

    deed: Deed
    before: Deed = lambda: None

    def seconds(self) -> float:
        """How long it takes once."""
        self.before()
        gc.collect()
        began = perf_counter()
        self.deed()
        return perf_counter() - began


@dataclass(frozen=True)
class Turns:
    """Seconds of two things that were done in turn, A B A B, so that a busy moment hits both."""

    ours: list[float]
    other: list[float]

    @property
    def seconds(self) -> tuple[float, float]:
        """The median of each."""
        return median(self.ours), median(self.other)

    @property
    def ratio(self) -> float:
        """Our time by the other: the median of the ratios of the turns."""
        return median(ours / other for ours, other in zip(self.ours, self.other, strict=True))


def in_turn(ours: Side, other: Side, least: int = LEAST) -> Turns:
    """Do both once without looking, then with a clock: some times, or more often where that is soon done."""
    ours.seconds(), other.seconds()
    turns = Turns([], [])
    began = perf_counter()
    while len(turns.ours) < least or (len(turns.ours) < MOST and perf_counter() - began < ENOUGH_SECONDS):
        turns.ours.append(ours.seconds())
        turns.other.append(other.seconds())
    return turns
