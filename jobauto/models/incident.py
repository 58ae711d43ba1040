"""Incidents: one job for many sites that fell silent together behind one source."""

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .site import SOURCE_LENGTH
from .types import Instant, PrimaryKey

STATES = ("covering", "ended", "recovered", "closed")
ONE_INCIDENT = text("state = 'covering'")
ONE_COVER = text("ended_at IS NULL")
"""The conditions of ``uq_incident_covering`` and ``uq_cover_site``, which ON CONFLICT has to repeat."""
_NOT_RECOVERED = text("recovered_at IS NULL")


class Incident(Base):
    """What is the matter with the job of an incident, apart from its work: whether it covers sites.

    ``site_key`` is its own site, the one that its job names. ``state`` is ``covering`` until it is
    ``closed`` by a person, ``recovered`` (for good), or ``ended``: nearly all of its sites have recovered,
    but not its own, for which its job stays open.

    There are no foreign keys: the job may lie on another machine.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "uq_incident_covering",
            "source",
            "job_type",
            unique=True,
            sqlite_where=ONE_INCIDENT,
            postgresql_where=ONE_INCIDENT,
        ),
        Index("ix_incident_source", "source"),
    )

    job_id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True, autoincrement=False)
    site_key: Mapped[int] = mapped_column(PrimaryKey)
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    job_type: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(20))


class Cover(Base):
    """A site of an incident, its own among them; ``run_id`` is the run in which it came to it.

    The site is covered until ``ended_at``: it has recovered (``recovered_at``, the ``as_of`` of the first run
    that found it ok), nearly all others have, or a person, ``closed_by``, has closed the job. It recovers
    after that, too. It lies where the site does, and has no foreign keys.
    """

    __tablename__ = "cover"
    __table_args__ = (
        PrimaryKeyConstraint("site_key", "job_id"),
        Index("uq_cover_site", "site_key", unique=True, sqlite_where=ONE_COVER, postgresql_where=ONE_COVER),
        Index("ix_cover_job", "job_id"),
        Index(
            "ix_cover_unrecovered",
            "site_key",
            sqlite_where=_NOT_RECOVERED,
            postgresql_where=_NOT_RECOVERED,
        ),
    )

    site_key: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    job_id: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    run_id: Mapped[int] = mapped_column(PrimaryKey)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[str | None] = mapped_column(String(100))
    recovered_at: Mapped[datetime | None] = mapped_column(Instant)


IS_COVERING = Incident.state == literal_column("'covering'")
"""Whether an incident covers its sites. Spelled out, so that the partial index serves it."""
