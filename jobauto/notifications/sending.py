"""Sending what waits in the outbox.

1. Put what people are to be told of jobs (:mod:`.assignments`). Give up what is no longer worth sending.
2. Claim one message that is due: a lease in its row, by UPDATE ... RETURNING, so that of many processes one
   gets it. Channels that work come before those that fail, then the one that expires first. A channel that is
   being sent to is passed over, so that one that answers slowly takes one lane and not all.
3. Hand it to a lane, which sends it outside any transaction, and go on claiming while a lane is free.
4. Settle each when its lane is done: sent; or due again later, twice as late each time, and not before the
   service's ``Retry-After``; or given up.

This thread alone talks to the database; a lane only waits for the process that sends. A process that dies
between 3 and 4 has sent a message that another one sends again when the lease has run out: a message comes at
least once, and twice only then.
"""

import logging
import random
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Channel, OutboxMessage
from ..models.notification import ERROR_LENGTH, WAITING
from ..models.types import Instant
from ..storage.configuration import mail_server, send_to
from ..storage.connections import write
from . import assignments, delivery, queries
from .courier import Errand
from .delivery import NotSent
from .destinations import NO_MAIL
from .encryption import CannotDecrypt, decrypt
from .outbox import ONCE
from .services import MAIL, BadUrl, target_of

log = logging.getLogger("job_automation")

LANES = 4
"""So many messages are sent at once, each by a process of some 50 MB."""
LOOK_AGAIN_SECONDS = 1.0
"""How often it is looked for new messages while others are being sent."""
LEASE = timedelta(minutes=5)
"""Far longer than one message may take."""
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
    display_name: str
    encrypted_url: str
    exempt: bool
    kind: str
    title: str
    body: str
    rid: str | None
    expires_at: datetime


def process_pending(clock: Clock = utcnow) -> int:
    """Send every message that is due; returns how many were sent. Needs an app context."""
    assignments.tell(clock)
    if not _is_anything_to_do(clock()):
        return 0
    _give_up_expired(clock())
    with ThreadPoolExecutor(LANES, thread_name_prefix="lane") as lanes:
        sent = _send(lanes, clock)
    _delete_settled(clock() - RETENTION)
    return sent


def _send(lanes: ThreadPoolExecutor, clock: Clock) -> int:
    """Hand over what is due as long as a lane is free, and settle each message when its lane is done.

    If the database fails, no more is claimed; but what is on its way is settled, or it would be sent twice.
    """
    sending: dict[Future[None], Claimed] = {}
    sent = 0
    failure: SQLAlchemyError | None = None
    while True:
        try:
            while not failure and len(sending) < LANES and (claimed := _claim_if_due(clock())):
                sending[_hand_over(lanes, claimed)] = claimed
        except SQLAlchemyError as error:
            failure = error
        if not sending:
            break
        done, _ = wait(sending, LOOK_AGAIN_SECONDS, FIRST_COMPLETED)
        for result in done:
            try:
                sent += _settle(sending.pop(result), result, clock)
            except SQLAlchemyError as error:
                failure = error
    if failure:
        raise failure
    return sent


def _hand_over(lanes: ThreadPoolExecutor, claimed: Claimed) -> "Future[None]":
    try:
        return lanes.submit(delivery.deliver, _errand(claimed))
    except (BadUrl, CannotDecrypt) as error:
        failed: Future[None] = Future()
        failed.set_exception(error)
        return failed


def _errand(claimed: Claimed) -> Errand:
    if claimed.channel_kind == "person":
        return _mail(claimed.display_name, claimed)
    url = decrypt(claimed.encrypted_url)
    allowed = None if claimed.exempt else send_to()
    if claimed.channel_kind == "heartbeat":
        return delivery.heartbeat(url, claimed.kind, claimed.body, claimed.rid, allowed)
    target_of("message", url, only_allowed=not claimed.exempt)
    if url.startswith(MAIL):
        return _mail(url.removeprefix(MAIL), claimed)
    return delivery.message(url, claimed.title, claimed.body, allowed)


def _mail(address: str, claimed: Claimed) -> Errand:
    server = mail_server()
    if server is None:
        raise BadUrl(NO_MAIL)
    return delivery.mail(server, address, claimed.title, claimed.body)


def _is_anything_to_do(now: datetime) -> bool:
    found = db.session.scalar(queries.anything_to_do(now))
    db.session.rollback()
    return bool(found)


def _claim_if_due(now: datetime) -> Claimed | None:
    # A cheap look first: a claim takes SQLite's write lock.
    return claim(now) if _is_anything_to_do(now) else None


