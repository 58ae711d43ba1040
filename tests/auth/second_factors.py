"""A phone with an authenticator app, and forms of several steps."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pyotp
from flask import Flask
from sqlalchemy import select

from jobauto.auth import own_second_factor, second_factor, service
from jobauto.auth.sessions import Client, Limits
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Event
from tests.people import PASSWORD, Person

LIMITS = Limits(idle=timedelta(hours=2), absolute=timedelta(hours=12))
PERIOD = timedelta(seconds=second_factor.STEP_SECONDS)


def client(**changes: Any) -> Client:
    """Somebody at a browser, now."""
    return replace(Client("192.0.2.1", "tests", utcnow(), LIMITS), **changes)


class Phone:
    """Shows codes."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, at: datetime | None = None) -> str:
        """What it shows at an instant, now by default."""
        return pyotp.TOTP(self.secret).at((at or utcnow()).astimezone(UTC))


def set_up(name: str, now: datetime | None = None) -> tuple[Phone, list[str]]:
    """Somebody sets a second factor up, an hour ago; the phone and the recovery codes."""
    at = now or utcnow() - timedelta(hours=1)
    user = service.by_name(name)
    proposal = second_factor.propose(user, at)
    phone = Phone(proposal.secret)
    return phone, own_second_factor.set_up(user.id, proposal.sealed, phone.code(at), client(now=at))


def proposed_on(page: str) -> tuple[str, Phone]:
    """What the form of a page carries of a proposed secret, and a phone that has it."""
    sealed = re.search(r'name="sealed"[^>]*value="([^"]+)"', page)
    key = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert sealed
    assert key
    return unescape(sealed[1]), Phone(key[1].replace(" ", ""))


def codes_on(page: str) -> list[str]:
    """The recovery codes on a page."""
    return re.findall(r"<li><code>([a-z2-7-]{19})</code></li>", page)


def send(person: Person, address: str, to: str | None = None, **fields: str) -> Any:
    """Send a form of the page at an address."""
    page = person.get(address)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.status_code
    return person.client.post(to or address, data={"csrf_token": found[1], **fields})


def after_the_password(app: Flask, name: str, password: str = PASSWORD) -> Person:
    """A browser that has given the password, and nothing else yet."""
    person = Person(app, None)
    assert person.post("/login", username=name, password=password).location.startswith("/login/")
    return person


def history(name: str) -> list[tuple[str | None, str, str | None]]:
    """Who changed what of a user, and to what."""
    db.session.rollback()
    asked = select(Event.who, Event.field, Event.after).where(
        Event.subject == "user", Event.subject_id == name
    )
    return [tuple(row) for row in db.session.execute(asked.order_by(Event.id))]  # type: ignore[misc]
