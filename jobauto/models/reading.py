"""What the meters sent."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, PrimaryKeyConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, Kwh

INCLUDED = ["reading_value", "quality", "meter"]
"""What PostgreSQL keeps in the index of the primary key, so that a rule reads nothing else."""


class Reading(Base):
    """A register's value at an instant, or the energy of the interval that ends at it.

    The primary key is the only index and, with value, quality and meter inside it, all that the rules walk:
    one short range a site. There is no foreign key: each import proves the site by a join, and a check per
    row would cost half of its speed.

    ``quality`` is a number of :class:`~jobauto.models.quality.Quality`, ``meter`` the number of the meter
    within the site. The value that stands was ``received`` then, by the import ``import_id``; both are empty
    of readings from before they were kept.
    """

    __tablename__ = "reading"
    __table_args__ = (
        PrimaryKeyConstraint("site_key", "reading_date", postgresql_include=INCLUDED),
        {"sqlite_with_rowid": False},
    )

    site_key: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    reading_date: Mapped[datetime] = mapped_column(Instant)
    reading_value: Mapped[Decimal] = mapped_column(Kwh)
    quality: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    meter: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    received: Mapped[datetime | None] = mapped_column(Instant)
    import_id: Mapped[int | None] = mapped_column(BigInteger)
