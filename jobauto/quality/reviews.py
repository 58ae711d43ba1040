"""What a person is asked about readings, or told: made of what a walk has found."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ..models.quality import Quality, ReviewDecision, ReviewKind
from .meter import Limit, Meter
from .register import DAY, Point, Register

BACKWARDS = 3
"""So many readings in a row that fall look like a register that counts down."""
UNSTEADY_SPAN = 7 * DAY
UNSTEADY_COUNT = 7
"""Of at least so many readings in that time, more than half in doubt make a site unsteady."""


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a site's readings.

    ``places`` are those of its readings among all of the site's. ``since``, ``first`` and ``until``, ``last``
    are the first and last of them, ``before`` and ``after`` the values of the good ones beside them, None
    where there is none. ``limit`` is how many watt-hours a day the register might have risen to the first
    one; None where that was not known, or a person has decided. ``capacity_too_small`` says that the limit
    is learned from here on, for the capacity cannot be right.

    ``decision`` is None while the review is open. ``decided`` is the number of a person's decision; where
    the program decided, as it does about glitches, it is None.
    """

    kind: ReviewKind
    places: tuple[int, ...]
    since: int
    first: int
    until: int
    last: int
    before: int | None
    after: int | None
    limit: int | None = None
    capacity_too_small: bool = False
    decision: ReviewDecision | None = None
    decided: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person."""
        return self.decision is None


@dataclass(frozen=True)
class Found:
    """What a walk found.

    ``order`` are the places of the readings that it walked, ``limits`` how fast the register might have
    risen to the first readings of what was in doubt.
    """

    readings: Sequence[Point]
    quality: Sequence[int]
    order: Sequence[int]
    meters: Sequence[Meter]
    limits: Mapping[int, Limit | None]
    register: Register

    def reviews(self) -> list[Review]:
        """All of them, in the order of their first readings; what is unsteady comes after what is in it."""
        found = [*self._new_levels(), *self._decided()]
        if any(map(self.quality.count, (Quality.WRONG, Quality.DOUBTFUL))):
            found += [*self._stretches(), *self._unsteady()]
        return sorted(found, key=lambda review: (review.since, review.kind is ReviewKind.UNSTEADY))

    def _stretches(self) -> Iterator[Review]:
        for quality, group in groupby(self.order, self.quality.__getitem__):
            if quality == Quality.WRONG:
                yield self._review(ReviewKind.GLITCH, list(group), decision=ReviewDecision.WRONG)
            elif quality == Quality.DOUBTFUL:
                places = list(group)
                yield self._review(self._kind(places), places)

    def _kind(self, places: Sequence[int]) -> ReviewKind:
        """Of doubtful readings; the one before the first of them is good."""
        before = self.order[bisect_left(self.order, places[0]) - 1]
        sign = -1 if self.register.counts_down else 1
        values = [sign * self.readings[place][1] for place in (before, *places)]
        in_a_row = longest = 0
        for earlier, later in pairwise(values):
            in_a_row = in_a_row + 1 if later < earlier else 0
            longest = max(longest, in_a_row)
        if longest >= BACKWARDS:
            return ReviewKind.BACKWARDS
        return ReviewKind.FALL if values[1] < values[0] else ReviewKind.LEAP

    def _new_levels(self) -> Iterator[Review]:
        for meter in self.meters:
            if meter.by_level:
                yield self._review(
                    ReviewKind.NEW_LEVEL, meter.level(), capacity_too_small=meter.capacity_too_small
                )

    def _decided(self) -> Iterator[Review]:
        for decision in self.register.decisions:
            places = decision.standing(self.readings)
            if places:
                yield self._review(decision.kind, places, decision=decision.decision, decided=decision.number)

    def _unsteady(self) -> Iterator[Review]:
        settled = {
            place
            for decision in self.register.decisions
            if decision.kind is ReviewKind.UNSTEADY
            for place in decision.standing(self.readings)
        }
        doubted = [self.quality[place] != Quality.GOOD and place not in settled for place in self.order]
        for first, last in _together(self._unsteady_spans(doubted)):
            places = [self.order[number] for number in range(first, last + 1) if doubted[number]]
            yield self._review(ReviewKind.UNSTEADY, places)

    def _unsteady_spans(self, doubted: Sequence[bool]) -> Iterator[tuple[int, int]]:
        """The first and last reading, by their number in the order, of all 7 days that are unsteady."""
        if sum(doubted) <= UNSTEADY_COUNT // 2:
            return
        first = in_doubt = 0
        for last, place in enumerate(self.order):
            in_doubt += doubted[last]
            while self.readings[self.order[first]][0] <= self.readings[place][0] - UNSTEADY_SPAN:
                in_doubt -= doubted[first]
                first += 1
            count = last - first + 1
            if count >= UNSTEADY_COUNT and 2 * in_doubt > count:
                yield first, last

    def _review(
        self,
        kind: ReviewKind,
        places: Sequence[int],
        *,
        capacity_too_small: bool = False,
        decision: ReviewDecision | None = None,
        decided: int | None = None,
    ) -> Review:
        since, first = self.readings[places[0]]
        until, last = self.readings[places[-1]]
        limit = self.limits.get(places[0]) if decided is None else None
        return Review(
            kind=kind,
            places=tuple(places),
            since=since,
            first=first,
            until=until,
            last=last,
            before=self._good(range(bisect_left(self.order, places[0]) - 1, -1, -1)),
            after=self._good(range(bisect_right(self.order, places[-1]), len(self.order))),
            limit=limit and limit[0] * DAY // limit[1],
            capacity_too_small=capacity_too_small,
            decision=decision,
            decided=decided,
        )

    def _good(self, numbers: range) -> int | None:
        """The value of the first good one of readings, by their numbers in the order."""
        places = map(self.order.__getitem__, numbers)
        return next((self.readings[place][1] for place in places if not self.quality[place]), None)


def _together(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans, in order, of which those that share a reading are one."""
    begin = end = None
    for first, last in spans:
        if begin is None or end is None or first > end:
            if begin is not None and end is not None:
                yield begin, end
            begin = first
        end = last
    if begin is not None and end is not None:
        yield begin, end
