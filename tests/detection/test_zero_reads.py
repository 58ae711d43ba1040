"""Zero Reads: a site is flagged when enough good readings, spread wide enough, show no rise."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobauto.rules.zero_reads import ZERO_READS, ZeroReadsSettings
from tests.detection.ground import (
    DAY,
    HOUR,
    MICROSECOND,
    NOON,
    OK,
    TOO_FEW,
    Ground,
    Verdict,
    before,
    each_day,
)

LARGEST = "999999999999.99"


def flat(since: timedelta, days: int, zero_count: int, value: Any = 1234) -> Verdict:
    """Flagged, with the age of the flat run's first reading and what else a finding says."""
    return Verdict("flagged", since=NOON - since, days=days, zero_count=zero_count, value=Decimal(str(value)))


def row(
    word: str, readings: Mapping[datetime, Any], expected: Verdict, check: int = 4, of: int = 3
) -> object:
    """A row of the table: checked over so many days, comparing so many readings."""
    settings = ZeroReadsSettings(days_to_check=check, readings_to_compare=of)
    return pytest.param(readings, settings, expected, id=word)


def half_hourly_with_flat_nights(grows: Decimal) -> dict[datetime, Any]:
    """Ten days of a rooftop: the register stands from 18:00 to 06:00."""
    register, readings = Decimal(1000), {}
    for step in range(480):
        instant = NOON - (479 - step) * HOUR / 2
        register += grows if 6 <= instant.hour < 18 else 0
        readings[instant] = register
    return readings


STUCK = flat(3 * DAY, 3, 3, 5)
ENOUGH = 36 * HOUR
"""Three readings must span two days less twelve hours."""

