"""How much anybody may send is decided before any of it is read, and forms stay small wherever they go."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor, as_completed
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from flask import Flask, request

from jobauto.turns import NoTurn, Turns
from jobauto.web import drafts
from jobauto.web.body_limits import FORMS, PAGE, allow_body
from jobauto.web.form_parser import IN_LINE, LARGE_FORMS, OF_STRANGERS, SMALL
from tests.auth.test_slow_bodies import csrf_token
from tests.people import Answer, Browser, Person

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
API = 10_000_000
DOCUMENT = 2_000_000
FILE = 500_000_000
PEOPLE = dict[str | None, Person]


class Body(BytesIO):
    """So many bytes of ``%``, of which it remembers how many were taken."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left, self.taken = size, 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Some more of them."""
        given = self.left if size is None or size < 0 else min(size, self.left)
        self.left -= given
        self.taken += given
        return b"%" * given

    def readinto(self, buffer: Any, /) -> int:
        """Some more of them."""
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def send(person: Person, address: str, kind: str, body: Body, **environ: Any) -> Answer:
    """POST with the cookie of a session and its CSRF token, as a script of a page could."""
    headers = {} if person.token is None else {"X-CSRFToken": csrf_token(person)}
    browser: Browser = person.client
    said = {"CONTENT_LENGTH": str(body.left)} | environ
    return browser.open(
        address, method="POST", headers=headers, input_stream=body, content_type=kind, environ_overrides=said
    )


CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
"""As gunicorn tells of a body whose length is not known before its end."""


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("who", "address", "kind", "limit"),
    [
        pytest.param(None, "/login", FORM, PAGE, id="a stranger's login"),
        pytest.param(None, "/login", MULTIPART, PAGE, id="a stranger's login in parts"),
        pytest.param(None, "/login", "text/csv", PAGE, id="a stranger's login as no form"),
        pytest.param("vera", "/login", FORM, PAGE, id="a login of somebody who is logged in"),
        pytest.param("oscar", "/jobs/1", FORM, PAGE, id="a page's form"),
        pytest.param("oscar", "/jobs/1", MULTIPART, PAGE, id="a page's form in parts"),
        pytest.param("oscar", "/import/", FORM, PAGE, id="a file that is not sent in parts"),
        pytest.param("oscar", "/import/", MULTIPART, FILE, id="a file"),
        pytest.param("oscar", "/profiles/new/try", MULTIPART, FILE, id="a sample of a feed"),
        pytest.param("oscar", "/profiles/new", MULTIPART, FILE, id="a profile, with its sample"),
        pytest.param("oscar", "/api/readings/", FORM, PAGE, id="a form for the API"),
        pytest.param("oscar", "/api/readings/", MULTIPART, PAGE, id="a form in parts for the API"),
        pytest.param("oscar", "/api/readings/", "text/csv", API, id="rows for the API"),
        pytest.param("oscar", "/no/such/page", FORM, PAGE, id="an address that is none"),
    ],
)
def test_a_byte_too_many_is_refused_before_any_is_read(
    people: PEOPLE, who: str | None, address: str, kind: str, limit: int
) -> None:
    body = Body(limit + 1)
    answer = send(people[who], address, kind, body)
    assert (answer.status_code, body.taken) == (404 if "no/such" in address else 413, 0)


@pytest.mark.parametrize(
    ("who", "method", "address", "limit"),
    [
        pytest.param("oscar", "PATCH", "/api/jobs/1/", PAGE, id="what changes of a job"),
        pytest.param("oscar", "POST", "/api/job-automation/run-manual/", PAGE, id="which rules run"),
        pytest.param("ada", "PUT", "/api/job-automation/settings/", PAGE, id="settings"),
        pytest.param("ada", "PUT", "/api/job-automation/policies/x/", DOCUMENT, id="a policy"),
        pytest.param("oscar", "PUT", "/api/profiles/x/", DOCUMENT, id="a profile"),
    ],
)
def test_an_object_for_the_api_is_small_because_each_of_its_names_may_cost_kilobytes(
    people: PEOPLE, who: str, method: str, address: str, limit: int
) -> None:
    body = Body(limit + 1)
    answer = send(people[who], address, "application/json", body, REQUEST_METHOD=method)
    assert (answer.status_code, body.taken) == (413, 0)


@pytest.mark.parametrize(
    ("who", "address", "kind"),
    [
        pytest.param(None, "/import/", MULTIPART, id="a stranger's file"),
        pytest.param(None, "/api/readings/", "text/csv", id="a stranger's rows"),
        pytest.param("vera", "/import/", MULTIPART, id="a viewer's file"),
        pytest.param("vera", "/api/readings/", "text/csv", id="a viewer's rows"),
    ],
)
def test_what_somebody_sends_who_may_not_is_not_read(
    people: PEOPLE, who: str | None, address: str, kind: str
) -> None:
    body = Body(1_000_000)
    assert send(people[who], address, kind, body).status_code in (302, 401, 403)
    assert body.taken == 0


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        pytest.param("/api/readings/", "text/csv", id="readings"),
        pytest.param("/jobs/1", FORM, id="a form"),
        pytest.param("/import/", MULTIPART, id="a file"),
    ],
)
def test_a_body_that_broke_off_is_not_taken_for_a_whole_one(people: PEOPLE, address: str, kind: str) -> None:
    """gunicorn hands out what came, and says that it ends each body: a row may end within its number."""
    said = {"CONTENT_LENGTH": "100", "wsgi.input_terminated": True}
    answer = send(people["oscar"], address, kind, Body(99), **said)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("who", "address", "kind", "limit"),
    [
        pytest.param(None, "/login", FORM, PAGE, id="a login"),
        pytest.param("oscar", "/api/readings/", FORM, PAGE, id="a form for the API"),
        pytest.param("oscar", "/api/readings/", "text/csv", API, id="rows for the API"),
    ],
)
def test_a_body_that_does_not_say_how_long_it_is_is_left_at_the_limit(
    people: PEOPLE, who: str | None, address: str, kind: str, limit: int
) -> None:
    body = Body(2 * limit)
    answer = send(people[who], address, kind, body, **CHUNKED)
    assert answer.status_code == 413
    assert body.taken <= limit + 65_536


