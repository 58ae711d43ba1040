"""The mail addresses of people: given by them or an admin, verified by their owner alone, by a link.

1. Another address takes the place of the former one at once. That one is told, if it was verified, and gets
   nothing more.
2. A link is sent to the new one. It is signed, ends, and counts for its user, logged in, once: the database
   decides. Until then nothing else is sent there.
3. Few links are sent an hour and a day: the program writes to no stranger often.
"""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..auth import service as auth
from ..config import MAIL_ADDRESS
from ..errors import InvalidInput
from ..extensions import db
from ..models import Channel, MailAddress, OutboxMessage, User
from ..models.notification import WAITING, WHEN
from ..notifications import assignments, texts
from ..notifications.destinations import NO_MAIL
from ..notifications.outbox import Message, put
from ..storage.configuration import mail_server, public_url
from ..storage.connections import write
from . import mail_links

LINK_HOURS = 24
LINKS = (("an hour", timedelta(hours=1), 3), ("a day", timedelta(days=1), 10))
"""So many links at most are sent for one user in these spans."""
FIRST_CHOICE = "at_once"
"""How soon somebody is told who has not chosen yet: who verifies an address wants to be told."""
NOT_AN_ADDRESS = "Enter one mail address, such as name@example.org."
BAD_LINK = "This link is not valid, or not any more. Ask for another one on the page of your account."


class LinkRefused(ValueError):
    """A link that does not verify anything, in a sentence."""


def address_of(user: User) -> MailAddress | None:
    """Somebody's address of now, verified or not."""
    return db.session.scalar(_of_now(user.id))


def addresses() -> Select[int, str]:
    """(user, address) of everybody who has one."""
    return (
        select(MailAddress.user_id, Channel.display_name)
        .join(Channel, Channel.id == MailAddress.channel_id)
        .where(MailAddress.replaced_at.is_(None))
    )


def set_address(username: str, address: str, *, author: Author) -> bool:
    """Give a user another address, or none (empty); whether that changed anything. Raises InvalidInput."""
    if address and not MAIL_ADDRESS.fullmatch(address):
        raise InvalidInput("The address was not changed.", {"mail": [NOT_AN_ADDRESS]})
    with write() as session:
        user = _locked(session, username)
        former = session.scalar(_of_now(user.id))
        before = former.channel.display_name if former is not None else ""
        if address == before:
            return False
        if former is not None:
            _replace(session, user, former, author)
        if address:
            choice = former.assignments if former is not None else FIRST_CHOICE
            _add(session, user, address, choice, author.now)
        record(session, author, "user", user.username, [("mail", before or None, address or None)])
        return True


def send_link(username: str, *, author: Author) -> None:
    """Send the link to an address that is not verified once more. Raises InvalidInput."""
    with write() as session:
        user = _locked(session, username)
        mine = session.scalar(_of_now(user.id))
        if mine is None or mine.verified_at is not None:
            raise InvalidInput("There is no address that waits to be confirmed.", status=409)
        _put_link(session, user, mine, author.now)


def address_meant(user: User, token: str, now: datetime) -> MailAddress:
    """The address that a link would verify. Raises LinkRefused."""
    mine = db.session.scalar(_of_now(user.id))
    if mine is None or not mail_links.is_for(token, mine.channel, now):
        raise LinkRefused(BAD_LINK)
    if mine.verified_at is not None:
        raise LinkRefused("Your address is confirmed already.")
    return mine


def verify(username: str, token: str, *, author: Author) -> str:
    """Let a link count for its user; the address. Raises LinkRefused."""
    with write() as session:
        user = _locked(session, username)
        mine = address_meant(user, token, author.now)
        mine.verified_at = author.now
        record(session, author, "user", user.username, [("mail_verified", False, True)])
        return mine.channel.display_name