def claim(now: datetime) -> Claimed | None:
    """Take a lease on the message that is to be sent next, if any is due.

    One of jobs that were assigned gets its text now, so that it names no job that is not its reader's any
    more. One that would name none is dropped.
    """
    next_one = (
        select(OutboxMessage.id)
        .where(queries.is_due(now))
        .order_by(queries.is_of_failing_channel(), OutboxMessage.expires_at, OutboxMessage.id)
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
        claimed = Claimed(**session.execute(_claimed(message_id)).one()._mapping)
        if claimed.kind != assignments.KIND:
            return claimed
        if (written := _write_assigned(session, claimed)) is not None:
            return written
    return claim(now)


def _write_assigned(session: Session, claimed: Claimed) -> Claimed | None:
    text = assignments.text_of(session, claimed.id)
    if text is None:
        session.execute(delete(OutboxMessage).where(OutboxMessage.id == claimed.id))
        return None
    said = update(OutboxMessage).where(OutboxMessage.id == claimed.id)
    session.execute(said.values(title=text.title, body=text.body))
    return replace(claimed, title=text.title, body=text.body)


def backoff(attempt: int, share: float) -> timedelta:
    """How long to wait after an attempt that failed: twice as long each time, less up to a half.

    ``share`` (0 to 1) is drawn by lot, so that messages that failed together do not come back together.
    """
    longest = min(FIRST_WAIT * 2.0 ** min(attempt - 1, 20), LONGEST_WAIT)
    return longest * (1 - share / 2)


def _claimed(message_id: int) -> Any:
    return (
        select(
            OutboxMessage.id.label("id"),
            OutboxMessage.attempts.label("attempt"),
            Channel.id.label("channel_id"),
            Channel.kind.label("channel_kind"),
            Channel.display_name.label("display_name"),
            Channel.encrypted_url.label("encrypted_url"),
            Channel.exempt.label("exempt"),
            OutboxMessage.kind.label("kind"),
            OutboxMessage.title.label("title"),
            OutboxMessage.body.label("body"),
            OutboxMessage.rid.label("rid"),
            OutboxMessage.expires_at.label("expires_at"),
        )
        .join(Channel, Channel.id == OutboxMessage.channel_id)
        .where(OutboxMessage.id == message_id)
    )


def _settle(claimed: Claimed, result: "Future[None]", clock: Clock) -> bool:
    facts = {"message": claimed.id, "kind": claimed.kind, "channel": claimed.channel_id}
    try:
        result.result()
    except (NotSent, BadUrl, CannotDecrypt) as error:
        due_at = _reschedule(claimed, error, clock())
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
    mark_sent(claimed, clock())
    log.info(LogEvent("message-sent", **facts, attempt=claimed.attempt))
    return True


def mark_sent(claimed: Claimed, now: datetime) -> None:
    """Settle a message that was accepted: its channel works."""
    works = update(Channel).where(Channel.id == claimed.channel_id, Channel.failing_since.is_not(None))
    with write() as session:
        session.execute(works.values(failing_since=None, failure=None))
        session.execute(_mine(claimed).values(status="sent", settled_at=now, error=None))


def _reschedule(claimed: Claimed, error: Exception, now: datetime) -> datetime | None:
    """Let the message wait for its next try, and say when that is; None if there is none."""
    due_at = now + backoff(claimed.attempt, random.random())  # noqa: S311 (it keeps no secret)
    asked = delivery.not_before(error.retry_after, now) if isinstance(error, NotSent) else None
    if asked is not None:
        asked = min(asked, now + LONGEST_WAIT)
        due_at = max(due_at, asked)
    is_over = claimed.kind in ONCE or due_at >= claimed.expires_at
    fails = update(Channel).where(Channel.id == claimed.channel_id)
    since = func.coalesce(Channel.failing_since, literal(now, Instant))
    with write() as session:
        # The channel first, as who changes it does.
        session.execute(fails.values(failing_since=since, failure=str(error)[:ERROR_LENGTH]))
        if is_over:
            session.execute(_mine(claimed).values(status="given_up", settled_at=now, error=str(error)))
        else:
            session.execute(_mine(claimed).values(due_at=due_at, leased_until=None, error=str(error)))
        if asked is not None:
            session.execute(_others_of_channel(claimed, asked))
    return None if is_over else due_at


def _mine(claimed: Claimed) -> Any:
    # Unless another process has taken it over, or the channel was removed in the meantime.
    return update(OutboxMessage).where(
        OutboxMessage.id == claimed.id, OutboxMessage.attempts == claimed.attempt, WAITING
    )


def _others_of_channel(claimed: Claimed, asked: datetime) -> Any:
    # A service that asks to be left alone means all that is sent to it.
    others = (OutboxMessage.channel_id == claimed.channel_id, OutboxMessage.id != claimed.id, WAITING)
    return update(OutboxMessage).where(*others, OutboxMessage.due_at < asked).values(due_at=asked)


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
