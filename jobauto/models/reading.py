"""What the meters sent."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, Kwh


class Reading(Base):
    """A register's value at an instant.

    The primary key is the only index and, with the value inside it, all that the rules walk: one short
    range a site. There is no foreign key: each import proves the site by a join, and a check per row
    would cost half of its speed.
    """

    __tablename__ = "reading"
    __table_args__ = (
        PrimaryKeyConstraint("site_key", "reading_date", postgresql_include=["reading_value"]),
        {"sqlite_with_rowid": False},
    )

    site_key: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    reading_date: Mapped[datetime] = mapped_column(Instant)
    reading_value: Mapped[Decimal] = mapped_column(Kwh)
