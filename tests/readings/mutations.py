"""One bad reading, or another meter, in a real series of readings, and the review that must come of it."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from jobauto.models.quality import ReviewDecision, ReviewKind
from tests.fleets import NOON, days_before

FILE = Path(__file__).parent / "real" / "series.csv"
DAY = timedelta(hours=24)
CREEPS = "creeps"
"""The group of sites whose ``min_increase`` is 0.05 kWh."""

Series = Sequence[tuple[datetime, Decimal]]
Asked = tuple[str, datetime]
"""A review: its kind, and its first reading."""


@dataclass(frozen=True)
class Specimen:
    """A series with one mutation, the review that comes of it, and what a person decides, if one must."""

    readings: Series
    review: Asked | None = None
    decision: ReviewDecision | None = None
    hears: bool = False
    """A silent site is heard of."""


@cache
def series() -> dict[str, Series]:
    """The real ones up to noon, and the one that rises daily with a hole of eight days in it."""
    with FILE.open() as lines:
        rows = list(csv.DictReader(lines))
    found: dict[str, Series] = {
        name: [(NOON - timedelta(minutes=int(row["minutes_before"])), Decimal(row["kwh"])) for row in group]
        for name, group in groupby(rows, itemgetter("series"))
    }
    daily = found["rises daily"]
    return found | {"back after a week": [*daily[:-10], *daily[-2:]]}


RISING = ("rises daily", "rises fast", "runs back at night", "back from an outage")
STILL = ("stands still six-hourly", "stands still daily")
BACK = ("back from an outage", "back after a week")
SILENT = ("silent",)

# Where


def window(readings: Series) -> range:
    """The places of the readings that Zero Reads looks at."""
    first = next((place for place, (at, _) in enumerate(readings) if at > days_before(4)), len(readings))
    return range(first, len(readings))


def some(places: range, last: int) -> list[int]:
    """The first of the places and the one before, one in the middle, and the last of all readings."""
    middle = places[len(places) // 2] if places else last
    return sorted({places.start - 1, min(places.start, last), middle, last - 1, last})


def is_full(readings: Series) -> bool:
    """Whether they are a level that is judged."""
    return len(readings) >= 3 and readings[-1][0] - readings[0][0] >= DAY


# What becomes of one reading


def with_value(readings: Series, place: int, kwh: Decimal) -> Specimen:
    """Another value for a reading. A later one shows that it is wrong; before that a person is asked."""
    at, (_, former) = readings[place][0], readings[place - 1]
    mutated = [*readings[:place], (at, kwh), *readings[place + 1 :]]
    if place < len(readings) - 1:
        return Specimen(mutated, (ReviewKind.GLITCH, at))
    kind = ReviewKind.FALL if kwh < former else ReviewKind.LEAP
    return Specimen(mutated, (kind, at), ReviewDecision.WRONG)


def single(value: Callable[[Decimal], Decimal]) -> Callable[[Series], Iterator[Specimen]]:
    """One reading of the last days is something else."""

    def mutate(readings: Series) -> Iterator[Specimen]:
        for place in some(window(readings), len(readings) - 1):
            kwh = value(readings[place][1]).quantize(Decimal("0.01"))
            yield with_value(readings, place, kwh)

    return mutate


def spike_in_line(readings: Series) -> Iterator[Specimen]:
    """So small that nothing rules it out, until the level after it is full."""
    for place in range(window(readings).start - 1, len(readings) - 3):
        if is_full(readings[place + 1 :]):
            yield with_value(readings, place, readings[place][1] + 60)


def dip(readings: Series) -> Iterator[Specimen]:
    for place in window(readings):
        at, kwh = readings[place]
        yield Specimen([*readings[:place], (at, kwh - Decimal("0.01")), *readings[place + 1 :]])


def spike_in_outage(readings: Series) -> Iterator[Specimen]:
    """One reading where the site was silent, which was found out when it was back."""
    place = window(readings).start
    (since, before), (until, _) = readings[place - 1], readings[place]
    at = since + (until - since) / 2
    for spike in (before + 100_000, before * 100):
        mutated = [*readings[:place], (at, spike), *readings[place:]]
        yield Specimen(mutated, (ReviewKind.GLITCH, at))


def spike_in_silence(readings: Series) -> Iterator[Specimen]:
    """One reading of a site that is silent still: long ago, and in the days of No Coms."""
    for days in (5, 1):
        at = days_before(days)
        mutated = [*readings, (at, readings[-1][1] + 1_000_000)]
        yield Specimen(mutated, (ReviewKind.LEAP, at), ReviewDecision.WRONG, hears=days == 1)


# What becomes of all readings from one on


def change(opening: Callable[[Decimal], Decimal]) -> Callable[[Series], Iterator[Specimen]]:
    """Another meter, which counts from its opening, in some places where that can be told."""

    def mutate(readings: Series) -> Iterator[Specimen]:
        places = [place for place in window(readings) if _can_be_told(readings, place)]
        for place in {places[0], places[len(places) // 2], places[-1]}:
            first = readings[place][1]
            yield new_meter(readings, place, [kwh - first + opening(first) for _, kwh in readings[place:]])

    return mutate


def new_meter(readings: Series, place: int, values: Sequence[Decimal]) -> Specimen:
    """Other values from a reading on. Where they are no full level yet, a person is asked."""
    at, later = readings[place][0], [at for at, _ in readings[place:]]
    mutated = [*readings[:place], *zip(later, values, strict=True)]
    if is_full(readings[place:]):
        return Specimen(mutated, (ReviewKind.NEW_LEVEL, at))
    kind = ReviewKind.FALL if values[0] < readings[place - 1][1] else ReviewKind.LEAP
    return Specimen(mutated, (kind, at), ReviewDecision.NEW_METER)


def _can_be_told(readings: Series, place: int) -> bool:
    """A limit is learned before the meter changes, and there is enough after it for Zero Reads to judge."""
    before, after = readings[:place], readings[place:]
    values = [kwh for _, kwh in after]
    rises = max(values) > values[0]
    stands_still = len(values) >= 3 and after[-1][0] - after[0][0] >= 1.5 * DAY
    return before[-1][0] - before[0][0] >= 14 * DAY and (rises or stands_still)


def roll_over(readings: Series) -> Iterator[Specimen]:
    """Five digits and two decimals are not enough from a reading on."""
    for place in window(readings):
        (_, before), (_, first) = readings[place - 1], readings[place]
        if first > before and _can_be_told(readings, place):
            shifted = [(at, kwh - before + Decimal("99999.99")) for at, kwh in readings]
            yield new_meter(shifted, place, [kwh - 100_000 for _, kwh in shifted[place:]])


def creep(readings: Series) -> Iterator[Specimen]:
    """A dead register rises by 0.01 a day, for ten days."""
    yield Specimen(
        [(at, kwh + Decimal("0.01") * max((at - days_before(10)) // DAY, 0)) for at, kwh in readings]
    )


def nothing(readings: Series) -> Iterator[Specimen]:
    yield Specimen(readings)


MUTATIONS: dict[str, tuple[tuple[str, ...], Callable[[Series], Iterator[Specimen]]]] = {
    "nothing": ((*RISING, *STILL, *SILENT, "back after a week"), nothing),
    "a single zero": ((*RISING, *STILL, *SILENT), single(lambda _: Decimal(0))),
    "a single -0.01": ((*RISING, *STILL, *SILENT), single(lambda _: Decimal("-0.01"))),
    "a hundredth": ((*RISING, *STILL, *SILENT), single(lambda kwh: kwh / 100)),
    "a hundredfold": ((*RISING, *STILL, *SILENT), single(lambda kwh: kwh * 100)),
    "a spike in an outage": (BACK, spike_in_outage),
    "a spike in silence": (SILENT, spike_in_silence),
    "a meter change down": ((*RISING, *STILL), change(lambda _: Decimal(0))),
    "a meter change up": ((*RISING, *STILL), change(lambda kwh: kwh + 5_000_000)),
    "a roll-over": (RISING, roll_over),
    "creep": (STILL, creep),
    "a dip of 0.01": ((*RISING, *STILL), dip),
    "a spike on a register that stands still": (STILL, single(lambda kwh: kwh + 5_000)),
    "a spike in line on a register that stands still": (STILL, spike_in_line),
}
"""By name: the series that it is done to, and how."""

CASES = [(mutation, name) for mutation, (names, _) in MUTATIONS.items() for name in names]


def specimens(mutation: str, name: str) -> list[Specimen]:
    """A series with a mutation in each of some places."""
    return list(MUTATIONS[mutation][1](series()[name]))
