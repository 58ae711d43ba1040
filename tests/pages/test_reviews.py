"""The page of readings in doubt."""

import pytest
from flask import Flask

from tests.people import Person
from tests.readings.doubts import add_classified, qualities, review_id


def test_it_says_what_waits_for_a_person_and_the_navigation_counts_it(app: Flask, vera: Person) -> None:
    add_classified("S1", [100, 101, 0, 102])
    add_classified("S2", [100, 101, 0, 0])

    page = vera.get("/reviews/").text

    assert "The register fell from 101.00 to 0.00 kWh." in page
    assert ("/sites/S2" in page, "/sites/S1" in page) == (True, False)
    assert '<span class="menu-count">1<' in page
    assert 'name="decision"' not in page


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([100, 101, 0, 102], "The register fell from 101.00 to 0.00 kWh, and then stood at 102.00 kWh."),
        ([100, 101, 0, 1, 2], "The register fell from 101.00 to 0.00 kWh and went on from there."),
        ([500, 400, 300, 200], "The register fell again and again, from 500.00 to 200.00 kWh."),
        ([7] * 16 + [9999], "The register leapt from 7.00 to 9,999.00 kWh. It might have risen by 100.00"),
        ([500, 400, 300, 200, 100, 0, -100], "More than half of the readings of 7 days are in doubt."),
    ],
)
def test_each_kind_is_said_in_words(app: Flask, vera: Person, values: list[int], sentence: str) -> None:
    add_classified("S1", values)

    assert sentence in vera.get("/reviews/?state=all").text


def test_many_are_decided_at_once_and_taken_back(app: Flask, oscar: Person) -> None:
    keys = [add_classified(site_id, [100, 101, 0, 0]) for site_id in ("S1", "S2")]
    ticked = [review_id(key) for key in keys]

    oscar.post("/reviews/", review=ticked, decision="wrong")
    assert [qualities(key) for key in keys] == ["ggii", "ggii"]
    assert "2 reviews: Readings are wrong." in oscar.get("/reviews/").text

    oscar.post("/reviews/", review=ticked, decision="undo")
    assert [qualities(key) for key in keys] == ["ggdd", "ggdd"]


def test_nothing_ticked_decides_nothing(app: Flask, oscar: Person) -> None:
    key = add_classified("S1", [100, 101, 0, 0])

    oscar.post("/reviews/", decision="wrong")

    assert qualities(key) == "ggdd"


def test_a_review_that_is_gone_is_told(app: Flask, oscar: Person) -> None:
    oscar.post("/reviews/", review=["1"], decision="wrong")

    assert "some of these readings are in doubt no longer" in oscar.get("/reviews/").text
