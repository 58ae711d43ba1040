"""What people say of the registers of sites: meters that were changed, and decisions on reviews."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, PrimaryKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, Kwh, PrimaryKey

SERIAL_LENGTH = 50


class MeterChange(Base):
    """At ``changed_at`` the meter of a site was changed: a reading of that instant is of the new meter.

    ``closing`` is what the old meter showed at last, ``opening`` what the new one showed at first; None where
    nobody wrote it down. ``serial`` is the new meter's number.
    """

    __tablename__ = "meter_change"
    __table_args__ = (UniqueConstraint("site_key", "changed_at"),)

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    site_key: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    closing: Mapped[Decimal | None] = mapped_column(Kwh)
    opening: Mapped[Decimal | None] = mapped_column(Kwh)
    serial: Mapped[str] = mapped_column(String(SERIAL_LENGTH), default="", server_default="")


class Decision(Base):
    """What a person decided about the readings that a review had: ``kind`` is what it was then.

    It is kept for these readings, whatever becomes of the review. ``decision`` is a ``ReviewDecision``.
    """

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_site_key", "site_key"),)

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    site_key: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    decision: Mapped[str] = mapped_column(String(20))
    decided_by: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[datetime] = mapped_column(Instant)


class DecidedReading(Base):
    """A reading that a decision is about, by its instant and its value."""

    __tablename__ = "decided_reading"
    __table_args__ = (PrimaryKeyConstraint("decision_id", "reading_date"),)

    decision_id: Mapped[int] = mapped_column(ForeignKey(Decision.id, ondelete="CASCADE"), autoincrement=False)
    reading_date: Mapped[datetime] = mapped_column(Instant)
    reading_value: Mapped[Decimal] = mapped_column(Kwh)
