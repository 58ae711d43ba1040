"""What is asked about reviews."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select

from ..extensions import db
from ..models import Review, Site, ToClassify
from .classifying import classify_urgent

LOOKED_AT = 1000
"""Of the sites that are to be classified; among fewer that are urgent, one that is not is found."""


@dataclass(frozen=True)
class ReviewFilter:
    """Which reviews; what is empty asks for nothing. Of ``before_id`` on, newer ones are left out."""

    state: str = ""
    kind: str = ""
    site_id: str = ""
    before_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for a query."""
        found: list[ColumnElement[bool]] = []
        if self.state:
            found.append(Review.state == self.state)
        if self.kind:
            found.append(Review.kind == self.kind)
        if self.site_id:
            found.append(Site.site_id == self.site_id)
        if self.before_id is not None:
            found.append(Review.id < self.before_id)
        return found


def reviews_matching(wanted: ReviewFilter) -> Select[Review]:
    """Reviews, newest first."""
    return (
        select(Review)
        .join(Site, Site.key == Review.site_key)
        .where(*wanted.conditions())
        .order_by(Review.id.desc())
    )


def count_open(most: int) -> int:
    """How many reviews wait for a person, counted up to ``most``."""
    some = select(Review.id).where(Review.state == "open").limit(most).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def waits_for_its_turn(site_key: int) -> bool:
    """Whether a site's readings stand as they were, until they are classified anew."""
    marked = select(ToClassify.site_key).where(ToClassify.site_key == site_key)
    return db.session.scalar(marked) is not None


def share_classified() -> float | None:
    """How far a classification of the fleet anew has come, from 0 to 1, about; None where none is under way.

    It goes in the order of keys: so the next ones tell how far it is, however large the fleet is.
    """
    columns = (ToClassify.site_key, ToClassify.urgent)
    next_ones = select(*columns).order_by(ToClassify.site_key).limit(LOOKED_AT).subquery().c
    waiting = db.session.scalar(select(func.min(next_ones.site_key)).where(~next_ones.urgent))
    if waiting is None:
        return None
    last = db.session.scalar(select(func.max(Site.key))) or waiting
    share: float = (waiting - 1) / last
    return max(0.0, min(1.0, share))


def bring_up_to_date(now: datetime) -> None:
    """Have every site classified that is to be, before reviews are looked at. Ends the transaction."""
    db.session.rollback()
    with db.engine.connect() as connection:
        classify_urgent(connection, now)
