"""Sending what waits in the outbox.

1. Give up what is no longer worth sending.
2. Claim one message that is due: a lease in its row, by UPDATE ... RETURNING, so that of many processes one
   gets it. The one that expires first comes first.
3. Send it, outside any transaction.
4. Settle it: sent; or due again later, twice as late each time; or given up.

A process that dies between 3 and 4 has sent a message that another one sends again when the lease has run
out: a message comes at least once, and twice only then.
"""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Channel, OutboxMessage
from ..models.notification import WAITING
from ..storage.connections import write
from . import delivery, queries
from .delivery import BadUrl, NotSent
from .encryption import CannotDecrypt, decrypt
from .outbox import ONCE

log = logging.getLogger("job_automation")

LEASE = timedelta(minutes=5)
"""Far longer than the time-outs of one message allow."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
RETENTION = timedelta(days=30)
"""How long it can be looked up what was sent."""


@dataclass(frozen=True)
class Claimed:
    """A message that this process holds, for one attempt."""

    id: int
    attempt: int
    channel_id: int
    channel_kind: str
    encrypted_url: str
    kind: str
    title: str
    body: str
    rid: str | None
    expires_at: datetime


def process_pending(clock: Clock = utcnow) -> int:
    """Send every message that is due; returns how many were sent. Needs an app context."""
    if not db.session.scalar(queries.anything_to_do(clock())):
        db.session.rollback()
        return 0
    sent = 0
    _give_up_expired(clock())
    while (claimed := claim(clock())) is not None:
        sent += _try(claimed, clock)
    _delete_settled(clock() - RETENTION)
    return sent


def claim(now: datetime) -> Claimed | None:
    """Take a lease on the message that is to be sent next, if any is due."""
    next_one = (
        select(OutboxMessage.id)
        .where(queries.is_due(now))
        .order_by(OutboxMessage.expires_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL's writers need not queue for the same one
        .scalar_subquery()
    )
    lease = (
        update(OutboxMessage)
        .where(OutboxMessage.id == next_one, WAITING)
        .values(leased_until=now + LEASE, attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    with write() as session:
        message_id = session.scalar(lease)
        if message_id is None:
            return None
        return Claimed(*session.execute(_of(message_id)).one())


def backoff(attempt: int, share: float) -> timedelta:
    """How long to wait after an attempt that failed: twice as long each time, less up to a half.

    ``share`` (0 to 1) is drawn by lot, so that messages that failed together do not come back together.
    """
    longest = min(FIRST_WAIT * 2.0 ** min(attempt - 1, 20), LONGEST_WAIT)
    return longest * (1 - share / 2)


def _of(message_id: int) -> Any:
    return (
        select(
            OutboxMessage.id,
            OutboxMessage.attempts,
            Channel.id,
            Channel.kind,
            Channel.encrypted_url,
            OutboxMessage.kind,
            OutboxMessage.title,
            OutboxMessage.body,
            OutboxMessage.rid,
            OutboxMessage.expires_at,
        )
        .join(Channel, Channel.id == OutboxMessage.channel_id)
        .where(OutboxMessage.id == message_id)
    )


def _try(claimed: Claimed, clock: Clock) -> bool:
    facts = {"message": claimed.id, "kind": claimed.kind, "channel": claimed.channel_id}
    try:
        _send(claimed)
    except (NotSent, BadUrl, CannotDecrypt) as error:
        due_at = _reschedule(claimed, str(error), clock())
        log.log(
            logging.WARNING if due_at else logging.ERROR,
            LogEvent(
                "message-not-sent" if due_at else "message-given-up",
                **facts,
                attempt=claimed.attempt,
                error=error,
                next_try=due_at and due_at.isoformat(timespec="seconds"),
            ),
        )
        return False
    _settle(claimed, status="sent", settled_at=clock(), error=None)
    log.info(LogEvent("message-sent", **facts, attempt=claimed.attempt))
    return True


def _send(claimed: Claimed) -> None:
    url = decrypt(claimed.encrypted_url)
    if claimed.channel_kind == "heartbeat":
        delivery.ping(url, claimed.kind, claimed.body, claimed.rid)
    else:
        delivery.send(url, claimed.title, claimed.body)


def _reschedule(claimed: Claimed, error: str, now: datetime) -> datetime | None:
    """Let the message wait for its next try, and say when that is; None if there is none."""
    due_at = now + backoff(claimed.attempt, random.random())  # noqa: S311 (it keeps no secret)
    if claimed.kind in ONCE or due_at >= claimed.expires_at:
        _settle(claimed, status="given_up", settled_at=now, error=error)
        return None
    _settle(claimed, due_at=due_at, leased_until=None, error=error)
    return due_at


def _settle(claimed: Claimed, **values: Any) -> None:
    # Unless another process has taken it over, or the channel was removed in the meantime.
    mine = (OutboxMessage.id == claimed.id, OutboxMessage.attempts == claimed.attempt, WAITING)
    with write() as session:
        session.execute(update(OutboxMessage).where(*mine).values(**values))


def _give_up_expired(now: datetime) -> None:
    late = (
        update(OutboxMessage)
        .where(WAITING, OutboxMessage.expires_at <= now, queries.is_unleased(now))
        .values(status="given_up", settled_at=now)
        .returning(OutboxMessage.id, OutboxMessage.kind, OutboxMessage.channel_id, OutboxMessage.error)
        .execution_options(synchronize_session=False)
    )
    with write() as session:
        found = session.execute(late).all()
    for message_id, kind, channel_id, error in found:
        log.error(
            LogEvent(
                "message-given-up", message=message_id, kind=kind, channel=channel_id, error=error or "late"
            )
        )


def _delete_settled(before: datetime) -> None:
    with write() as session:
        session.execute(delete(OutboxMessage).where(OutboxMessage.settled_at < before))
