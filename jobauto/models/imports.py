"""Imports of files, under way and done."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base
from .types import Instant, Kwh, PrimaryKey

KEPT_ON_LENGTH = 255
NEEDS_PROFILE = "needs_profile"
UNFINISHED = ("queued", "running", "waiting", NEEDS_PROFILE)
STATUSES = (*UNFINISHED, "finished", "failed", "discarded", "canceled")
KINDS = ("readings", "sites")
WAYS = ("page", "command", "api", "inbox")
_WAITING = text("status IN ('queued', 'running')")
_OF_TOKENS = text("token IS NOT NULL")
_IN_INBOX = text("inbox_name IS NOT NULL")
_HASHED = text("content_hash IS NOT NULL")
_TELLING = text("confirms OR claimed")


class Import(Base):
    """One file that somebody sent to be imported, or looked at (``dry_run``), and what came of it.

    It came by one of the ``WAYS``; only those of the page and the inbox are kept as files.

    ``status`` is ``queued``, ``running``, ``finished``, ``failed`` (with the ``error``), ``waiting`` (for
    somebody to decide whether it is imported in spite of its ``warnings``), ``needs_profile`` (nobody has
    said yet how it is read), ``discarded`` (it is not imported) or ``canceled``. One that is under way and
    was ``canceled_at`` some instant ends at its next batch. The file waits in the instance folder of
    the machine ``kept_on`` as ``kept_as``; ``done`` of its ``size`` in bytes have been read, which are so
    many ``rows``, in the pass over it that ``pass_began_at`` then, not before its readings were received.
    ``heartbeat_at`` proves that the process of this one of the ``attempts`` is at it, or at moving its file.
    ``errors`` are the first rejected rows, ``[[line, reason], ...]``, and ``reasons`` all of them summed up,
    a line each; ``left_out`` is a sentence on what was neither taken nor rejected. ``ignore_columns`` were to
    be left out; ``ignored_columns`` nobody takes. ``preview`` is what was understood of the first rows before
    anything was stored. It is read as the ``profile`` said in that version; without one it is a file of the
    program's own.

    Once it ``is_checked`` nothing keeps it from being stored but a decision, which may be made until
    ``decide_until``; null where there is nothing to decide.

    Its readings are of ``sites`` sites, from ``first_at`` to ``last_at``. Until ``undo_until`` it can be
    taken back. While that goes on ``undo_heartbeat_at`` proves that a process is at it; ``undone_at`` is its
    end. ``removed``, ``restored`` and ``left`` count what became of its readings. Of the imports with one
    ``token`` on one day, all others are ``part_of`` the first.

    Of a file of the watched folder, ``inbox_name`` (percent-encoded) is its name as long as it lies there,
    ``inbox_time`` its time in nanoseconds, and ``content_hash`` the SHA-256 of its content.
    """

    __tablename__ = "import"
    __table_args__ = (
        Index("ix_import_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_import_token", "token", "id", sqlite_where=_OF_TOKENS, postgresql_where=_OF_TOKENS),
        Index("ix_import_part_of", "part_of"),
        Index("ix_import_pass_began", "pass_began_at"),
        Index(
            "uq_import_inbox",
            "kept_on",
            "profile",
            "inbox_name",
            unique=True,
            sqlite_where=_IN_INBOX,
            postgresql_where=_IN_INBOX,
        ),
        Index("ix_import_content_hash", "content_hash", sqlite_where=_HASHED, postgresql_where=_HASHED),
    )

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
    rows: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    pass_began_at: Mapped[datetime | None] = mapped_column(Instant)
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
    left_out: Mapped[str] = mapped_column(Text, default="", server_default="")
    preview: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    is_checked: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    decide_until: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    canceled_by: Mapped[str | None] = mapped_column(String(100))
    canceled_at: Mapped[datetime | None] = mapped_column(Instant)
    way: Mapped[str] = mapped_column(String(10), default="page", server_default="page")
    token: Mapped[str | None] = mapped_column(String(130))
    part_of: Mapped[int | None] = mapped_column(BigInteger)
    sites: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    first_at: Mapped[datetime | None] = mapped_column(Instant)
    last_at: Mapped[datetime | None] = mapped_column(Instant)
    undo_until: Mapped[datetime | None] = mapped_column(Instant)
    undo_by: Mapped[str | None] = mapped_column(String(100))
    undo_heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    removed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    restored: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    left: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    inbox_name: Mapped[str | None] = mapped_column(String(1000))
    inbox_time: Mapped[int | None] = mapped_column(BigInteger)
    content_hash: Mapped[str | None] = mapped_column(String(64))


class ImportSite(Base):
    """A site of an import: its readings there, which were ``received`` then, lie between these instants.

    With ``confirms``, every reading of the site that stood between them when the import ended is as it says:
    a file that is sent again leaves no other trace. ``claimed`` tells that the site had no measure before.
    It has its source from the import since ``source_given_at``, unless somebody has changed it.
    """

    __tablename__ = "import_site"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "site_key", "first_at"),
        Index("ix_import_site_site_key", "site_key", sqlite_where=_TELLING, postgresql_where=_TELLING),
    )

    import_id: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    site_key: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    first_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)
    received: Mapped[datetime] = mapped_column(Instant)
    confirms: Mapped[bool] = mapped_column(Boolean)
    claimed: Mapped[bool] = mapped_column(Boolean)
    source_given_at: Mapped[datetime | None] = mapped_column(Instant)


class ReplacedReading(Base):
    """A value that an import brought and that does not stand, because another one does.

    It was replaced at ``replaced_at``; or it is an estimate, which never stood beside an actual value. Should
    the import whose value stands be taken back, the newest of these stands again, an actual one first.
    ``import_id`` is 0 where it is not known.
    """

    __tablename__ = "replaced_reading"
    __table_args__ = (
        PrimaryKeyConstraint("site_key", "reading_date", "import_id"),
        Index("ix_replaced_reading_replaced_at", "replaced_at"),
    )

    site_key: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    reading_date: Mapped[datetime] = mapped_column(Instant)
    import_id: Mapped[int] = mapped_column(BigInteger, autoincrement=False)
    reading_value: Mapped[Decimal] = mapped_column(Kwh)
    is_estimated: Mapped[bool] = mapped_column(Boolean)
    received: Mapped[datetime | None] = mapped_column(Instant)
    replaced_at: Mapped[datetime] = mapped_column(Instant)
