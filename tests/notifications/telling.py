"""Channels, and looks at what the outbox holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Channel, OutboxMessage
from jobauto.notifications import channels
from jobauto.notifications.outbox import Message, put
from jobauto.storage.connections import write
from tests.fleets import NOON

ADA = Author("ada", NOON)


def add_message(url: str, *, problems: bool = True, digest: bool = False, label: str = "operations") -> int:
    """A channel for messages; returns its id."""
    return channels.add("message", label, url, problems=problems, digest=digest, author=ADA)


def add_heartbeat(url: str) -> int:
    """A channel for heartbeats; returns its id."""
    return channels.add("heartbeat", "watch", url, problems=False, digest=False, author=ADA)


def add_one_of_each(base: str = "http://127.0.0.1:9") -> None:
    """Somebody who wants problems, somebody who wants the digest, one who wants both, and a heartbeat."""
    web = base.replace("http://", "json://")
    add_message(f"{web}/problems", problems=True, digest=False, label="problems")
    add_message(f"{web}/digest", problems=False, digest=True, label="digest")
    add_message(f"{web}/both", problems=True, digest=True, label="both")
    add_heartbeat(f"{base}/watch")


def put_message(channel_id: int, topic: str = "t", kind: str = "problem", now: datetime = NOON) -> None:
    """A message to one channel."""
    with write() as session:
        put(session.connection(), Channel.id == channel_id, Message(topic, kind, "A title", "A text."), now)


def told() -> list[tuple[str, str, str]]:
    """(label of the channel, kind, topic) of each message, in the order in which they were put."""
    db.session.rollback()
    rows = db.session.execute(
        select(Channel.label, OutboxMessage.kind, OutboxMessage.topic)
        .join(Channel, Channel.id == OutboxMessage.channel_id)
        .order_by(OutboxMessage.id)
    )
    return [(label, kind, topic) for label, kind, topic in rows]


def messages() -> list[Any]:
    """All messages as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))
