"""Which readings a rule did not go by, and why, in plain words."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from ..extensions import db
from ..models import Reading, Review
from ..models.quality import Quality, ReviewDecision, ReviewKind
from ..readings.words import describe_review
from ..rules.rule import Rule
from ..wording import pluralize

_IN_DOUBT = (ReviewKind.FALL, ReviewKind.LEAP, ReviewKind.BACKWARDS)
_REVIEWS: dict[Quality, tuple[ColumnElement[bool], ...]] = {
    Quality.DOUBTFUL: (Review.kind.in_(_IN_DOUBT), Review.state == "open"),
    Quality.WRONG: (Review.kind == ReviewKind.GLITCH, Review.state == "decided"),
    Quality.IGNORED: (Review.decision == ReviewDecision.WRONG, Review.decided_by.is_not(None)),
}
"""The reviews that say what such readings did."""


def describe_set_aside(rule: Rule, site_key: int, after: datetime, until: datetime) -> Iterator[str]:
    """How many of the readings of ``after < reading_date <= until`` a rule did not go by, and then why.

    Nothing where there are none.
    """
    inside = (Reading.site_key == site_key, Reading.reading_date > after, Reading.reading_date <= until)
    counted = select(Reading.quality, Reading.meter, func.count()).where(*inside)
    found = db.session.execute(counted.group_by(Reading.quality, Reading.meter)).all()
    newest_meter = max((meter for quality, meter, _ in found if quality in rule.believes), default=0)
    former, others = 0, Counter[Quality]()
    for quality, meter, count in found:
        if quality not in rule.believes:
            others[Quality(quality)] += count
        elif rule.newest_meter and meter < newest_meter:
            former += count
    if aside := former + others.total():
        total = pluralize(sum(count for *_, count in found), "reading")
        yield f"{aside:,} of {total} {'was' if aside == 1 else 'were'} set aside:"
    for quality, count in sorted(others.items()):
        yield _describe(quality, count, site_key, after, until)
    if former:
        yield f"{former:,} of the meter before the newest one."


def _describe(quality: Quality, count: int, site_key: int, after: datetime, until: datetime) -> str:
    if quality is Quality.ESTIMATED:
        return f"{count:,} estimated by the sender."
    of_window = (Review.site_key == site_key, Review.ended_at > after, Review.started_at <= until)
    query = select(Review).where(*of_window, *_REVIEWS[quality], ~Review.is_unsteady)
    reviews = db.session.scalars(query.order_by(Review.started_at.desc())).all()
    what = describe_review(reviews[0]) if reviews else ""
    more = f" It did so {len(reviews):,} times." if len(reviews) > 1 else ""
    match quality:
        case Quality.DOUBTFUL:
            return f"{count:,} in doubt. {what}{more} Nothing decides yet whether that is right."
        case Quality.WRONG:
            return f"{count:,} wrong, as the readings around them show. {what}{more}".rstrip()
    who = f", as {reviews[0].decided_by} said" if reviews else ""
    return f"{count:,} ignored{who}. {what}{more}".rstrip()
