"""Runs that somebody asked for and a worker is to do."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey


class RunRequest(Base):
    """One press of Run now that was handed to a worker, and what came of it.

    ``run_id`` is the run that serves it, and ``refusal`` says why there is none; neither is there while it
    waits.
    """

    __tablename__ = "run_request"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    requested_by: Mapped[str] = mapped_column(String(100))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), unique=True)
    refusal: Mapped[str | None] = mapped_column(Text)
