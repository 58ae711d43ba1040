"""Adding, changing, testing and removing addresses. Every change is kept, without the address itself."""

from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..errors import InvalidInput
from ..models import Address, OutboxMessage
from ..models.notification import WAITING
from ..settings import service as settings
from ..storage.configuration import public_url
from ..storage.connections import write
from . import channels, texts
from .encryption import encrypt
from .outbox import Message, put

WANTS = ("wants_problems", "wants_digest")


def add(kind: str, label: str, url: str, *, problems: bool, digest: bool, author: Author) -> int:
    """Add an address; returns its id. Raises BadAddress."""
    is_message = kind == "message"
    added = Address(
        kind=kind,
        label=label,
        hint=channels.hint(kind, url),
        sealed=encrypt(url),
        wants_problems=is_message and problems,
        wants_digest=is_message and digest,
        created_at=author.now,
    )
    with write() as session:
        session.add(added)
        session.flush()
        address_id = added.id
        wanted = [(name, None, getattr(added, name)) for name in WANTS if is_message]
        record(session, author, "address", address_id, [("added", None, f"{label}, {added.hint}"), *wanted])
    return address_id


def change(address_id: int, *, problems: bool, digest: bool, author: Author) -> None:
    """Say what a message address wants. Raises InvalidInput."""
    with write() as session:
        address = _present(session, address_id)
        if address.kind != "message":
            raise InvalidInput("A heartbeat is told of each run, and of nothing else.", status=409)
        wanted = dict(zip(WANTS, (problems, digest), strict=True))
        changes = [(name, getattr(address, name), value) for name, value in wanted.items()]
        record(session, author, "address", address_id, [each for each in changes if each[1] != each[2]])
        for name, value in wanted.items():
            setattr(address, name, value)


def set_active(address_id: int, active: bool, *, author: Author) -> None:
    """Switch an address on or off; off, what waits for it is given up. Raises InvalidInput."""
    with write() as session:
        address = _present(session, address_id)
        if address.active == active:
            return
        address.active = active
        record(session, author, "address", address_id, [("active", not active, active)])
        if not active:
            _give_up(session, address_id, author, "The address was switched off.")


def remove(address_id: int, *, author: Author) -> None:
    """Forget an address; what waits for it is given up. Raises InvalidInput."""
    with write() as session:
        address = _present(session, address_id)
        address.removed_at, address.sealed = author.now, ""
        record(
            session, author, "address", address_id, [("removed", f"{address.label}, {address.hint}", None)]
        )
        _give_up(session, address_id, author, "The address was removed.")


def test(address_id: int, *, author: Author) -> None:
    """Put a test into the outbox; what becomes of it is seen among the address's messages."""
    zone = settings.current().settings.schedule.zone
    with write() as session:
        address = _present(session, address_id)
        if not address.active:
            raise InvalidInput("The address is switched off. Switch it on to test it.", status=409)
        text = texts.test(address.label, texts.Place(zone, public_url()))
        message = Message(f"test-{uuid4()}", "test", text.title, text.body)
        put(session.connection(), Address.id == address_id, message, author.now)
        record(session, author, "address", address_id, [("tested", None, address.label)])


def _present(session: Session, address_id: int) -> Address:
    address = session.get(Address, address_id, with_for_update=True)
    if address is None or address.removed_at is not None:
        raise InvalidInput(f"There is no address {address_id}.", status=404)
    return address


def _give_up(session: Session, address_id: int, author: Author, why: str) -> None:
    waiting = update(OutboxMessage).where(OutboxMessage.address_id == address_id, WAITING)
    session.execute(waiting.values(status="given_up", settled_at=author.now, error=why))
