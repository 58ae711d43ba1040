"""Adding, changing, testing and removing channels. Every change is kept, without the URL."""

from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..errors import InvalidInput
from ..models import Channel, OutboxMessage
from ..models.notification import WAITING
from ..settings import service as settings
from ..storage.configuration import mail_server, public_url, send_to
from ..storage.connections import write
from . import destinations, texts
from .encryption import encrypt, renewed
from .outbox import Message, put

WANTS = ("wants_problems", "wants_digest")


def add(kind: str, label: str, url: str, *, problems: bool, digest: bool, author: Author) -> int:
    """Add a channel; returns its id. Raises BadUrl."""
    is_message = kind == "message"
    added = Channel(
        kind=kind,
        label=label,
        display_name=destinations.check(kind, url, send_to(), has_mail=mail_server() is not None),
        encrypted_url=encrypt(url),
        wants_problems=is_message and problems,
        wants_digest=is_message and digest,
        created_at=author.now,
    )
    with write() as session:
        session.add(added)
        session.flush()
        channel_id = added.id
        wanted = [(name, None, getattr(added, name)) for name in WANTS if is_message]
        record(
            session,
            author,
            "address",
            channel_id,
            [("added", None, f"{label}, {added.display_name}"), *wanted],
        )
    return channel_id


def change(channel_id: int, *, problems: bool, digest: bool, author: Author) -> None:
    """Say what a channel for messages wants. Raises InvalidInput."""
    with write() as session:
        channel = _present(session, channel_id)
        if channel.kind != "message":
            raise InvalidInput("A heartbeat gets each run, and nothing else.", status=409)
        wanted = dict(zip(WANTS, (problems, digest), strict=True))
        changes = [(name, getattr(channel, name), value) for name, value in wanted.items()]
        record(session, author, "address", channel_id, [each for each in changes if each[1] != each[2]])
        for name, value in wanted.items():
            setattr(channel, name, value)
        channel.encrypted_url = renewed(channel.encrypted_url)


def set_active(channel_id: int, active: bool, *, author: Author) -> None:
    """Switch a channel on or off; off, what waits for it is given up. Raises InvalidInput."""
    with write() as session:
        channel = _present(session, channel_id)
        if channel.active == active:
            return
        channel.active = active
        channel.encrypted_url = renewed(channel.encrypted_url)
        record(session, author, "address", channel_id, [("active", not active, active)])
        if not active:
            _give_up(session, channel_id, author, "The channel was switched off.")


def remove(channel_id: int, *, author: Author) -> None:
    """Forget a channel; what waits for it is given up. Raises InvalidInput."""
    with write() as session:
        channel = _present(session, channel_id)
        channel.removed_at, channel.encrypted_url = author.now, ""
        record(
            session,
            author,
            "address",
            channel_id,
            [("removed", f"{channel.label}, {channel.display_name}", None)],
        )
        _give_up(session, channel_id, author, "The channel was removed.")


def test(channel_id: int, *, author: Author) -> None:
    """Put a test into the outbox; what becomes of it is seen among the channel's messages."""
    zone = settings.current().settings.schedule.zone
    with write() as session:
        channel = _present(session, channel_id)
        if not channel.active:
            raise InvalidInput("The channel is switched off. Switch it on to test it.", status=409)
        text = texts.test(channel.label, texts.Place(zone, public_url()))
        message = Message(f"test-{uuid4()}", "test", text.title, text.body)
        put(session.connection(), Channel.id == channel_id, message, author.now)
        record(session, author, "address", channel_id, [("tested", None, channel.label)])


def _present(session: Session, channel_id: int) -> Channel:
    channel = session.get(Channel, channel_id, with_for_update=True)
    if channel is None or channel.removed_at is not None or channel.kind == "person":
        raise InvalidInput(f"There is no channel {channel_id}.", status=404)
    return channel


def _give_up(session: Session, channel_id: int, author: Author, why: str) -> None:
    waiting = update(OutboxMessage).where(OutboxMessage.channel_id == channel_id, WAITING)
    session.execute(waiting.values(status="given_up", settled_at=author.now, error=why))