def choose(username: str, when: str, *, author: Author) -> bool:
    """Say how soon a user is told of jobs; whether that changed anything. Raises InvalidInput."""
    if when not in WHEN:
        raise InvalidInput("Nothing was changed.", {"assignments": [f"Must be one of {', '.join(WHEN)}."]})
    with write() as session:
        user = _locked(session, username)
        mine = session.scalar(_of_now(user.id))
        if mine is None or mine.verified_at is None:
            raise InvalidInput("There is no confirmed address to send anything to.", status=409)
        if mine.assignments == when:
            return False
        record(session, author, "user", user.username, [("assignments", mine.assignments, when)])
        mine.assignments = when
        if when == "never":
            assignments.forget(session, user.id)
        return True


def silence(session: Session, user: User, now: datetime) -> None:
    """Send nothing more to somebody who is deactivated, in the transaction of the caller."""
    assignments.forget(session, user.id)
    mine = select(MailAddress.channel_id).where(MailAddress.user_id == user.id)
    _give_up(session, OutboxMessage.channel_id.in_(mine), now, "The user was deactivated.")


def _locked(session: Session, username: str) -> User:
    if mail_server() is None:
        raise InvalidInput(NO_MAIL, status=409)
    user = auth.by_name(username)
    session.refresh(user, with_for_update=True)
    if not user.active:
        raise InvalidInput(f"{user.username} is deactivated, and gets no mail.", status=409)
    return user


def _of_now(user_id: int) -> Select[MailAddress]:
    mine = select(MailAddress).where(MailAddress.user_id == user_id, MailAddress.replaced_at.is_(None))
    return mine.execution_options(populate_existing=True)


def _add(session: Session, user: User, address: str, choice: str, now: datetime) -> None:
    channel = Channel(
        kind="person", label=user.username, display_name=address, encrypted_url="", created_at=now
    )
    session.add(channel)
    session.flush()
    mine = MailAddress(channel_id=channel.id, user_id=user.id, assignments=choice, channel=channel)
    session.add(mine)
    session.flush()
    _put_link(session, user, mine, now)


def _replace(session: Session, user: User, former: MailAddress, author: Author) -> None:
    # The channel first, as who settles a message does; messages may be put for it meanwhile.
    session.refresh(former.channel, with_for_update={"key_share": True})
    of_former = OutboxMessage.channel_id == former.channel_id
    _give_up(session, of_former, author.now, "The address was changed.")
    if former.verified_at is not None:
        place = texts.Place(ZoneInfo("UTC"), public_url())
        text = texts.mail_replaced(user.username, author.name or "The program", author.now, place)
        _put(session, former.channel_id, "replaced", text, author.now)
    former.replaced_at = former.channel.removed_at = author.now
    session.flush()  # before another row takes its place


def _give_up(session: Session, which: ColumnElement[bool], now: datetime, why: str) -> None:
    given_up = update(OutboxMessage).where(which, WAITING)
    session.execute(given_up.values(status="given_up", settled_at=now, error=why))


def _put_link(session: Session, user: User, mine: MailAddress, now: datetime) -> None:
    _require_few_links(session, user, now)
    token = mail_links.make(mine.channel, now + timedelta(hours=LINK_HOURS))
    place = texts.Place(ZoneInfo("UTC"), public_url())
    text = texts.mail_link(user.username, f"/account/mail/{token}", LINK_HOURS, place)
    _put(session, mine.channel_id, "link", text, now)


def _put(session: Session, channel_id: int, kind: str, text: texts.MessageText, now: datetime) -> None:
    message = Message(f"{kind}-{uuid4()}", kind, text.title, text.body)
    put(session.connection(), Channel.id == channel_id, message, now)


def _require_few_links(session: Session, user: User, now: datetime) -> None:
    sent = (
        select(func.count())
        .select_from(OutboxMessage)
        .join(MailAddress, MailAddress.channel_id == OutboxMessage.channel_id)
        .where(MailAddress.user_id == user.id, OutboxMessage.kind == "link")
    )
    for words, span, most in LINKS:
        if (session.scalar(sent.where(OutboxMessage.created_at > now - span)) or 0) >= most:
            raise InvalidInput(
                "Nothing was changed.",
                {"mail": [f"{most} links were sent within {words}. Try again later."]},
                status=429,
            )
