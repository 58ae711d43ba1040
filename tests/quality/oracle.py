"""The walk again, in plain Python and word by word from the contract: slow, obvious, and independent.

Days are fractions, kWh are decimals, and whatever is asked is worked out anew from all that is known.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Reading:
    at: datetime
    value: Decimal
    estimated: bool = False


@dataclass(frozen=True)
class Said:
    """What a person decided about some readings, and about a review of which kind."""

    decision: str
    readings: tuple[Reading, ...]
    kind: str = "fall"


@dataclass
class Meter:
    start: datetime
    good: list[Reading]
    taken_for_new: bool = False
    "By the walk, from a level; not by a person."
    kept: list[Reading] = field(default_factory=list)
    "Good readings that a person decided about."
    would_have_passed: bool = False
    "Its first reading was out of line by the capacity alone."
    too_small: bool = False
    "It is the third such within 30 days."


@dataclass(frozen=True)
class Told:
    """A review: kind, instants of its readings, good values beside it, decision, whether a person decided."""

    kind: str
    readings: tuple[datetime, ...]
    before: Decimal | None
    after: Decimal | None
    decision: str | None = None
    by_person: bool = False
    too_small: bool = False


@dataclass
class Site:
    """A register site as the contract speaks of it; ``meters`` and the rest are what the walk finds."""

    readings: list[Reading]
    capacity: Decimal | None = None
    tolerance: Decimal = Decimal(1)
    down: bool = False
    changes: list[datetime] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    doubtful: list[Reading] = field(default_factory=list)
    wrong: list[Reading] = field(default_factory=list)

    def kwh(self, reading: Reading) -> Decimal:
        """The value, turned round where the site counts down."""
        return -reading.value if self.down else reading.value

    def decision(self, reading: Reading) -> tuple[str, bool] | None:
        """The newest decision about a reading, and whether it is the first one of it that still stands."""
        for said in reversed(self.said):
            standing = [each for each in sorted(self.readings, key=lambda r: r.at) if self.is_of(each, said)]
            if reading in standing:
                return said.decision, reading == standing[0]
        return None

    def is_of(self, reading: Reading, said: Said) -> bool:
        return not reading.estimated and (reading.at, reading.value) in [
            (r.at, r.value) for r in said.readings
        ]

    def is_ignored(self, reading: Reading) -> bool:
        decided = self.decision(reading)
        return not reading.estimated and decided is not None and decided[0] == "wrong"

    def taking_part(self) -> list[Reading]:
        found = [each for each in self.readings if not each.estimated and not self.is_ignored(each)]
        return sorted(found, key=lambda reading: reading.at)

    # In line

    def falls(self, earlier: Reading, later: Reading) -> bool:
        return self.kwh(later) < self.kwh(earlier) - self.tolerance

    def too_small(self) -> bool:
        return any(meter.too_small for meter in self.meters)

    def learned(self, meter: Meter, reading: Reading) -> Fraction | None:
        """kWh a day, from the 400 days before the reading in question."""
        seen = [each for each in meter.good if reading.at - 400 * DAY < each.at < reading.at]
        if not seen:
            return None
        days = Fraction(
            (seen[-1].at - seen[0].at) // timedelta(microseconds=1), DAY // timedelta(microseconds=1)
        )
        if days < 14:
            return None
        return max(Fraction(100), Fraction(self.kwh(seen[-1]) - self.kwh(seen[0])) / days * 20)

    def limit(self, meter: Meter, reading: Reading) -> Fraction | None:
        known = self.meters[: self.meters.index(meter) + 1]
        if self.capacity is not None and not any(each.too_small for each in known):
            return 24 * Fraction(self.capacity)
        return self.learned(meter, reading)

    def within(self, limit: Fraction | None, earlier: Reading, later: Reading) -> bool:
        days = Fraction(
            (later.at - earlier.at) // timedelta(microseconds=1), DAY // timedelta(microseconds=1)
        )
        rise = Fraction(self.kwh(later) - self.kwh(earlier))
        return not self.falls(earlier, later) and (limit is None or rise <= limit * max(days, Fraction(1)))

    def in_line(self, meter: Meter, earlier: Reading, later: Reading) -> bool:
        return self.within(self.limit(meter, later), earlier, later)

    # Levels

    def newest_level(self) -> list[Reading]:
        level: list[Reading] = []
        for reading in reversed(self.doubtful):
            if level and self.falls(reading, level[0]):
                break
            level.insert(0, reading)
        return level

    @staticmethod
    def is_full(readings: list[Reading]) -> bool:
        return len(readings) >= 3 and readings[-1].at - readings[0].at >= DAY

    # The walk

    def walk(self) -> None:
        before: datetime | None = None
        for reading in self.taking_part():
            since = [at for at in self.changes if at <= reading.at and (before is None or before < at)]
            self.take(reading, max(since, default=None))
            before = reading.at

    def take(self, reading: Reading, change: datetime | None) -> None:
        decided = self.decision(reading)
        if not self.meters or change or decided == ("new_meter", True):
            self.begin(reading, change or reading.at)
        elif decided == ("right", True) and self.falls(self.meters[-1].good[-1], reading):
            self.begin(reading, reading.at)
        elif decided and decided[0] == "right":
            self.accept(reading)
        elif self.shows_that_the_meter_was_wrong(reading):
            self.wrong += self.meters.pop().good
            self.accept(reading)
        elif self.in_line(self.meters[-1], self.meters[-1].good[-1], reading):
            self.accept(reading)
        else:
            self.doubtful.append(reading)
            if self.is_full(self.newest_level()):
                self.judge(self.newest_level())
        if decided and decided != ("new_meter", False):
            self.meters[-1].kept.append(reading)

    def begin(self, reading: Reading, start: datetime) -> None:
        self.wrong += self.doubtful
        self.doubtful = []
        self.meters.append(Meter(start, [reading]))

    def accept(self, reading: Reading) -> None:
        """Rule 1."""
        good = self.meters[-1].good
        if self.doubtful:
            level = self.newest_level()
            way = [good[-1], *level, reading]
            if not any(self.falls(one, next_one) for one, next_one in pairwise(way)):
                self.wrong += [each for each in self.doubtful if each not in level]
                good += level
            else:
                self.wrong += self.doubtful
            self.doubtful = []
        good.append(reading)

    def judge(self, level: list[Reading]) -> None:
        """Rule 3."""
        meter = self.meters[-1]
        self.wrong += [each for each in self.doubtful if each not in level]
        self.doubtful = []
        for number in reversed(range(len(meter.good))):
            earlier, spike = meter.good[number], meter.good[number + 1 :]
            if self.is_full(spike) or any(each in meter.kept for each in spike):
                break
            if self.in_line(meter, earlier, level[0]):
                self.wrong += spike
                meter.good = [*meter.good[: number + 1], *level]
                return
        first, last = level[0], meter.good[-1]
        has_limit = self.capacity is not None and not self.too_small()
        passed = has_limit and self.within(self.learned(meter, first), last, first)
        near = [each for each in self.meters if each.would_have_passed and first.at - each.start <= 30 * DAY]
        new = Meter(first.at, level, True, [], passed, too_small=passed and len(near) >= 2)
        self.meters.append(new)

    def shows_that_the_meter_was_wrong(self, reading: Reading) -> bool:
        """Rule 4."""
        meter = self.meters[-1]
        if not meter.taken_for_new or meter.kept or reading.at - meter.start > 14 * DAY:
            return False
        last, newest = self.meters[-2].good[-1], meter.good[-1]
        if not self.in_line(self.meters[-2], last, reading):
            return False
        return self.falls(last, newest) or not self.in_line(meter, newest, reading)

    # What it says

    def quality(self, reading: Reading) -> str:
        if reading.estimated:
            return "estimated"
        if self.is_ignored(reading):
            return "ignored"
        found = {"wrong": self.wrong, "doubtful": self.doubtful}
        return next((name for name, readings in found.items() if reading in readings), "good")

    def meter(self, reading: Reading) -> int:
        return sum(meter.start <= reading.at for meter in self.meters[1:])

    def told(self) -> list[Told]:
        """All reviews, in no order that matters."""
        return [*self.stretches(), *self.new_levels(), *self.decided(), *self.unsteady()]

    def beside(self, readings: list[Reading]) -> tuple[Decimal | None, Decimal | None]:
        good = [each for each in self.taking_part() if self.quality(each) == "good"]
        before = [each.value for each in good if each.at < readings[0].at]
        after = [each.value for each in good if each.at > readings[-1].at]
        return (before[-1] if before else None), (after[0] if after else None)

    def review(self, kind: str, readings: list[Reading], **more: object) -> Told:
        before, after = self.beside(readings)
        return Told(kind, tuple(each.at for each in readings), before, after, **more)  # type: ignore[arg-type]

    def stretches(self) -> list[Told]:
        found: list[list[Reading]] = []
        previous: Reading | None = None
        for reading in self.taking_part():
            if self.quality(reading) in ("doubtful", "wrong"):
                if previous is not None and self.quality(previous) == self.quality(reading):
                    found[-1].append(reading)
                else:
                    found.append([reading])
            previous = reading
        return [
            self.review("glitch", each, decision="wrong")
            if self.quality(each[0]) == "wrong"
            else self.review(self.kind(each), each)
            for each in found
        ]

    def kind(self, stretch: list[Reading]) -> str:
        everything = self.taking_part()
        start = everything.index(stretch[0])
        lower = [
            self.kwh(everything[start + number]) < self.kwh(everything[start + number - 1])
            for number in range(len(stretch))
        ]
        if any(all(lower[number : number + 3]) for number in range(len(lower) - 2)):
            return "backwards"
        return "fall" if lower[0] else "leap"

    def new_levels(self) -> list[Told]:
        return [
            self.review(
                "new_level",
                [each for each in meter.good if each.at - meter.start <= 14 * DAY],
                too_small=meter.too_small,
            )
            for meter in self.meters
            if meter.taken_for_new
        ]

    def decided(self) -> list[Told]:
        found = []
        for said in self.said:
            of = [(each.at, each.value) for each in said.readings]
            standing = [each for each in self.readings if (each.at, each.value) in of]
            if standing:
                standing.sort(key=lambda each: each.at)
                found.append(self.review(said.kind, standing, decision=said.decision, by_person=True))
        return found

    def unsteady(self) -> list[Told]:
        settled = [(r.at, r.value) for said in self.said if said.kind == "unsteady" for r in said.readings]
        everything = self.taking_part()
        bad = [
            each
            for each in everything
            if self.quality(each) in ("doubtful", "wrong") and (each.at, each.value) not in settled
        ]
        weeks = [[each for each in everything if end.at - 7 * DAY < each.at <= end.at] for end in everything]
        weeks = [
            week for week in weeks if len(week) >= 7 and 2 * len([r for r in week if r in bad]) > len(week)
        ]
        joined: list[list[Reading]] = []
        for week in weeks:
            if joined and any(each in joined[-1] for each in week):
                joined[-1] += [each for each in week if each not in joined[-1]]
            else:
                joined.append(list(week))
        return [self.review("unsteady", [each for each in week if each in bad]) for week in joined]
