"""Where messages go, and the outbox in which they wait. The tables keep the names that they began with."""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..extensions import Base
from .types import Instant, PrimaryKey

KINDS = ("message", "heartbeat", "person")
KINDS_OF_MESSAGES = ("problem", "digest", "test", "start", "success", "fail", "link", "replaced", "assigned")
STATUSES = ("waiting", "sent", "given_up")
WHEN = ("never", "at_once", "daily")
"""How soon somebody is told of the jobs that are assigned to them."""
LABEL_LENGTH = 100
TITLE_LENGTH = 200
ERROR_LENGTH = 200

_WAITING = text("status = 'waiting'")
_OF_NOW = text("replaced_at IS NULL")
_UNTOLD = text("message_id IS NULL")


class Channel(Base):
    """Where messages go (``kind`` message: an Apprise URL, or ``mail:`` and an address), or heartbeats.

    The URL is kept only encrypted, and is never shown again; ``display_name`` is what may be: a scheme
    and a host, or the name of a service. A ``person`` has no URL: there the mail address is the display name,
    and :class:`MailAddress` says whose it is. ``exempt``: it was stored before there were limits to where
    messages may go, and goes on without them. ``failing_since``: nothing has come through since then,
    ``failure`` says why. A removed channel keeps its row, without the secret, because messages point at it.
    """

    __tablename__ = "address"

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    display_name: Mapped[str] = mapped_column("hint", String(300))
    encrypted_url: Mapped[str] = mapped_column("sealed", Text)
    wants_problems: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    wants_digest: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    exempt: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Instant)
    removed_at: Mapped[datetime | None] = mapped_column(Instant)
    failing_since: Mapped[datetime | None] = mapped_column(Instant)
    failure: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))


class MailAddress(Base):
    """A mail address of a user: the channel that reaches it, and what is sent there.

    Nothing is sent before ``verified_at`` but the link by which its owner verifies it. ``assignments`` is how
    soon they are told of jobs that are assigned to them (:data:`WHEN`). Another address is another row: a
    user has one at most that was not replaced, or removed, at ``replaced_at``.
    """

    __tablename__ = "mail_address"
    __table_args__ = (
        Index("uq_mail_address_user", "user_id", unique=True, sqlite_where=_OF_NOW, postgresql_where=_OF_NOW),
    )

    channel_id: Mapped[int] = mapped_column(
        "address_id", ForeignKey("address.id"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    assignments: Mapped[str] = mapped_column(String(20))
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    replaced_at: Mapped[datetime | None] = mapped_column(Instant)

    channel: Mapped[Channel] = relationship(lazy="joined", innerjoin=True)


class Assignment(Base):
    """A job that somebody else has assigned to somebody who wants to be told; ``message_id`` tells it.

    ``bulk_id`` is the action on several jobs of which it was a part. There is no foreign key to the job,
    whose key on a distributed database is another.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index(
            "uq_assignment_untold",
            "user_id",
            "job_id",
            unique=True,
            sqlite_where=_UNTOLD,
            postgresql_where=_UNTOLD,
        ),
        Index("ix_assignment_message", "message_id"),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    job_id: Mapped[int] = mapped_column(PrimaryKey)
    site_key: Mapped[int] = mapped_column(PrimaryKey)
    at: Mapped[datetime] = mapped_column(Instant)
    bulk_id: Mapped[int | None] = mapped_column(PrimaryKey)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id", ondelete="CASCADE"))


class OutboxMessage(Base):
    """One message to one channel.

    ``topic`` names what it tells of (``run-17-failed``, ``digest-2026-03-31``); each topic goes to
    a channel once. ``kind`` is ``problem``, ``digest`` or ``test``; to a heartbeat ``start``, ``success`` or
    ``fail``, with ``rid``, the run's UUID; to a person ``link``, ``replaced``, or ``assigned``, whose text is
    made when it is sent. ``status`` is ``waiting``, ``sent`` or ``given_up``, the last two
    since ``settled_at``. It is tried once ``due_at`` has come, by whoever holds it until ``leased_until``,
    and given up at ``expires_at``; ``error`` tells why the last of the ``attempts`` failed.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("address_id", "topic"),
        Index("ix_outbox_waiting", "expires_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_outbox_settled", "settled_at"),
    )

    id: Mapped[int] = mapped_column(PrimaryKey, primary_key=True)
    channel_id: Mapped[int] = mapped_column("address_id", ForeignKey("address.id"))
    topic: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    body: Mapped[str] = mapped_column(Text)
    rid: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[str] = mapped_column(String(20), default="waiting")
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    error: Mapped[str | None] = mapped_column(String(ERROR_LENGTH))


WAITING = OutboxMessage.status == literal_column("'waiting'")
"""Not settled. Spelled out, not bound, so that the partial index serves it."""
