"""Work orders and what was done with them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    literal_column,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..extensions import Base
from .folding import fold
from .site import Site
from .types import DAY, Instant, Kwh, PrimaryKey

STATUSES = ("open", "in_progress", "on_hold", "closed")
RESOLUTIONS = ("fixed", "recovered", "false_alarm", "duplicate", "other")
PRIORITIES = ("low", "medium", "high")

_IS_OPEN = text("status <> 'closed'")
_NOT_RECOVERED = text("recovered_at IS NULL")
_CLOSED_ONCE = text("closed_at IS NOT NULL")
_RECOVERED = text("recovered_at IS NOT NULL")
_OPEN_AND_ASSIGNED = text("status <> 'closed' AND assignee IS NOT NULL")
_OPEN_AND_UNASSIGNED = text("status <> 'closed' AND assignee IS NULL")
_OPEN_AND_RECOVERED = text("status <> 'closed' AND recovered_at IS NOT NULL")
SORTED_NULL_FIRST = ("ix_job_since", "ix_job_open_since")
_ANY = text("id > 0")
ONE_OPEN_JOB = text("status <> 'closed' AND duplicate_checked AND covers IS NULL")
"""The condition of ``uq_job_open``, which ON CONFLICT has to repeat to the letter."""


def _search_description(context: DefaultExecutionContext) -> str:
    return fold(context.get_current_parameters()["description"])  # type: ignore[no-untyped-call]


class Job(Base):
    """A work order for a site: one fault, found by one rule in one run.

    ``since`` and ``days`` are the finding: the last reading and the days without one (No Coms; both empty
    for a site that never reported), or the start of the flat run and the days without increase (Zero
    Reads, with ``zero_count`` and the register's ``value``).

    ``touched`` tells whether a person has worked it, ``closed_by`` who closed it (empty: the program did).
    ``recovered_at`` is the ``as_of`` of the first run, ``recovered_run_id``, that saw the fault gone; an open
    job loses both when the fault is back. ``search_notes`` are its newest notes as searches look into them,
    and ``search_description`` its description, which whoever writes that has follow.
    ``covers`` is how many other sites it has covered, if it is an :class:`~jobauto.models.Incident`; an
    incident is apart from its own site's jobs, and recovers for good.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "uq_job_open",
            "site_key",
            "job_type",
            unique=True,
            sqlite_where=ONE_OPEN_JOB,
            postgresql_where=ONE_OPEN_JOB,
        ),
        Index("ix_job_still_open", "rule", "site_key", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index(
            "ix_job_open_site",
            "site_key",
            "recovered_at",
            "status",
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index(
            "ix_job_open_assignee",
            "assignee",
            sqlite_where=_OPEN_AND_ASSIGNED,
            postgresql_where=_OPEN_AND_ASSIGNED,
        ),
        Index(
            "ix_job_unrecovered",
            "rule",
            "site_key",
            sqlite_where=_NOT_RECOVERED,
            postgresql_where=_NOT_RECOVERED,
        ),
        Index("ix_job_site", "site_key", "job_type"),
        # With all that the report counts by: it need not read the jobs themselves, which lie far apart.
        Index("ix_job_created", "created_at", "rule", "site_key", "assignee"),
        Index(
            "ix_job_closed",
            "closed_at",
            "created_at",
            "site_key",
            "assignee",
            sqlite_where=_CLOSED_ONCE,
            postgresql_where=_CLOSED_ONCE,
        ),
        Index(
            "ix_job_recovered",
            "recovered_at",
            "created_at",
            "site_key",
            "assignee",
            "touched",
            "resolution",
            sqlite_where=_RECOVERED,
            postgresql_where=_RECOVERED,
        ),
        Index("ix_job_run", "run_id"),
        Index("ix_job_queue", "queue"),
        # Newest first, so that a search among the open ones does not read all the others.
        Index("ix_job_open_id", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        # What the views of the list of jobs count.
        Index(
            "ix_job_open_unassigned",
            "id",
            sqlite_where=_OPEN_AND_UNASSIGNED,
            postgresql_where=_OPEN_AND_UNASSIGNED,
        ),
        Index(
            "ix_job_open_recovered",
            "id",
            sqlite_where=_OPEN_AND_RECOVERED,
            postgresql_where=_OPEN_AND_RECOVERED,
        ),
        # The newest jobs of a priority, closed ones too. SQLite would take it wherever a priority is asked
        # for, and read all the closed to find the open: so it serves those alone who say IS_ANY.
        Index("ix_job_priority", "priority", "id", sqlite_where=_ANY, postgresql_where=_ANY),
        # The longest fault first, where one without a beginning, of a site that never reported, comes first:
        # so does SQLite of itself.
        Index("ix_job_since", "since", "id", postgresql_ops={"since": "NULLS FIRST"}),
        Index(
            "ix_job_open_since",
            "since",
            "id",
            postgresql_ops={"since": "NULLS FIRST"},
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    site_key: Mapped[int] = mapped_column(ForeignKey("site.key"))
    rule: Mapped[str] = mapped_column(String(50))
    job_type: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20))
    priority: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Text)
    assignee: Mapped[str | None] = mapped_column(String(100))
    resolution: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    duplicate_checked: Mapped[bool] = mapped_column(Boolean)
    since: Mapped[datetime | None] = mapped_column(Instant)
    days: Mapped[int | None] = mapped_column(Integer)
    queue: Mapped[str] = mapped_column(String(100), default="")
    instructions: Mapped[str] = mapped_column(Text, default="")
    touched: Mapped[bool] = mapped_column(Boolean, default=False)
    closed_by: Mapped[str | None] = mapped_column(String(100))
    recovered_at: Mapped[datetime | None] = mapped_column(Instant)
    recovered_run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    zero_count: Mapped[int | None] = mapped_column(Integer)
    value: Mapped[Decimal | None] = mapped_column(Kwh)
    search_notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    search_description: Mapped[str] = mapped_column(Text, default=_search_description, server_default="")
    covers: Mapped[int | None] = mapped_column(Integer)

    site: Mapped[Site] = relationship(lazy="joined", innerjoin=True)

    def faulty_days(self, now: datetime) -> int | None:
        """How long the fault has lasted, in whole days of 24 hours; None where the site never reported.

        From ``since`` to the recovery; without one to the closing, or to now while the job is open.
        """
        if self.since is None:
            return None
        return max(0, ((self.recovered_at or self.closed_at or now) - self.since) // DAY)


STILL_OPEN = Job.status != literal_column("'closed'")
"""Whatever step of the work the job is in. Spelled out, not bound, so that partial indexes serve it."""
IS_ANY = Job.id > literal_column("0")
"""True of every job: the condition of ``ix_job_priority``."""


class JobReading(Base):
    """A reading as it was, and as it was believed, when a job was opened: evidence that nothing changes.

    It names the job's site too, so that it can lie where the site does. There is no foreign key to the job:
    PostgreSQL would look it up for each of thousands of rows, which was most of the time of writing them.
    They come out of the jobs that their own transaction has opened, and go before the job does.
    """

    __tablename__ = "job_reading"
    __table_args__ = (
        PrimaryKeyConstraint("site_key", "job_id", "reading_date"),
        {"sqlite_with_rowid": False},
    )

    site_key: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    job_id: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    reading_date: Mapped[datetime] = mapped_column(Instant)
    reading_value: Mapped[Decimal] = mapped_column(Kwh)
    quality: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
