"""Putting messages where a restart does not lose them: into the transaction of what they tell of."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, literal, select

from ..logs import LogEvent
from ..models import Channel, OutboxMessage
from ..models.types import Instant
from ..storage.connections import insert

log = logging.getLogger("job_automation")

LIFETIMES = {
    "problem": timedelta(days=1),
    "digest": timedelta(hours=12),
    "assigned": timedelta(days=1),
    "link": timedelta(hours=6),
    "replaced": timedelta(days=1),
    "test": timedelta(minutes=10),
    "start": timedelta(minutes=1),
    "success": timedelta(minutes=10),
    "fail": timedelta(minutes=10),
}
"""For how long a message is worth sending, by kind: a heartbeat that comes late would be a lie."""

ONCE = ("test", "start")
"""Kinds that are tried once: a test is to tell how it is now, and a start is followed by an end."""

PROBLEMS = Channel.wants_problems & (Channel.kind == "message")
DIGESTS = Channel.wants_digest & (Channel.kind == "message")
HEARTBEATS = Channel.kind == "heartbeat"


@dataclass(frozen=True)
class Message:
    """What is to be told: see :class:`OutboxMessage`."""

    topic: str
    kind: str
    title: str
    body: str
    rid: str | None = None


def put(connection: Connection, to: ColumnElement[bool], message: Message, now: datetime) -> int:
    """Put a message into the outbox, for each active channel of a sort; returns for how many.

    A channel that has got the topic, or is about to, does not get it again: the database decides.
    """
    values = {
        "address_id": Channel.id,
        **{name: literal(value, String) for name, value in vars(message).items()},
        **{name: literal(now, Instant) for name in ("created_at", "due_at")},
        "expires_at": literal(now + LIFETIMES[message.kind], Instant),
    }
    recipients: Any = select(*(value.label(name) for name, value in values.items())).where(
        Channel.active, Channel.removed_at.is_(None), to
    )
    statement = insert(connection, OutboxMessage).from_select(list(values), recipients)
    added = connection.execute(
        statement.on_conflict_do_nothing(index_elements=["address_id", "topic"]).returning(OutboxMessage.id)
    ).all()
    if added:
        log.info(LogEvent("message-waits", topic=message.topic, channels=len(added)))
    return len(added)
