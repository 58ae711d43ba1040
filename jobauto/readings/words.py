"""A review in words, for people on pages."""

from decimal import Decimal

from ..models import Review
from ..models.quality import Quality, ReviewKind

TOO_SMALL = "The site's capacity must be wrong: from here on the limit is learned from its readings."

_QUALITIES = {
    Quality.GOOD: "good",
    Quality.DOUBTFUL: "in doubt: nothing decides yet",
    Quality.WRONG: "wrong: the readings around it show it",
    Quality.IGNORED: "ignored: somebody said that it is wrong",
    Quality.ESTIMATED: "estimated by its sender",
}


def describe_quality(quality: int) -> str:
    """What a reading is worth, and why: ``wrong: the readings around it show it``."""
    return _QUALITIES[Quality(quality)]


def describe_review(review: Review) -> str:
    """What its readings did, and what was made of them: ``The register fell from 101.00 to 0.00 kWh.``"""
    before, first, last = _kwh(review.before), _kwh(review.first), _kwh(review.last)
    moved = f"The register {_moved(review)} from {before} to {first} kWh"
    match ReviewKind(review.kind):
        case ReviewKind.GLITCH:
            came_back = "" if review.after is None else f", and then stood at {_kwh(review.after)} kWh"
            return f"{moved}{came_back}."
        case ReviewKind.NEW_LEVEL:
            return f"{moved} and went on from there.{f' {TOO_SMALL}' if review.capacity_too_small else ''}"
        case ReviewKind.BACKWARDS:
            return (
                f"The register fell again and again, from {before} to {last} kWh. Does the site count down?"
            )
        case ReviewKind.LEAP if review.limit_per_day is not None:
            return f"{moved}. It might have risen by {_kwh(review.limit_per_day)} kWh a day."
        case ReviewKind.UNSTEADY:
            return (
                "More than half of the readings of 7 days are in doubt. "
                "Does the counter begin anew each day, or does the site send intervals?"
            )
        case _:
            return f"{moved}."


def _moved(review: Review) -> str:
    return "leapt" if review.before is not None and review.first > review.before else "fell"


def _kwh(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"
