"""What is done with several jobs at once, and the views of jobs that people keep."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, PrimaryKeyConstraint, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey

ACTIONS = ("assign", "status", "priority", "queue", "close", "reopen", "undo")
VIEW_NAME_LENGTH = 40
_UNFINISHED = text("finished_at IS NULL")


class BulkAction(Base):
    """Something that one person does with several jobs: what becomes of each is in its :class:`BulkJob`.

    ``change`` holds the fields of the change, as the service takes them; of an undoing, ``undoes`` is the
    action that it takes back, and there is one at most. ``heartbeat_at`` proves that a process is at it.
    """

    __tablename__ = "bulk_action"
    __table_args__ = (
        Index(
            "ix_bulk_action_unfinished",
            "id",
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    who: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(String(20))
    change: Mapped[dict[str, str]] = mapped_column(JSON)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("bulk_action.id"), unique=True)
    heartbeat_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class BulkJob(Base):
    """A job that was chosen for an action; ``refused`` says why it was left alone, once it is ``done``.

    ``seen_assignee`` is whom the list showed. There is no foreign key to the job, whose key on a distributed
    database is another.
    """

    __tablename__ = "bulk_job"
    __table_args__ = (PrimaryKeyConstraint("bulk_id", "job_id"), {"sqlite_with_rowid": False})

    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulk_action.id"), autoincrement=False)
    job_id: Mapped[int] = mapped_column(PrimaryKey, autoincrement=False)
    seen_assignee: Mapped[str] = mapped_column(String(100), default="")
    done: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    refused: Mapped[str | None] = mapped_column(Text)


class JobView(Base):
    """A view of the list of jobs that a person keeps: its name, and the query of its address."""

    __tablename__ = "job_view"
    __table_args__ = (PrimaryKeyConstraint("user_id", "name"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), autoincrement=False)
    name: Mapped[str] = mapped_column(String(VIEW_NAME_LENGTH))
    query: Mapped[str] = mapped_column(Text)
