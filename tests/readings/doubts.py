"""Sites with readings in doubt, classified."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Reading, Review
from jobauto.models.quality import Quality
from jobauto.readings.classifying import classify
from jobauto.storage.connections import write
from jobauto.storage.marks import mark
from tests.fleets import NOON, add_site, daily

OSCAR = Author("oscar", NOON)


def add_classified(site_id: str, values: Sequence[Any], **site: Any) -> int:
    """A site with one reading a day up to noon; returns its key."""
    key = add_site(site_id, daily(values), **site)
    classify_again(key)
    return key


def classify_again(key: int) -> None:
    """Have a site walked whose readings were stored without an import."""
    with write() as session:
        mark(session.connection(), [key])
        classify(session.connection(), [key], Author(None, NOON))


def qualities(key: int) -> str:
    """The first letters of the qualities of a site's readings."""
    db.session.rollback()  # what others have written since is to be seen
    query = select(Reading.quality).where(Reading.site_key == key).order_by(Reading.reading_date)
    return "".join(Quality(quality).word[0] for quality in db.session.scalars(query))


def meters(key: int) -> list[int]:
    """The numbers of the meters of a site's readings."""
    db.session.rollback()  # what others have written since is to be seen
    query = select(Reading.meter).where(Reading.site_key == key).order_by(Reading.reading_date)
    return list(db.session.scalars(query))


def reviews(key: int) -> list[tuple[str, str, str | None, str | None]]:
    """Of each review of a site: kind, state, decision, and who decided."""
    query = select(Review).where(Review.site_key == key).order_by(Review.started_at, Review.is_unsteady)
    found = db.session.scalars(query.execution_options(populate_existing=True))
    return [(review.kind, review.state, review.decision, review.decided_by) for review in found]


def review_id(key: int) -> int:
    """The number of a site's only review."""
    return db.session.scalars(select(Review.id).where(Review.site_key == key)).one()


def store(key: int, instant: datetime, value: Any) -> None:
    """Another value for an instant, as an import would store it."""
    with write() as session:
        session.merge(Reading(site_key=key, reading_date=instant, reading_value=Decimal(str(value))))
    classify_again(key)
