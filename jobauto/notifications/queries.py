"""What is asked about channels and messages."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from ..models import Channel, MailAddress, OutboxMessage, User
from ..models.notification import WAITING
from .outbox import ONCE

OF_SETTINGS = Channel.kind != "person"
"""Channels that admins have added for everybody, and whose page everybody sees."""
PATIENCE = timedelta(minutes=10)
"""So long a channel may refuse without being called failing: many mail servers refuse a stranger once."""


def channels() -> Select[Any]:
    """Those of the settings that were not removed, in the order in which they were added."""
    return select(Channel).where(Channel.removed_at.is_(None), OF_SETTINGS).order_by(Channel.id)


def failing(now: datetime) -> Select[Channel, str | None]:
    """Channels through which nothing gets for longer than one refusal; of a person's, the user's name."""
    used = (Channel.active, Channel.removed_at.is_(None), or_(OF_SETTINGS, User.active))
    return (
        select(Channel, User.username)
        .outerjoin(MailAddress, MailAddress.channel_id == Channel.id)
        .outerjoin(User, User.id == MailAddress.user_id)
        .where(*used, Channel.failing_since <= now - PATIENCE)
        .order_by(Channel.failing_since, Channel.id)
    )


def messages_for(channel_id: int) -> Select[Any]:
    """What one channel got, newest first."""
    return (
        select(OutboxMessage).where(OutboxMessage.channel_id == channel_id).order_by(OutboxMessage.id.desc())
    )


def last_settled() -> Select[Any]:
    """For each channel its newest message that was sent or given up."""
    newest = (
        select(func.max(OutboxMessage.id))
        .where(OutboxMessage.status != "waiting")
        .group_by(OutboxMessage.channel_id)
    )
    return select(OutboxMessage).where(OutboxMessage.id.in_(newest))


def anything_to_do(now: datetime) -> Select[bool]:
    """Whether a message is to be sent or given up by somebody; a cheap look, before anything is locked."""
    expired = and_(WAITING, is_unleased(now), OutboxMessage.expires_at <= now)
    return select(exists().where(or_(is_due(now), expired)))


def is_due(now: datetime) -> ColumnElement[bool]:
    """Which messages may be sent by whoever comes first.

    A channel gets one message at a time, lest it hold all lanes of a process. (Two processes may claim two of
    them in the same moment; that does no harm.) An earlier heartbeat of the same channel that still waits
    goes first: a start that came after the success would raise a false alarm.
    """
    other, earlier = aliased(OutboxMessage), aliased(OutboxMessage)
    is_busy = exists().where(
        other.channel_id == OutboxMessage.channel_id,
        other.id != OutboxMessage.id,
        other.status == "waiting",
        other.leased_until >= now,
    )
    overtakes = exists().where(
        earlier.channel_id == OutboxMessage.channel_id,
        earlier.id < OutboxMessage.id,
        earlier.status == "waiting",
        earlier.rid.is_not(None),
    )
    in_turn = or_(OutboxMessage.rid.is_(None), ~overtakes)
    return and_(
        WAITING,
        is_unleased(now),
        OutboxMessage.due_at <= now,
        OutboxMessage.expires_at > now,
        ~is_busy,
        in_turn,
    )


def is_of_failing_channel() -> ScalarSelect[bool]:
    """Whether nothing comes through to a message's channel. Many such take all lanes for long."""
    fails = select(Channel.failing_since.is_not(None))
    return fails.where(Channel.id == OutboxMessage.channel_id).scalar_subquery()


def is_unleased(now: datetime) -> ColumnElement[bool]:
    """Which messages nobody is sending at this moment."""
    return or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until < now)


def waiting() -> Select[int, datetime | None]:
    """How many messages wait, and since when the oldest of them does."""
    return select(func.count(), func.min(OutboxMessage.created_at)).where(WAITING)


def given_up_since(instant: datetime) -> Select[int]:
    """How many messages were given up since then, less those that are tried only once."""
    return select(func.count()).where(
        OutboxMessage.status == "given_up",
        OutboxMessage.settled_at > instant,
        OutboxMessage.kind.not_in(ONCE),
    )
