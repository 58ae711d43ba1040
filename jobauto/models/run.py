"""Executions of the rules over the fleet."""

from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..extensions import Base
from .types import Instant, PrimaryKey

TRIGGERS = ("schedule", "manual", "api", "cli")
STATUSES = ("running", "succeeded", "held", "partial", "failed", "crashed")
STATUSES_OF_RULES = ("succeeded", "held", "failed", "skipped")
DECISIONS = ("released", "discarded", "superseded")
_RUNNING = text("status = 'running'")
_UNDECIDED = text("decision IS NULL")
SLOT_TAKEN = text("slot IS NOT NULL AND status <> 'crashed'")
"""The condition of ``uq_run_slot``, which ON CONFLICT has to repeat to the letter."""


class Run(Base):
    """One execution of the rules at one instant, its ``as_of``; ``trigger`` is one of the ``TRIGGERS``.

    ``status`` is ``running``, ``succeeded``, ``held``, ``partial``, ``failed`` or ``crashed``. ``slot`` is
    the local date that a scheduled run serves. ``heartbeat_at`` proves that its process lives.
    ``removed_demo_sites`` is how many sites of the demo its figures may count that are gone since.
    ``regroupings`` is how often sites had been regrouped when its sites were counted
    (:class:`~jobauto.models.RunCount`); None while they are not.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("uq_run_running", "status", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("uq_run_slot", "slot", unique=True, sqlite_where=SLOT_TAKEN, postgresql_where=SLOT_TAKEN),
        Index("ix_run_finished", "finished_at"),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    trigger: Mapped[str] = mapped_column(String(20))
    requested_by: Mapped[str | None] = mapped_column(String(100))
    as_of: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    heartbeat_at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(String(20))
    slot: Mapped[date | None] = mapped_column(Date)
    settings_version: Mapped[int] = mapped_column(ForeignKey("settings_version.version"))
    is_demo: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    removed_demo_sites: Mapped[int | None] = mapped_column(Integer)
    regroupings: Mapped[int | None] = mapped_column(BigInteger)

    rules: Mapped[list["RunRule"]] = relationship(lazy="selectin", order_by="RunRule.position")
    hold: Mapped["Hold | None"] = relationship(lazy="selectin")

    @property
    def looked_at_another_time(self) -> bool:
        """Whether it looked at the fleet as of another time than that of its start, by over a minute."""
        return abs(self.as_of - self.started_at) > timedelta(minutes=1)

    @property
    def created_jobs(self) -> int:
        """Jobs opened by all rules of the run."""
        return sum(rule.created for rule in self.rules)

    @property
    def held_jobs(self) -> int:
        """Jobs that the guard kept from being opened."""
        return sum(rule.held for rule in self.rules)


class RunRule(Base):
    """What one rule did in one run. ``status`` is one of ``STATUSES_OF_RULES``.

    ``newest_site`` is the highest key of a site when the rule looked: sites beyond it were added later.
    """

    __tablename__ = "run_rule"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(50), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(20))
    checked: Mapped[int] = mapped_column(Integer, default=0)
    flagged: Mapped[int] = mapped_column(Integer, default=0)
    not_assessable: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[int] = mapped_column(Integer, default=0)
    skipped: Mapped[int] = mapped_column(Integer, default=0)
    covered: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    duration_ms: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    newest_site: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def held(self) -> int:
        """Jobs that the guard kept from being opened: flagged, neither opened, skipped nor covered."""
        return self.flagged - self.created - self.skipped - self.covered if self.status == "held" else 0


class Hold(Base):
    """Why the guard kept a run's jobs from being opened, and what was decided.

    Of the ``reported`` sites that had sent a reading after ``since``, ``silent`` would have been newly
    flagged together. ``decision`` is empty while the jobs wait, then ``released``, ``discarded`` or
    ``superseded`` (a later run has judged the fleet anew), by whom and when.
    """

    __tablename__ = "hold"
    __table_args__ = (
        Index("ix_hold_undecided", "run_id", sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True, autoincrement=False)
    rule: Mapped[str] = mapped_column(String(50))
    since: Mapped[datetime] = mapped_column(Instant)
    reported: Mapped[int] = mapped_column(Integer)
    silent: Mapped[int] = mapped_column(Integer)
    decision: Mapped[str | None] = mapped_column(String(20))
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)

    def describe(self) -> str:
        """Why, in a sentence for pages and messages."""
        return f"{self.silent:,} of {self.reported:,} sites went silent together: is the feed down?"
