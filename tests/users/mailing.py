"""Mail addresses of people, and what waits to be sent to them."""

import re
from datetime import datetime

from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Channel, OutboxMessage
from jobauto.users import mail_addresses
from tests.fleets import NOON

PUBLIC_URL = "https://jobs.example"


def set_up_mail(app: Flask, port: int = 25) -> None:
    """Configure a mail server."""
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{port}?from=jobauto@example.org&tls=none"
    app.config["PUBLIC_URL"] = PUBLIC_URL


def give(name: str, address: str, *, by: str | None = None, now: datetime = NOON) -> None:
    """Somebody gives their address, or another one gives it for them."""
    mail_addresses.set_address(name, address, author=Author(by or name, now))


def verified(name: str, address: str, when: str = "at_once", now: datetime = NOON) -> None:
    """Somebody has an address that is verified, and has chosen."""
    give(name, address, now=now)
    mail_addresses.verify(name, newest_link(), author=Author(name, now))
    mail_addresses.choose(name, when, author=Author(name, now))


def waiting() -> list[tuple[str, str]]:
    """(address, kind) of what waits to be sent, the oldest first."""
    db.session.rollback()
    found = (
        select(Channel.display_name, OutboxMessage.kind)
        .join(Channel, Channel.id == OutboxMessage.channel_id)
        .where(OutboxMessage.status == "waiting")
        .order_by(OutboxMessage.id)
    )
    return [(address, kind) for address, kind in db.session.execute(found)]


def newest_link() -> str:
    """What stands at the end of the link that was sent last."""
    db.session.rollback()
    sent = select(OutboxMessage.body).where(OutboxMessage.kind == "link").order_by(OutboxMessage.id.desc())
    found = re.search(rf"{PUBLIC_URL}/account/mail/(\S+)", db.session.scalars(sent.limit(1)).one())
    assert found, "the message has no link"
    return found[1]
