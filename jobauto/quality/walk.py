"""The walk over a site's readings that says which of them are to be believed.

Meter by meter, in the order of instants. Estimated and ignored readings are left out.

1. In line with the last good reading: good. What was doubtful in between is wrong, but for the newest level
   where nothing falls on the way over it.
2. Else it is doubtful. Doubtful readings that do not fall are a level.
3. A full level shows that a few good readings before it were a spike, or else it is a new meter.
4. For 14 days a reading that is in line with the meter before shows that such a new meter was wrong.

Nearly every reading is in line, whatever the days before it say. So the steps are looked at all at once, and
only where one falls, is large, or somebody has said something, readings are taken one by one.

Where the contract leaves a choice:

* Whatever is learned looks at readings *later* than 400 days before, as the rules do with their days.
  Full levels, the 14 days of point 4 and the 30 days of small capacities include their ends.
* Point 3 also finds a level in line with an earlier reading because more days lie between.
* A meter's number counts the beginnings of meters up to an instant, so also of readings that are not good.
  It begins at the recorded change, else at its first reading. Changes without a reading between count once.
* The first reading after a recorded change is good. So no level can follow one without a good reading
  between, and what a change explains is never reviewed.
* What a person decided stands: point 3 takes no reading that was decided right, nor the first one of a meter.
  Point 4 undoes no meter on which a reading was decided.
* A reading that is ``right`` counts as in line. Where the first one that still stands falls, a meter begins.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import neg, sub

from ..models.quality import Quality, ReviewDecision
from .meter import Limit, Meter
from .register import Decision, Point, Register
from .reviews import Found, Review


@dataclass(frozen=True)
class Walked:
    """What a walk says of each reading, in the order given: its quality, and the number of its meter.

    And the reviews of them, in the order of their first readings.
    """

    qualities: Sequence[int]
    meters: Sequence[int]
    reviews: list[Review] = field(default_factory=list)


def walk(readings: Sequence[Point], register: Register, estimated: Collection[int] = ()) -> Walked:
    """Judge all readings of one site, given in the order of their instants, no two of which are equal.

    ``estimated`` are the places of those that their sender estimated. The answer depends on nothing else.
    """
    at, value = _columns(readings, register)
    nothing = bytes(len(at))
    quality = bytearray(nothing)
    for place in estimated:
        quality[place] = Quality.ESTIMATED
    if register.is_interval:
        return Walked(quality, nothing)
    said = _said(readings, register.decisions, quality)
    order: Sequence[int] = range(len(at))
    if any(quality):
        order = [place for place in order if quality[place] == Quality.GOOD]
    stops = _steps_to_look_at([value[place] for place in order] if any(quality) else value, register)
    if not (stops or register.changes or register.decisions):
        return Walked(quality, nothing)
    walking = _Walk(at, value, quality, register, said, _begins(at, order, register.changes))
    walking.go(order, stops)
    found = Found(readings, quality, order, walking.meters, walking.limits, register)
    return Walked(quality, _numbers(at, walking.meters), found.reviews())


def finds_nothing(least: int, most: int, register: Register) -> bool:
    """Whether a walk would find all readings of a site good and of one meter, and nothing to ask.

    ``least`` and ``most`` are the smallest and the largest step, in watt-hours, from one reading to the next.
    The caller answers for that no reading is estimated, no change recorded, and nothing decided.
    """
    if register.counts_down:
        least, most = -most, -least
    return register.is_interval or (least >= -register.fall_tolerance and most <= register.certain_limit)


def _columns(readings: Sequence[Point], register: Register) -> tuple[Sequence[int], Sequence[int]]:
    """The instants, and the values as if the register counted up."""
    if not readings:
        return (), ()
    at, value = zip(*readings, strict=True)
    return at, tuple(map(neg, value)) if register.counts_down else value


def _said(
    readings: Sequence[Point], decisions: Sequence[Decision], quality: bytearray
) -> dict[int, tuple[ReviewDecision, bool]]:
    """What was decided about readings that count, and whether each is the first of its decision.

    Those to be ignored are marked as such instead.
    """
    said: dict[int, tuple[ReviewDecision, bool]] = {}
    for decision in decisions:
        places = [place for place in decision.standing(readings) if quality[place] != Quality.ESTIMATED]
        for place in places:
            said[place] = decision.decision, place == places[0]
    for place, (decided, is_first) in list(said.items()):
        if decided is ReviewDecision.WRONG:
            quality[place] = Quality.IGNORED
        if decided is ReviewDecision.WRONG or (decided is ReviewDecision.NEW_METER and not is_first):
            del said[place]
    return said


def _steps_to_look_at(values: Sequence[int], register: Register) -> list[int]:
    """Which of the walked readings may be out of line with the one before, by their number from 0 on."""
    least, most = -register.fall_tolerance, register.certain_limit
    steps = list(map(sub, islice(values, 1, None), values))
    if not steps or (min(steps) >= least and max(steps) <= most):
        return []
    return [number for number, step in enumerate(steps, 1) if not least <= step <= most]


def _begins(at: Sequence[int], order: Sequence[int], changes: Sequence[int]) -> dict[int, int]:
    """The first reading from each recorded change on, and the change; of several between two, the last."""
    begins = {}
    for change in sorted(changes):
        number = bisect_left(order, change, key=at.__getitem__)
        if number < len(order):
            begins[order[number]] = change
    return begins


def _numbers(at: Sequence[int], meters: Sequence[Meter]) -> list[int]:
    """Of each reading, how many meters have begun until then, after the first one."""
    numbers: list[int] = []
    for number, meter in enumerate(meters[1:]):
        begin = bisect_left(at, meter.start)
        numbers.extend([number] * (begin - len(numbers)))
    return numbers + [len(meters[1:])] * (len(at) - len(numbers))


class _Walk:
    """Where the walk stands: the meters so far, and what is doubtful since the last good reading."""

    def __init__(
        self,
        at: Sequence[int],
        value: Sequence[int],
        quality: bytearray,
        register: Register,
        said: Mapping[int, tuple[ReviewDecision, bool]],
        begins: Mapping[int, int],
    ) -> None:
        self.at = at
        self.value = value
        self.quality = quality
        self.register = register
        self.said = said
        self.begins = begins
        self.meters: list[Meter] = []
        self.doubtful: list[int] = []
        self.level = 0
        """Where the newest level begins among the doubtful ones."""
        self.limits: dict[int, Limit | None] = {}
        """How fast the register might have risen to the first reading of each stretch and level in doubt."""

    def go(self, order: Sequence[int], steps: Sequence[int]) -> None:
        """Walk. ``steps`` are the numbers, in the order, of readings that may be out of line."""
        spoken = (bisect_left(order, place) for place in (*self.said, *self.begins))
        number = 0
        for stop in [*sorted({0, *steps, *spoken}), len(order)]:
            while number < stop and not self._is_calm(order[number]):
                self._take(order[number])
                number += 1
            if number < stop:
                self.meters[-1].good.extend(order[number:stop])
            if stop < len(order):
                self._take(order[stop])
            number = stop + 1
        self._mark(self.doubtful, Quality.DOUBTFUL)

    def _is_calm(self, place: int) -> bool:
        """Whether a reading that is in line with the one before it is good, and nothing else comes of it."""
        return not self.doubtful and not self.meters[-1].may_be_undone(place)

    def _take(self, place: int) -> None:
        meter = self.meters[-1] if self.meters else None
        if meter is None or place in self.begins or place in self.said:
            self._take_decided(place)
        elif meter.by_level and self._is_undone_by(place):
            self._mark(self.meters.pop().good, Quality.WRONG)
            self._accept(place)
        elif meter.is_in_line(meter.good[-1], place):
            self._accept(place)
        else:
            self._doubt(place)

    def _take_decided(self, place: int) -> None:
        """A reading that is good whatever stands before it: no later one can make it wrong."""
        decided, is_first = self.said.get(place, (None, False))
        begins = not self.meters or place in self.begins or decided is ReviewDecision.NEW_METER
        if begins or (is_first and self.meter.falls(self.meter.good[-1], place)):
            self._begin(place)
        else:
            self._accept(place)
        self.meter.decided = len(self.meter.good)

    @property
    def meter(self) -> Meter:
        """The newest meter."""
        return self.meters[-1]

    def _begin(self, place: int) -> None:
        """A meter begins because a person says so, or because there is none."""
        start = self.begins.get(place, self.at[place])
        self._reject_doubtful()
        if self.meters:
            self.meters.append(self.meter.followed_by(start, place))
        else:
            tolerance, capacity = self.register.fall_tolerance, self.register.capacity_limit
            self.meters.append(Meter(self.at, self.value, tolerance, capacity, start, [place]))

    def _accept(self, place: int) -> None:
        """A reading is good, and settles what was doubtful before it."""
        if self.doubtful:
            level, falls = self.doubtful[self.level :], self.meter.falls
            if falls(self.meter.good[-1], level[0]) or falls(level[-1], place):
                level = []
            self._reject_doubtful(keep=level)
            self.meter.good.extend(level)
        self.meters[-1].good.append(place)

    def _doubt(self, place: int) -> None:
        """A reading is out of line; a full level is judged."""
        if not self.doubtful or self.meter.falls(self.doubtful[-1], place):
            self.level = len(self.doubtful)
            self.limits[place] = self.meter.limit(place)
        self.doubtful.append(place)
        first = self.doubtful[self.level]
        if self.meter.is_full(first, place, len(self.doubtful) - self.level):
            self._judge(self.doubtful[self.level :])

    def _judge(self, level: list[int]) -> None:
        """Either a few good readings before a full level were a spike, or it is a new meter."""
        self._reject_doubtful(keep=level)
        stay = self.meter.good_before_spike(level[0])
        if stay is None:
            self.meters.append(self.meter.followed_by_level(level))
        else:
            self._mark(self.meter.good[stay:], Quality.WRONG)
            self.meter.good[stay:] = level

    def _is_undone_by(self, place: int) -> bool:
        """Whether a reading shows that the level which the newest meter was taken for was wrong."""
        if not self.meter.may_be_undone(place):
            return False
        before, last, newest = self.meters[-2], self.meters[-2].good[-1], self.meter.good[-1]
        if not before.is_in_line(last, place):
            return False
        return before.falls(last, newest) or not self.meter.is_in_line(newest, place)

    def _reject_doubtful(self, keep: Collection[int] = ()) -> None:
        """What is doubtful is wrong, but for the level at its end that is kept."""
        self._mark(self.doubtful[: len(self.doubtful) - len(keep)], Quality.WRONG)
        self.doubtful.clear()

    def _mark(self, places: Sequence[int], quality: Quality) -> None:
        for place in places:
            self.quality[place] = quality
