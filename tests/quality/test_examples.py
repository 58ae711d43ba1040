"""What the contract says of single series of readings."""

import pytest

from jobauto.quality.register import Register
from jobauto.quality.walk import walk
from tests.quality.readings import daily, letters, meters, told

GLITCH, NEW_LEVEL, BACKWARDS, FALL, LEAP = "glitch", "new_level", "backwards", "fall", "leap"


@pytest.mark.parametrize(
    ("kwh", "qualities", "numbers", "reviews"),
    [
        pytest.param("100 101 0 102", "ggwg", "0000", [(GLITCH, 2, 2, "program")], id="a zero in the middle"),
        pytest.param("100 101 0 0", "ggdd", "0000", [(FALL, 2, 3, "open")], id="zeroes so far"),
        pytest.param("100 101 0 1 2", "ggggg", "00111", [(NEW_LEVEL, 2, 4, "open")], id="a new meter"),
        pytest.param(
            "100*14 101 5000000", "g" * 15 + "d", "0" * 16, [(LEAP, 15, 15, "open")], id="a spike so far"
        ),
        pytest.param("100*13 101 5000000", "g" * 15, "0" * 15, [], id="a leap of a new site"),
        pytest.param("500 400 300 200", "gddd", "0000", [(BACKWARDS, 1, 3, "open")], id="counts down"),
        pytest.param("500 400 300", "gdd", "000", [(FALL, 1, 2, "open")], id="two falls"),
        pytest.param(
            "7*365 2007 4007", "g" * 365 + "dd", "0" * 367, [(LEAP, 365, 366, "open")], id="wakes up"
        ),
        pytest.param(
            "7*365 2007 4007 6007 8007",
            "g" * 369,
            "0" * 365 + "1111",
            [(NEW_LEVEL, 365, 368, "open")],
            id="woke up",
        ),
        pytest.param("5087 0 0 0 0", "ggggg", "01111", [(NEW_LEVEL, 1, 4, "open")], id="days of zeroes"),
        pytest.param(
            "5087 0 0 0 0 5100", "gwwwwg", "000000", [(GLITCH, 1, 4, "program")], id="back after zeroes"
        ),
        pytest.param(
            "100 103 106 5000000 112 115", "ggggdd", "000000", [(FALL, 4, 5, "open")], id="a spike let in"
        ),
        pytest.param(
            "100 103 106 5000000 112 115 118",
            "gggwggg",
            "0000000",
            [(GLITCH, 3, 3, "program")],
            id="a spike let in and found out",
        ),
        pytest.param(
            "100*15 5000 5001 101", "g" * 15 + "wwg", "0" * 18, [(GLITCH, 15, 16, "program")], id="a spike"
        ),
        pytest.param(
            "100 101 100 101 99.99", "ggggd", "00000", [(FALL, 4, 4, "open")], id="more than the tolerance"
        ),
        pytest.param("", "", "", [], id="none"),
        pytest.param("0", "g", "0", [], id="one"),
    ],
)
def test_each_series_is_judged_as_the_contract_says(
    kwh: str, qualities: str, numbers: str, reviews: list[tuple[str, int, int, str]]
) -> None:
    walked = walk(daily(kwh), Register())

    assert (letters(walked), "".join(map(str, meters(walked)))) == (qualities, numbers)
    assert told(walked) == reviews
