"""The cast: Ada administers, Oscar operates, Vera views."""

import re
from contextvars import Context
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobauto.audit.service import Author
from jobauto.auth import sessions
from jobauto.auth.passwords import hashed
from jobauto.auth.service import by_name, issue_token
from jobauto.auth.sessions import Client, Limits
from jobauto.auth.tokens import NewToken
from jobauto.clock import utcnow
from jobauto.models import User
from jobauto.storage.connections import write

PASSWORD = "correct horse battery"
CAST = {"ada": "admin", "oscar": "operator", "vera": "viewer"}

_HASH = hashed(PASSWORD)

NOWHERE = "/nowhere"
"""The page that says there is none: of all that carry a CSRF token, it asks the database for least."""


def add_cast() -> None:
    """Make their accounts, all with :data:`PASSWORD`."""
    with write() as session:
        session.add_all(
            User(
                username=name,
                password_hash=_HASH,
                role=role,
                active=True,
                created_at=utcnow(),
            )
            for name, role in CAST.items()
        )


class Answer(TestResponse):
    """An answer; what its JSON is made of is for the test to say."""

    if TYPE_CHECKING:
        json: Any


class Browser(FlaskClient):
    """A client whose requests share nothing with the app context of the test, nor with one another.

    Otherwise ``flask.g`` would outlive a request, and with it who made it.
    """

    def open(self, *args: Any, **kwargs: Any) -> Answer:
        """Send one request."""
        # A streamed answer is read to its end in the context in which it began.
        return cast("Answer", Context().run(super().open, *args, **{"buffered": True, **kwargs}))


def log_in(client: FlaskClient, name: str) -> None:
    """Give a client the cookie of a session, as a login would."""
    limits = Limits(idle=timedelta(hours=2), absolute=timedelta(hours=12))
    with write() as stored:
        user = by_name(name)
        key = sessions.begin(stored, user, Client("127.0.0.1", "tests", utcnow(), limits))
    with client.session_transaction() as session:
        session["_user_id"] = key
        session["_fresh"] = True


class Person:
    """Somebody who uses the program: a cookie for pages, a token for the API, which they may have already."""

    def __init__(self, app: Flask, name: str | None, token: str | None = None) -> None:
        self.client = Browser(app, app.response_class)
        self.token = token
        if name:
            self.token = token or issue_token(name, NewToken("tests"), Author(name, utcnow()))
            log_in(self.client, name)

    def get(self, address: str) -> TestResponse:
        """Open a page."""
        return self.client.get(address)

    def post(self, address: str, **fields: Any) -> TestResponse:
        """Send a form, with the CSRF token that a page of this session carries."""
        return self.client.post(address, data={"csrf_token": self.csrf_token(), **fields})

    def csrf_token(self) -> str:
        """The CSRF token that a page of this session carries."""
        page = self.client.get("/login" if self.token is None else NOWHERE).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, "the page has no form with a CSRF token"
        return found[1]

    def api(self, method: str, address: str, **options: Any) -> Answer:
        """Call the API with a token, and without the session's cookie."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        fresh = Browser(self.client.application, self.client.application.response_class)
        return fresh.open(address, method=method, headers=headers | options.pop("headers", {}), **options)


People = dict[str | None, Person]
"""By their names, and a stranger by none."""
