"""Recorded meter changes, and decisions on reviews."""

import pytest

from jobauto.quality.register import Decision, Register
from jobauto.quality.walk import walk
from tests.quality.readings import daily, decided, letters, meters, on, point, told

SPIKE = daily("100*15 5000 5001 101")
STILL_DOUBTFUL = daily("100 101 0 0")


def decide(kwh: str, decision: str, then: str = "") -> tuple[str, str, list[tuple[str, int, int, str]]]:
    """What becomes of readings after a decision on their first review, and of those that come later."""
    readings = daily(kwh)
    review = walk(readings, Register()).reviews[0]
    later = daily(f"{kwh} {then}")
    walked = walk(later, Register(decisions=[decided(later, review, decision)]))
    return letters(walked), "".join(map(str, meters(walked))), told(walked)


@pytest.mark.parametrize(
    ("kwh", "decision", "then", "qualities", "numbers", "reviews"),
    [
        pytest.param(
            "100 101 0 0", "wrong", "0 102", "ggiiwg", "000000", [("glitch", 4, 4)], id="wrong so far"
        ),
        pytest.param("100 101 0 1", "new_meter", "2", "ggggg", "00111", [], id="new meter before it is full"),
        pytest.param("9 5 4.5", "right", "5 10", "ggggg", "01111", [], id="right: a fall begins a meter"),
        pytest.param(
            "7*365 2007 4007", "right", "4010", "g" * 368, "0" * 368, [], id="right: a leap does not"
        ),
        pytest.param("100 101 0 102", "right", "", "gggg", "0011", [], id="a glitch that was none"),
        pytest.param(
            "100 101 0 102", "new_meter", "", "gggg", "0011", [], id="a glitch that was a new meter"
        ),
        pytest.param("100 0 1 2", "new_meter", "101", "ggggg", "01111", [], id="a level that stays a meter"),
        pytest.param(
            "100 0 1 2", "wrong", "3 101", "giiiwg", "000000", [("glitch", 4, 4)], id="a level ignored"
        ),
        pytest.param(
            "500 400 300 200",
            "new_meter",
            "150",
            "ggddd",
            "01111",
            [("backwards", 2, 4)],
            id="only one is good",
        ),
        pytest.param("500 400 300 200", "right", "201", "ggggg", "01111", [], id="backwards, and right"),
    ],
)
def test_a_decision_holds_for_the_readings_that_the_review_had(
    kwh: str,
    decision: str,
    then: str,
    qualities: str,
    numbers: str,
    reviews: list[tuple[str, int, int]],
) -> None:
    found, meters_found, (person, *others) = decide(kwh, decision, then)

    assert (found, meters_found) == (qualities, numbers)
    assert person[-1] == "person"
    assert [other[:3] for other in others] == reviews


def test_a_reading_that_comes_again_with_another_value_is_judged_anew() -> None:
    review = walk(STILL_DOUBTFUL, Register()).reviews[0]
    said = [decided(STILL_DOUBTFUL, review, "wrong")]

    walked = walk(daily("100 101 0 0.5"), Register(decisions=said))

    assert letters(walked) == "ggid"
    assert told(walked) == [("fall", 2, 2, "person"), ("fall", 3, 3, "open")]


def test_a_decision_about_readings_that_are_gone_is_not_told() -> None:
    review = walk(STILL_DOUBTFUL, Register()).reviews[0]
    said = [decided(STILL_DOUBTFUL, review, "wrong")]

    assert told(walk(daily("100 101"), Register(decisions=said))) == []


def test_of_two_decisions_about_a_reading_the_later_one_holds() -> None:
    review = walk(STILL_DOUBTFUL, Register()).reviews[0]
    wrong, new_meter = (decided(STILL_DOUBTFUL, review, decision) for decision in ("wrong", "new_meter"))

    def found(*decisions: Decision) -> str:
        return letters(walk(STILL_DOUBTFUL, Register(decisions=decisions)))

    assert (found(wrong, new_meter), found(new_meter, wrong)) == ("gggg", "ggii")


def test_what_a_person_decided_is_not_taken_for_a_spike() -> None:
    readings = daily("100*15 5000 101 102 103")
    spike = walk(readings[:16], Register()).reviews[0]

    walked = walk(readings, Register(decisions=[decided(readings, spike, "right")]))

    assert letters(walked) == "g" * 19
    assert told(walked) == [("leap", 15, 15, "person"), ("new_level", 16, 18, "open")]


def test_a_recorded_change_begins_a_meter_whatever_comes() -> None:
    readings = daily("45210.33 0.00 3.10")

    walked = walk(readings, Register(changes=[on(0.5)]))

    assert (letters(walked), meters(walked), told(walked)) == ("ggg", [0, 1, 1], [])


def test_a_reading_at_the_instant_of_a_change_is_of_the_new_meter() -> None:
    walked = walk(daily("100 101 102"), Register(changes=[on(1)]))

    assert meters(walked) == [0, 1, 1]


def test_what_is_doubtful_before_a_recorded_change_is_wrong() -> None:
    walked = walk(daily("100 0 0 500"), Register(changes=[on(2.5)]))

    assert (letters(walked), meters(walked)) == ("gwwg", [0, 0, 0, 1])
    assert told(walked) == [("glitch", 1, 2, "program")]


def test_no_reading_goes_back_over_a_recorded_change() -> None:
    walked = walk(daily("5087 0 0 0 0 5100"), Register(changes=[on(0.5)]))

    assert (letters(walked), meters(walked)) == ("gggggg", [0, 1, 1, 1, 1, 1])


def test_changes_without_a_reading_between_count_once() -> None:
    readings = [point(0, 100), point(5, 3), point(6, 4)]

    walked = walk(readings, Register(changes=[on(4), on(1), on(-1), on(9)]))

    assert meters(walked) == [0, 1, 1]


def test_an_estimate_is_of_the_meter_of_its_time() -> None:
    readings = [point(0, 100), point(2, 101), point(3, 0), point(4, 1)]

    walked = walk(readings, Register(changes=[on(1)]), estimated=[1])

    assert (letters(walked), meters(walked)) == ("gegg", [0, 1, 1, 1])
