"""How much a register may rise, by capacity, by what was learned, and where the limits of time lie."""

from decimal import Decimal

import pytest

from jobauto.quality.register import Point, Register
from jobauto.quality.walk import walk
from tests.quality.readings import daily, letters, meters, on, point

SECOND = 1 / 86_400


@pytest.mark.parametrize(
    ("capacity", "then", "quality"),
    [
        ("10", point(1, "340"), "g"),
        ("10", point(1, "340.01"), "d"),
        ("10", point(0.25, "340"), "g"),
        ("10", point(1.5, "460"), "g"),
        ("10", point(1.5, "460.01"), "d"),
        ("0.01", point(1, "100.24"), "g"),
        ("0.01", point(1, "100.25"), "d"),
        (None, point(1, "999999999.99"), "g"),
    ],
)
def test_a_known_capacity_is_the_limit_from_the_first_day_on(
    capacity: str | None, then: Point, quality: str
) -> None:
    register = Register(capacity_kwp=None if capacity is None else Decimal(capacity))

    assert letters(walk([point(0, 100), then], register)) == "g" + quality


@pytest.mark.parametrize(
    ("readings", "quality"),
    [
        pytest.param([point(0, 0), point(14, 70), point(15, 171)], "d", id="five a day: the least limit"),
        pytest.param(
            [point(0, 0), point(14, 70), point(15, 170)], "g", id="five a day: within the least limit"
        ),
        pytest.param([point(0, 0), point(14, 140), point(15, 340)], "g", id="ten a day, 200"),
        pytest.param([point(0, 0), point(14, 140), point(15, 340.01)], "d", id="ten a day, more than 200"),
        pytest.param([point(0, 0), point(14 - SECOND, 140), point(15, 9999)], "g", id="not yet 14 days"),
        pytest.param(
            [point(0, 0), point(10, 5000), point(401, 5001), point(410, 5002), point(411, 6000)],
            "g",
            id="less than 14 days of the 400",
        ),
        pytest.param(
            [point(10, 0), point(11, 5000), point(395, 5001), point(409, 5002), point(410, 5200)],
            "d",
            id="what is 400 days old is not asked",
        ),
        pytest.param(
            [point(10, 0), point(11, 5000), point(395, 5001), point(409, 5002), point(410 - SECOND, 5200)],
            "g",
            id="what is not yet 400 days old is",
        ),
    ],
)
def test_an_unknown_one_is_learned(readings: list[Point], quality: str) -> None:
    assert letters(walk(readings, Register()))[-1] == quality


def test_where_three_levels_begin_in_a_month_that_only_the_capacity_doubts_it_is_too_small() -> None:
    walked = walk(daily(" ".join(str(50 * day) for day in range(60))), Register(capacity_kwp=Decimal(1)))

    assert letters(walked) == "g" * 60
    assert max(meters(walked)) == 3
    assert [review.capacity_too_small for review in walked.reviews] == [False, False, True]
    assert walked.reviews[0].limit == 24_000


def test_a_capacity_is_not_too_small_for_three_levels_further_apart() -> None:
    readings = [point(day + 20 * leap, 50 * day + 150 * leap) for leap in range(4) for day in (0, 1, 2)]

    walked = walk(readings, Register(capacity_kwp=Decimal(1)))

    assert [review.capacity_too_small for review in walked.reviews] == [False] * len(walked.reviews)


@pytest.mark.parametrize(("back", "qualities"), [(15, "gwwwg"), (15 + SECOND, "ggggg")])
def test_a_new_meter_can_be_undone_for_fourteen_days(back: float, qualities: str) -> None:
    readings = [point(0, 5087), point(1, 0), point(2, 0), point(3, 0), point(back, 5100)]

    assert letters(walk(readings, Register())) == qualities


@pytest.mark.parametrize(
    ("last", "qualities"), [(point(2 - SECOND, 0), "gddd"), (point(2, 0), "gggg"), (point(2, -2), "gddd")]
)
def test_a_level_is_full_with_three_readings_in_twenty_four_hours(last: Point, qualities: str) -> None:
    assert letters(walk([point(0, 100), point(1, 0), point(1.5, 0), last], Register())) == qualities


def test_a_new_level_is_reviewed_with_what_may_still_be_undone() -> None:
    walked = walk(daily("5087 " + " ".join(map(str, range(30)))), Register())

    [review] = walked.reviews
    assert (review.since, review.until, len(review.places)) == (on(1), on(15), 15)
    assert (review.before, review.first, review.last, review.after) == (5087_000, 0, 14_000, 15_000)


@pytest.mark.parametrize(
    ("kwh", "qualities"),
    [
        pytest.param("0*15 150 151", "g" * 17, id="a display that was frozen"),
        pytest.param("0*15 150 101", "g" * 15 + "wg", id="a spike, for it falls"),
        pytest.param("0*15 9000 290 291", "g" * 15 + "wgg", id="a spike, and then the frozen display"),
        pytest.param("100*15 50 290", "g" * 15 + "wg", id="a dip, from which it rises"),
    ],
)
def test_a_confirmed_level_is_good_where_nothing_falls_on_the_way(kwh: str, qualities: str) -> None:
    assert letters(walk(daily(kwh), Register())) == qualities


def test_a_site_that_counts_down_is_walked_turned_round_and_told_as_it_came() -> None:
    walked = walk(daily("900 800 1000 790 780 770 760 1000 1100 1200"), Register(counts_down=True))

    assert letters(walked) == "ggwggggddd"
    glitch, backwards = walked.reviews
    assert (glitch.before, glitch.first, glitch.after) == (800_000, 1000_000, 790_000)
    assert (backwards.kind, backwards.last) == ("backwards", 1200_000)
