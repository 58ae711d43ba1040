"""Imports of files, under way and done."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, PrimaryKey

KEPT_ON_LENGTH = 255
NEEDS_PROFILE = "needs_profile"
UNFINISHED = ("queued", "running", "waiting", NEEDS_PROFILE)
_WAITING = text("status IN ('queued', 'running')")


class Import(Base):
    """One file that somebody sent to be imported, or looked at (``dry_run``), and what came of it.

    ``status`` is ``queued``, ``running``, ``finished``, ``failed`` (with the ``error``), ``waiting`` (for
    somebody to decide whether it is imported in spite of its ``warnings``), ``needs_profile`` (nobody has
    said yet how it is read) or ``discarded`` (it is not imported). The file waits in the instance folder of
    the machine ``kept_on`` as ``kept_as``; ``done`` of its ``size`` in bytes have been read.
    ``heartbeat_at`` proves that the process of this one of the ``attempts`` is at it.
    ``errors`` are the first rejected rows, ``[[line, reason], ...]``, and ``reasons`` all of them summed up,
    a line each. ``ignore_columns`` were to be left out; ``ignored_columns`` nobody takes. ``preview`` is what
    was understood of the first rows before anything was stored. It is read as the ``profile`` said in that
    version; without one it is a file of the program's own.

    Once it ``is_checked`` nothing keeps it from being stored but a decision, which may be made until
    ``decide_until``; null where there is nothing to decide.
    """

    __tablename__ = "import"
    __table_args__ = (Index("ix_import_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),)

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    filename: Mapped[str] = mapped_column(String(200))
    kept_as: Mapped[str] = mapped_column(String(40), unique=True)
    kept_on: Mapped[str] = mapped_column(String(KEPT_ON_LENGTH), default="", server_default="")
    dry_run: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(20))
    requested_by: Mapped[str] = mapped_column(String(100))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    size: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    new: Mapped[int] = mapped_column(Integer, default=0)
    updated: Mapped[int] = mapped_column(Integer, default=0)
    unchanged: Mapped[int] = mapped_column(Integer, default=0)
    rejected: Mapped[int] = mapped_column(Integer, default=0)
    errors: Mapped[list[Any]] = mapped_column(JSON, default=list)
    error: Mapped[str | None] = mapped_column(Text)
    ignore_columns: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    ignored_columns: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    profile: Mapped[str | None] = mapped_column(String(50))
    profile_version: Mapped[int | None] = mapped_column(Integer)
    preview: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    is_checked: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    decide_until: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
