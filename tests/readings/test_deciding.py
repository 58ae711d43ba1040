"""A person decides about a review: what follows is there at once, and can be taken back."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.extensions import db
from jobauto.models import Decision, Event, Review
from jobauto.models.quality import ReviewDecision
from jobauto.readings.decisions import UnknownReview, decide
from tests.fleets import add_site, days_before
from tests.memory import at_most
from tests.readings.doubts import (
    OSCAR,
    add_classified,
    classify_again,
    meters,
    qualities,
    review_id,
    reviews,
    store,
)

WRONG, RIGHT, NEW_METER = ReviewDecision.WRONG, ReviewDecision.RIGHT, ReviewDecision.NEW_METER


@pytest.mark.parametrize(
    ("values", "decision", "expected", "numbers"),
    [
        ([100, 101, 0, 0], WRONG, "ggii", [0, 0, 0, 0]),
        ([100, 101, 0, 0], NEW_METER, "gggg", [0, 0, 1, 1]),
        ([100, 101, 0, 102], RIGHT, "gggg", [0, 0, 1, 1]),
        ([100, 0, 1, 2, 3], WRONG, "giiii", [0, 0, 0, 0, 0]),
        ([500, 400, 300, 200], RIGHT, "gggg", [0, 1, 1, 1]),
    ],
)
def test_a_decision_is_stored_with_what_follows_and_can_be_taken_back(
    app: Flask, values: list[int], decision: ReviewDecision, expected: str, numbers: list[int]
) -> None:
    key = add_classified("S1", values)
    before, number = (qualities(key), meters(key), reviews(key)), review_id(key)

    assert decide([number], decision, author=OSCAR) == 1

    assert (qualities(key), meters(key)) == (expected, numbers)
    kind = before[2][0][0]
    assert reviews(key) == [(kind, "decided", decision.value, "oscar")]
    assert review_id(key) == number

    assert decide([number], None, author=OSCAR) == 1

    assert (qualities(key), meters(key), reviews(key)) == before
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 0


def test_another_decision_is_about_the_same_readings(app: Flask) -> None:
    key = add_classified("S1", [100, 101, 0, 0])
    number = review_id(key)
    decide([number], WRONG, author=OSCAR)

    decide([number], NEW_METER, author=OSCAR)

    assert (qualities(key), meters(key)) == ("gggg", [0, 0, 1, 1])
    assert reviews(key) == [("fall", "decided", "new_meter", "oscar")]


def test_many_are_decided_at_once_and_the_history_of_each_site_says_so(app: Flask) -> None:
    keys = [add_classified(site_id, [100, 101, 0, 0]) for site_id in ("S1", "S2")]

    assert decide([review_id(key) for key in keys], WRONG, author=OSCAR) == 2

    assert [qualities(key) for key in keys] == ["ggii", "ggii"]
    kept = db.session.execute(select(Event.subject_id, Event.who, Event.after).order_by(Event.subject_id))
    assert [tuple(row) for row in kept] == [
        (site_id, "oscar", "fall of 2026-03-30 12:00 UTC: wrong") for site_id in ("S1", "S2")
    ]


def test_the_same_decision_again_changes_nothing(app: Flask) -> None:
    key = add_classified("S1", [100, 101, 0, 0])
    decide([review_id(key)], WRONG, author=OSCAR)

    assert decide([review_id(key)], WRONG, author=OSCAR) == 0


def test_of_several_none_is_decided_where_one_is_gone(app: Flask) -> None:
    key = add_classified("S1", [100, 101, 0, 0])

    with pytest.raises(UnknownReview):
        decide([review_id(key), 10**9], WRONG, author=OSCAR)

    assert qualities(key) == "ggdd"


def test_a_decision_is_kept_for_a_value_that_goes_and_comes_back(app: Flask) -> None:
    key = add_classified("S1", [100, 101, 0])
    decide([review_id(key)], WRONG, author=OSCAR)

    store(key, days_before(0), 50)
    assert (qualities(key), reviews(key)) == ("ggd", [("fall", "open", None, None)])

    store(key, days_before(0), 0)
    assert (qualities(key), reviews(key)) == ("ggi", [("fall", "decided", "wrong", "oscar")])


def test_a_decision_about_very_many_readings_is_made_in_the_database(app: Flask) -> None:
    """One about 250,000 took a process 700 MB, and another one after it a gigabyte."""
    begin = days_before(30)
    key = add_site("S1", {begin + timedelta(minutes=at): -at * 10 for at in range(6000)})
    classify_again(key)
    for decision in (ReviewDecision.WRONG, ReviewDecision.RIGHT, None):
        newest = db.session.scalars(select(Review.id).order_by(Review.is_unsteady.desc()).limit(1)).one()
        with at_most(8):
            decide([newest], decision, author=OSCAR)
