"""What a run found, counted by the parts of the fleet."""

from sqlalchemy import ForeignKey, Integer, PrimaryKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .site import GROUP_LENGTH, SOURCE_LENGTH
from .types import PrimaryKey


class RunCount(Base):
    """How many sites of a group and a source a run found in which state, by the worst that its rules said.

    It is what the rows of :class:`~jobauto.models.RunSite` add up to, and holds while the run's
    ``regroupings`` are those of now: before, sites had other groups.
    """

    __tablename__ = "run_count"
    __table_args__ = (PrimaryKeyConstraint("run_id", "group", "source"), {"sqlite_with_rowid": False})

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), autoincrement=False)
    group: Mapped[str] = mapped_column(String(GROUP_LENGTH))
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    silent: Mapped[int] = mapped_column(Integer)
    standing_still: Mapped[int] = mapped_column(Integer)
    not_assessable: Mapped[int] = mapped_column(Integer)


class Regrouping(Base):
    """So many times sites have got another group or source, or were taken away.

    A row is added, in the transaction of the change, and none is ever changed: so nobody waits. What all rows
    add up to tells whether anything has changed since; the number of the newest would not, for a transaction
    may end after one that began later.
    """

    __tablename__ = "regrouping"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    times: Mapped[int] = mapped_column(Integer)