EVIDENCE = [
    row("the worked example", each_day([1234] * 4), flat(3 * DAY, 3, 3)),
    row("no reading", {}, TOO_FEW),
    row("one reading", each_day([5]), TOO_FEW),
    row("two readings", each_day([5, 5]), TOO_FEW),
    row("three readings", each_day([5, 5, 5]), flat(2 * DAY, 2, 2, 5)),
    row("only readings before the window", before(4 * DAY, 5 * DAY, 6 * DAY), TOO_FEW),
    row("only readings in the future", before(-HOUR, -DAY, -2 * DAY), TOO_FEW),
    row("a burst in one night", before(*(i * HOUR / 10 for i in range(80))), TOO_FEW),
    row("a span of exactly two days less 12 hours", before(ENOUGH, 18 * HOUR, 0 * DAY), flat(ENOUGH, 1, 2)),
    row("a microsecond less", before(ENOUGH - MICROSECOND, 18 * HOUR, 0 * DAY), TOO_FEW),
    row("the same, not ending now", before(2 * DAY, 30 * HOUR, 12 * HOUR), flat(2 * DAY, 2, 2)),
    row(
        "an oldest one just inside",
        before(4 * DAY - MICROSECOND, 2 * DAY, DAY),
        flat(4 * DAY - MICROSECOND, 3, 2),
    ),
    row("an oldest one just outside", before(4 * DAY, 2 * DAY, DAY), TOO_FEW),
    row("a last one now", before(2 * DAY, DAY, 0 * DAY), flat(2 * DAY, 2, 2)),
    row("a last one in a microsecond", before(2 * DAY, DAY, -MICROSECOND), TOO_FEW),
    row("two of 12 hours", before(12 * HOUR, 0 * DAY), flat(12 * HOUR, 0, 1), check=2, of=2),
    row("two of a microsecond less", before(12 * HOUR - MICROSECOND, 0 * DAY), TOO_FEW, check=2, of=2),
    row("ten of ten", each_day([5] * 10), flat(9 * DAY, 9, 9, 5), check=10, of=10),
    row("nine of ten", each_day([5] * 9), TOO_FEW, check=10, of=10),
    row(
        "thirty days",
        before(30 * DAY - MICROSECOND, DAY),
        flat(30 * DAY - MICROSECOND, 29, 1),
        check=30,
        of=2,
    ),
]
CHANGES = [
    row("growing", each_day([1, 2, 3, 4]), OK),
    row("counting down", each_day([4, 3, 2, 1]), flat(0 * DAY, 0, 3, 1)),
    row("one step up, at last", each_day([5, 5, 5, 6]), OK),
    row("one step down, at last", each_day([5, 5, 5, 4]), flat(3 * DAY, 3, 3, 4)),
    row("one step, at first", each_day([4, 5, 5, 5]), OK),
    row("a bump in the middle, with equal ends", each_day([5, 5, 6, 5]), OK),
    row("a dent in the middle, with equal ends", each_day([5, 4, 5, 5]), flat(3 * DAY, 3, 2, 5)),
    row("a hundredth", each_day([5, 5, 5, "5.01"]), OK),
    row("a change, with too few readings", each_day([5, 6]), OK),
    row("a change in one night", before(HOUR) | before(2 * HOUR, value=9), OK),
    row("a change to come", each_day([5] * 4) | before(-MICROSECOND, value=6), STUCK),
    row("a change just outside the window", before(4 * DAY, value=4) | each_day([5] * 4), STUCK),
    row("a change just inside", before(4 * DAY - MICROSECOND, value=4) | each_day([5] * 4), OK),
    row("flat nights, growing days", half_hourly_with_flat_nights(Decimal("0.01")), OK),
    row("flat nights and days", half_hourly_with_flat_nights(Decimal(0)), flat(479 * HOUR / 2, 9, 191, 1000)),
]
RUNS = [
    row("a run from before the window", each_day([5] * 11), flat(10 * DAY, 10, 3, 5)),
    row("after another value", each_day([4] * 3 + [5] * 8), flat(7 * DAY, 7, 3, 5)),
    row("a dent that is no fall", each_day([5] * 3 + [4] + [5] * 7), flat(10 * DAY, 10, 3, 5)),
    row("the latest of two runs of one value", each_day([5] * 3 + [3] + [5] * 7), flat(6 * DAY, 6, 3, 5)),
    row("after a gap of a year", before(400 * DAY, value=5) | each_day([5] * 4), flat(400 * DAY, 400, 3, 5)),
    row("a flat run that ended", each_day([5] * 10 + [6] * 2), OK),
]
REGISTERS = [
    row("zero", each_day([0] * 4), flat(3 * DAY, 3, 3, 0)),
    row("negative", each_day(["-12.34"] * 4), flat(3 * DAY, 3, 3, "-12.34")),
    row("from below zero to above", each_day([-5, 5, -5, -5]), OK),
    row("negative, running backwards", each_day([-5, -6, -7, -8]), flat(0 * DAY, 0, 3, -8)),
    row("the largest", each_day([LARGEST] * 4), flat(3 * DAY, 3, 3, LARGEST)),
    row("the smallest", each_day([f"-{LARGEST}"] * 4), flat(3 * DAY, 3, 3, f"-{LARGEST}")),
    row(
        "a hundredth below the largest",
        each_day([LARGEST] * 3 + ["999999999999.98"]),
        flat(3 * DAY, 3, 3, "999999999999.98"),
    ),
    row("all the way from one end to the other", each_day([f"-{LARGEST}", LARGEST] * 2), OK),
]


@pytest.mark.parametrize(("readings", "settings", "expected"), [*EVIDENCE, *CHANGES, *RUNS, *REGISTERS])
def test_a_register_that_stands_still_is_judged_by_its_window(
    ground: Ground, readings: dict[datetime, Any], settings: ZeroReadsSettings, expected: Verdict
) -> None:
    ground.site(readings)

    assert ground.verdict(ZERO_READS, settings) == expected


def test_an_inactive_site_gets_no_verdict(ground: Ground) -> None:
    ground.site(each_day([5] * 4), active=False)
    ground.site(each_day([5]), active=False)

    assert ground.verdicts(ZERO_READS, ZeroReadsSettings()) == {}


def test_a_sites_own_readings_count_and_nobody_elses(ground: Ground) -> None:
    stuck, _, sparse = (ground.site(each_day(values)) for values in ([5] * 4, [5, 6, 7, 8], [5]))

    assert ground.verdicts(ZERO_READS, ZeroReadsSettings()) == {
        stuck: flat(3 * DAY, 3, 3, 5),
        sparse: TOO_FEW,
    }
