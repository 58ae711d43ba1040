"""What a run found at single sites."""

from sqlalchemy import Index, PrimaryKeyConstraint, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import PrimaryKey

VERDICTS = ("flagged", "not_assessable", "not_judged")
OUTCOMES = ("created", "covered", "skipped", "held")
_NOT_JUDGED = text("verdict = 'not_judged'")


class RunSite(Base):
    """A site at which a rule of a run did not say ``ok``: kept for 400 days.

    ``verdict`` is ``flagged`` or ``not_assessable`` (with its ``reason``). ``outcome`` tells what became of a
    flagged one: ``created`` (it got a job), ``covered`` (an incident is its job, which names another site),
    ``skipped`` (it had a job, or was not to get one yet) or ``held``.
    Of the newest runs there are also the sites that the rule did not judge, as ``not_judged``.

    There are no foreign keys, for the reasons of :class:`~jobauto.models.JobReading`.
    """

    __tablename__ = "run_site"
    __table_args__ = (
        PrimaryKeyConstraint("run_id", "rule", "site_key"),
        Index(
            "ix_run_site_not_judged",
            "rule",
            "run_id",
            sqlite_where=_NOT_JUDGED,
            postgresql_where=_NOT_JUDGED,
        ),
        {"sqlite_with_rowid": False},
    )

    run_id: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    rule: Mapped[str] = mapped_column(String(50))
    site_key: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(50))
    outcome: Mapped[str | None] = mapped_column(String(20))
