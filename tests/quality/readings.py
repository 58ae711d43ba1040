"""Readings as the tests write them: kWh, at days after a beginning."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from jobauto.models.quality import Quality, ReviewDecision
from jobauto.models.types import to_microseconds
from jobauto.quality.register import Decision, Point
from jobauto.quality.reviews import Review
from jobauto.quality.walk import Walked

BEGINNING = datetime(2026, 1, 1, 6, tzinfo=UTC)
START = to_microseconds(BEGINNING)
LETTERS = {"good": "g", "doubtful": "d", "wrong": "w", "ignored": "i", "estimated": "e"}


def on(day: float) -> int:
    """The instant so many days after the beginning, in microseconds."""
    return to_microseconds(BEGINNING + timedelta(days=day))


def point(day: float, kwh: str | float) -> Point:
    """A reading at a day after the beginning."""
    return on(day), int(Decimal(str(kwh)) * 1000)


def daily(kwh: str) -> list[Point]:
    """``"100 101 0"``: one reading a day; ``7*365`` is the same one for so many days."""
    values = []
    for word in kwh.split():
        value, _, times = word.partition("*")
        values += [value] * int(times or 1)
    return [point(day, value) for day, value in enumerate(values)]


def letters(walked: Walked) -> str:
    """The qualities by their first letters, such as ``ggwg``."""
    return "".join(LETTERS[Quality(quality).word] for quality in walked.qualities)


def told(walked: Walked) -> list[tuple[str, int, int, str]]:
    """Of each review its kind, its first and last place, and its state or who decided."""
    return [
        (
            review.kind.value,
            review.places[0],
            review.places[-1],
            "open" if review.is_open else "program" if review.decided is None else "person",
        )
        for review in walked.reviews
    ]


def decided(readings: Sequence[Point], review: Review, decision: str, number: int = 1) -> Decision:
    """What a person decides about all readings of a review."""
    points = tuple(readings[place] for place in review.places)
    return Decision(number, review.kind, ReviewDecision(decision), points)


def meters(walked: Walked) -> Sequence[int]:
    """The numbers of the meters of all readings."""
    return list(walked.meters)
