"""Readings in doubt, and the sites whose readings are to be looked at."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, Kwh, PrimaryKey

STATES = ("open", "decided")

_IS_OPEN = text("state = 'open'")


class Review(Base):
    """A stretch of readings of a site that are in doubt, or were, or a new level.

    ``started_at`` and ``ended_at`` are the instants of its ``first`` and ``last`` value, ``readings`` how
    many they are; ``before`` and ``after`` are the good values beside it. ``kind`` is a ``ReviewKind``,
    ``state`` one of ``STATES``, ``decision`` a ``ReviewDecision``, None while nobody has decided. A decided
    one without ``decided_by`` was decided by the program.

    The site, the first reading and whether it is about the site as a whole (``unsteady``) name it: so it
    keeps its ``id`` as long as its first reading is in doubt. There is no foreign key to the site: only the
    demo's sites are ever removed, and take theirs with them.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("site_key", "started_at", "is_unsteady"),
        Index("ix_review_open", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    site_key: Mapped[int] = mapped_column(BigInteger)
    is_unsteady: Mapped[bool] = mapped_column(Boolean)
    kind: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    readings: Mapped[int] = mapped_column(Integer)
    before: Mapped[Decimal | None] = mapped_column(Kwh)
    first: Mapped[Decimal] = mapped_column(Kwh)
    last: Mapped[Decimal] = mapped_column(Kwh)
    after: Mapped[Decimal | None] = mapped_column(Kwh)
    state: Mapped[str] = mapped_column(String(20))
    decision: Mapped[str | None] = mapped_column(String(20))
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


class ToClassify(Base):
    """A site whose readings are to be classified: each transaction that may change their quality says so.

    While it is ``urgent`` no run and no page looks at the site before that is done. Otherwise its readings
    stand as they were until its turn comes: after an upgrade, and after a change of ``fall_tolerance``.
    """

    __tablename__ = "to_classify"
    __table_args__ = (
        Index(
            "ix_to_classify_urgent",
            "site_key",
            sqlite_where=text("urgent"),
            postgresql_where=text("urgent"),
        ),
    )

    site_key: Mapped[int] = mapped_column(PrimaryKey, primary_key=True, autoincrement=False)
    urgent: Mapped[bool] = mapped_column(Boolean)
