"""What is asked about reviews."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from ..extensions import db
from ..models import Review, Site
from .classifying import classify_urgent


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


def bring_up_to_date() -> None:
    """Have every site classified that is to be, before reviews are looked at. Ends the transaction."""
    db.session.rollback()
    with db.engine.connect() as connection:
        classify_urgent(connection)
