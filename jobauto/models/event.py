"""Who changed what: the history of jobs, and the audit log of everything else."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey

SUBJECTS = (
    "job",
    "site",
    "run",
    "user",
    "token",
    "settings",
    "policy",
    "import",
    "profile",
    "address",
)


class Event(Base):
    """One change: who, when, of which thing, which field from what to what; or a note.

    ``subject`` and ``subject_id`` name the thing (``job`` 17, ``site`` S1). ``who`` is a user name, or
    empty where the program itself acted; ``token`` the API token with which they did;
    ``bulk_id`` the action on several jobs of which the change is a part. Written in the transaction of the
    change, never changed.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "subject", "subject_id", "id"),
        Index("ix_event_who", "who", "id"),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    who: Mapped[str | None] = mapped_column(String(100))
    token: Mapped[str | None] = mapped_column(String(130))
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(100))
    field: Mapped[str] = mapped_column(String(100))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    bulk_id: Mapped[int | None] = mapped_column(PrimaryKey)