def test_a_login_of_ten_million_percent_signs_costs_no_memory(stranger: Person) -> None:
    size = 9_900_000
    send(stranger, "/login", FORM, Body(10))  # what the first request loads is not meant
    tracemalloc.start()
    try:
        answer = send(stranger, "/login", FORM, Body(size))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 2_000_000


def test_beside_a_file_the_fields_of_its_form_stay_small(oscar: Person) -> None:
    field = '--b\r\nContent-Disposition: form-data; name="ignore_columns"\r\n\r\n{}\r\n'
    for fields in ([field.format("x" * 200_000)], [field.format("x")] * 50):
        body = "".join([*fields, "--b--\r\n"]).encode()
        answer = oscar.client.post(
            "/import/", data=body, content_type=MULTIPART, headers={"X-CSRFToken": csrf_token(oscar)}
        )
        assert answer.status_code == 413


def test_a_page_with_long_forms_joins_by_its_address(app: Flask) -> None:
    (prefix, limit), *_ = FORMS.items()
    with app.test_request_context(f"{prefix}x", method="POST", content_type=FORM):
        allow_body()
        assert request.max_content_length == limit


@pytest.mark.any_engine
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data"])
@pytest.mark.parametrize(
    ("line", "kept", "free"),
    [
        pytest.param(LARGE_FORMS, "vera", None, id="of those who are logged in"),
        pytest.param(OF_STRANGERS, None, "vera", id="of strangers"),
    ],
)
def test_of_large_forms_one_is_taken_apart_two_wait_and_the_next_is_told(
    people: PEOPLE, line: Turns, kept: str | None, free: str | None, kind: str
) -> None:
    def wait() -> None:
        with line.turn():
            pass

    def post(who: str | None, size: int) -> Answer:
        token = csrf_token(people[who]) if who else ""
        filled = {"csrf_token": token, "action": "assignments", "x": "x" * size}
        address = "/account" if who else "/login"
        return people[who].client.open(address, method="POST", data=filled, content_type=kind)

    with ThreadPoolExecutor(IN_LINE + 1) as others, line.turn():
        waiting = [others.submit(wait) for _ in range(IN_LINE + 1)]
        told = next(as_completed(waiting))  # by then all others wait
        assert isinstance(told.exception(), NoTurn)
        large, small, of_others = post(kept, SMALL), post(kept, 100), post(free, SMALL)
    assert (large.status_code, large.headers["Retry-After"]) == (429, "10")
    assert small.status_code == post(kept, SMALL).status_code != 429
    assert of_others.status_code != 429


@pytest.mark.any_engine
@pytest.mark.parametrize("kind", [FORM, MULTIPART])
def test_a_form_from_a_browser_that_never_logged_in_is_not_read(people: PEOPLE, kind: str) -> None:
    """Read, it takes many times its size, and anybody can send a hundred a second."""
    body = Body(drafts.LARGEST)
    answer = send(people[None], "/jobs/1", kind, body)
    assert (answer.status_code, answer.location) == (302, "/login")
    assert body.taken == 0


@pytest.mark.any_engine
def test_a_part_without_a_name_is_refused(people: PEOPLE) -> None:
    part = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    answer = people[None].client.open(
        "/login", method="POST", data=part, content_type=f"{MULTIPART}; boundary=b"
    )
    assert answer.status_code == 400
    assert "A part of the form has no name." in answer.text


@pytest.mark.any_engine
@pytest.mark.parametrize(("who", "address"), [(None, "/login"), ("oscar", "/profiles/new")])
def test_a_page_takes_no_json_for_its_form(people: PEOPLE, who: str | None, address: str) -> None:
    """It would wait in no line, and its fields could be other than texts."""
    sender, document = people[who], {"name": 5, "password": []}
    headers = {"X-CSRFToken": sender.csrf_token()}
    answer = sender.client.open(address, method="POST", json=document, headers=headers)
    assert answer.status_code == 415


@pytest.mark.any_engine
def test_an_archive_for_the_api_holds_no_more_than_a_body_may_have(oscar: Person) -> None:
    """All of it is read in the request: 900 MB of empty lines are 900 kB of an archive."""
    columns = {"time": {"columns": ["D"], "formats": ["iso"]}, "value": {"columns": ["V"]}}
    profile = {"file": {"kind": "delimited"}, "header": {"find": ["S"]}, "site": {"column": "S"}, **columns}
    assert oscar.api("PUT", "/api/profiles/feed/", json=profile).status_code == 200
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"S,D,V\n".ljust(API + 1, b"\n"))
    answer = oscar.api("POST", "/api/readings/?profile=feed", data=packed.getvalue())
    assert answer.status_code == 422
    assert answer.json["error"] == "The file in the zip archive is larger than 10,000,000 bytes."
