"""While a body comes in, slowly perhaps, no transaction is open: PostgreSQL ends one that stands still.

And meanwhile whoever sends it may have lost what let them in.
"""

import re
from contextlib import ExitStack
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Executable, delete, update
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from jobauto.auth import service
from jobauto.extensions import db
from jobauto.models import ApiToken, User, UserSession
from jobauto.turns import NoTurn
from jobauto.web.api.importing import AT_ONCE, LARGE_BODIES
from jobauto.web.body_limits import PAGE
from tests.fleets import NOON
from tests.people import Person

CSV = b"site_id,reading_date,reading_value\nS1,2026-03-01T00:00:00Z,1\n"


class Body(BytesIO):
    """A body that notes, with each part that is read of it, whether a transaction was open."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.waited: list[bool] = []

    def read(self, size: int | None = -1, /) -> bytes:
        """A part of it."""
        self.waited.append(db.session().in_transaction())
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        """A part of it."""
        self.waited.append(db.session().in_transaction())
        return super().readinto(buffer)


@pytest.mark.parametrize(
    ("method", "address", "content_type", "content"),
    [
        pytest.param("POST", "/api/readings/", "text/csv", CSV, id="readings as CSV"),
        pytest.param("POST", "/api/readings/", "application/json", b"[]", id="readings as JSON"),
        pytest.param("POST", "/api/sites/", "application/json", b"[]", id="sites"),
        pytest.param("PATCH", "/api/jobs/1", "application/json", b'{"note": "x"}', id="a job"),
        pytest.param("PUT", "/api/job-automation/settings/", "application/json", b"{}", id="settings"),
    ],
)
@pytest.mark.parametrize("way", ["token", "cookie"])
def test_the_api_waits_for_a_body_without_a_transaction(
    ada: Person, method: str, address: str, content_type: str, content: bytes, way: str
) -> None:
    body = Body(content)
    sent: dict[str, Any] = {
        "input_stream": body,
        "content_type": content_type,
        "content_length": len(content),
    }
    if way == "token":
        answer = ada.api(method, address, **sent)
    else:
        answer = ada.client.open(address, method=method, headers={"X-CSRFToken": csrf_token(ada)}, **sent)
    assert answer.status_code in (200, 404), answer.text
    assert body.waited
    assert not any(body.waited)


class OfNoTurn(BytesIO):
    """A body that notes, with each part that is read of it, whether whoever reads it has a turn meanwhile."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.in_turn: list[bool] = []

    def readinto(self, buffer: Any, /) -> int:
        """A part of it."""
        try:
            with LARGE_BODIES.turn(0):
                self.in_turn.append(False)
        except NoTurn:
            self.in_turn.append(True)
        return super().readinto(buffer)


@pytest.mark.any_engine
@pytest.mark.parametrize("address", ["/api/readings/", "/api/readings/?profile=none", "/api/sites/"])
def test_a_large_body_of_the_api_that_comes_slowly_keeps_nobody_from_their_turn(
    oscar: Person, address: str
) -> None:
    profile = {
        "file": {"kind": "delimited"},
        "header": {"find": ["Site"]},
        "site": {"column": "Site"},
        "time": {"columns": ["Date"], "formats": ["iso"]},
        "value": {"columns": ["kWh"]},
    }
    assert oscar.api("PUT", "/api/profiles/none/", json=profile).status_code == 200
    body = OfNoTurn(CSV + b"," * PAGE)
    size = len(body.getvalue())
    with ExitStack() as stack:
        for _ in range(AT_ONCE - 1):
            stack.enter_context(LARGE_BODIES.turn())
        answer = oscar.api("POST", address, input_stream=body, content_type="text/csv", content_length=size)
    assert answer.status_code in (200, 422), answer.text
    assert body.in_turn
    assert not any(body.in_turn)


def test_a_page_waits_for_a_file_without_a_transaction(oscar: Person) -> None:
    file = FileStorage(BytesIO(b"no header of ours"), "r.csv", "file")
    fields = {"csrf_token": csrf_token(oscar), "kind": "readings", "file": file}
    boundary, content = encode_multipart(fields)
    body = Body(content)
    answer = oscar.client.post(
        "/import/",
        input_stream=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        content_length=len(content),
    )
    assert answer.status_code == 422
    assert "The first line must name the columns." in answer.text
    assert body.waited
    assert not any(body.waited)


class Meanwhile(BytesIO):
    """A body that comes so slowly that an admin does something at another connection."""

    def __init__(self, content: bytes, done: Executable) -> None:
        super().__init__(content)
        self._left = [done]

    def readinto(self, buffer: Any, /) -> int:
        """A part of it."""
        while self._left:
            with db.engine.begin() as admin:
                admin.execute(self._left.pop())
        return super().readinto(buffer)


DEMOTED = update(User).where(User.username == "ada").values(role="operator")


@pytest.mark.parametrize(
    ("done", "leads_to"),
    [
        pytest.param(delete(UserSession), "/login?next=/users/vera?typed%3D1", id="their session is ended"),
        pytest.param(DEMOTED, None, id="their role is taken"),
    ],
)
def test_a_form_that_comes_slowly_is_not_done_for_whom_it_ends_for_meanwhile(
    ada: Person, vera: Person, done: Executable, leads_to: str | None
) -> None:
    content = urlencode({"csrf_token": csrf_token(ada), "action": "role", "role": "admin"}).encode()
    answer = ada.client.post(
        "/users/vera",
        input_stream=Meanwhile(content, done),
        content_type="application/x-www-form-urlencoded",
        content_length=len(content),
    )
    assert (answer.status_code, answer.location) == (302 if leads_to else 403, leads_to)
    assert service.by_name("vera").role == "viewer"


@pytest.mark.parametrize(
    ("done", "status"),
    [
        pytest.param(update(ApiToken).values(revoked_at=NOON), 401, id="their token is revoked"),
        pytest.param(DEMOTED, 403, id="their role is taken"),
    ],
)
def test_nor_is_what_the_api_is_sent_so(ada: Person, done: Executable, status: int) -> None:
    sent = {"content_type": "application/json", "input_stream": Meanwhile(b"{}", done)}
    answer = ada.api("PUT", "/api/job-automation/settings/", content_length=2, **sent)
    assert answer.status_code == status


def csrf_token(person: Person) -> str:
    """The token that a page of this session carries."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', person.get("/").text)
    assert found
    return found[1]
