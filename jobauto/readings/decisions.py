"""Deciding about reviews. A decision is kept for the readings that the review had, and can be taken back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Select, insert, literal, select
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..models import DecidedReading, Decision, Reading, Review, Site, ToClassify
from ..models.quality import Quality, ReviewDecision, ReviewKind
from ..storage.connections import write
from ..storage.marks import mark
from .classifying import classify
from .turns import take_turns

IN_DOUBT = (Quality.DOUBTFUL, Quality.WRONG)
DECIDED = "decision"
"""The field of a site's history that says what was decided about a review."""


class UnknownReview(LookupError):
    """There is no such review, or no more: its readings are in doubt no longer."""


def decide(
    reviews: Collection[int], decision: ReviewDecision | None, *, author: Author, site_key: int | None = None
) -> int:
    """Decide about reviews, all or none of them, or take decisions back with None; returns how many changed.

    With ``site_key`` those of other sites are unknown. What follows from it for the readings of their sites
    is stored in the same transaction. Of two people who decide at the same time, the later one's word stands.
    Raises UnknownReview.
    """
    with write() as session:
        found = _locked(session, reviews, author.now, site_key)
        changed = [review for review in found if _decide(session, review, decision, author)]
        session.flush()
        keys = sorted({review.site_key for review in changed})
        mark(session.connection(), keys)
        classify(session.connection(), keys, author)
        return len(changed)


def count_the_other_way(reviews: Collection[int], *, author: Author, site_key: int | None = None) -> int:
    """Have the sites count the other way of whose reviews the register runs backwards; returns how many.

    With ``site_key`` reviews of other sites are unknown. All their readings are walked anew in the same
    transaction. Raises UnknownReview.
    """
    with write() as session:
        found = _locked(session, reviews, author.now, site_key)
        keys = sorted({review.site_key for review in found if review.kind == ReviewKind.BACKWARDS})
        for key in keys:
            site = session.scalars(select(Site).where(Site.key == key).with_for_update()).one()
            other = "up" if site.counts == "down" else "down"
            record(session, author, "site", site.site_id, [("counts", site.counts, other)])
            site.counts = other
        session.flush()
        mark(session.connection(), keys)
        classify(session.connection(), keys, author)
        return len(keys)


def _locked(
    session: Session, wanted: Collection[int], now: datetime, site_key: int | None
) -> Sequence[Review]:
    """The reviews as they are now, while nobody else can change readings of their sites."""
    of_site = [Review.site_key == site_key] if site_key is not None else []
    by_id = select(Review).where(Review.id.in_(wanted), *of_site).order_by(Review.id)
    keys = sorted(set(session.scalars(by_id.order_by(None).with_only_columns(Review.site_key))))
    connection = session.connection()
    take_turns(connection, keys)
    if stale := _to_classify(connection, keys):
        classify(connection, stale, Author(None, now))
    found = session.scalars(by_id.execution_options(populate_existing=True)).all()
    if missing := sorted({*wanted} - {review.id for review in found}):
        raise UnknownReview(f"There is no review {missing[0]}.")
    return found


def _to_classify(connection: Connection, keys: Sequence[int]) -> list[int]:
    return list(connection.scalars(select(ToClassify.site_key).where(ToClassify.site_key.in_(keys))))


def _decide(session: Session, review: Review, decision: ReviewDecision | None, author: Author) -> bool:
    former = session.get(Decision, review.decision_id) if review.decision_id else None
    if (former.decision if former else None) == decision:
        return False
    if decision is not None:
        kind = former.kind if former else review.kind
        _add(session, review, ReviewDecision(decision), kind, former, author)
    if former:
        session.delete(former)
    site_id = session.scalar(select(Site.site_id).where(Site.key == review.site_key))
    said = f"{review.kind} of {review.started_at:%Y-%m-%d %H:%M} UTC: "
    before, after = former.decision if former else None, decision.value if decision else None
    record(session, author, "site", site_id, [(DECIDED, said + (before or "open"), said + (after or "open"))])
    return True


def _add(
    session: Session,
    review: Review,
    decision: ReviewDecision,
    kind: str,
    former: Decision | None,
    author: Author,
) -> None:
    """Keep a decision, about the readings of a former one or else of the review."""
    made = Decision(
        site_key=review.site_key,
        kind=kind,
        decision=decision.value,
        decided_by=author.name or "",
        decided_at=author.now,
    )
    session.add(made)
    session.flush()
    about = _readings_of(session, review)
    if former:
        about = select(DecidedReading.reading_date, DecidedReading.reading_value).where(
            DecidedReading.decision_id == former.id
        )
    # None of them passes by here: a review may be of a million.
    of_made = about.add_columns(literal(made.id))
    names = ["reading_date", "reading_value", "decision_id"]
    session.execute(insert(DecidedReading).from_select(names, of_made))


def _readings_of(session: Session, review: Review) -> Select[datetime, Decimal]:
    of_site = (
        Reading.site_key == review.site_key,
        Reading.reading_date.between(review.started_at, review.ended_at),
    )
    those = select(Reading.reading_date, Reading.reading_value).where(*of_site)
    if review.kind != ReviewKind.NEW_LEVEL:
        return those.where(Reading.quality.in_(IN_DOUBT))
    first = select(Reading.meter).where(*of_site, Reading.reading_date == review.started_at)
    return those.where(Reading.quality == Quality.GOOD, Reading.meter == session.scalar(first))
