"""Which passwords are refused, and how they are kept."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from threading import Barrier, BrokenBarrierError

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from jobauto.audit.service import Author
from jobauto.auth import passwords, service
from jobauto.auth.devices import new_device
from jobauto.auth.sessions import Client
from jobauto.clock import utcnow
from jobauto.models import User
from jobauto.storage.connections import write
from tests.auth.second_factors import send
from tests.auth.test_throttling import LIMITS
from tests.fleets import NOON
from tests.pages.reading import error_beside, words
from tests.people import PASSWORD, Person

COMMON = "This is one of the passwords that many people use. Choose another one."


@pytest.mark.parametrize(
    ("password", "why"),
    [
        pytest.param("1234567", "A password has at least 8 characters.", id="too short"),
        pytest.param("", "A password has at least 8 characters.", id="none"),
        pytest.param("x" * 201, "A password has at most 200 characters.", id="too long"),
        pytest.param("password", COMMON, id="the first of the list"),
        pytest.param("PassWord123", COMMON, id="in capital letters"),
        pytest.param("qwertyuiop", COMMON, id="keys in a row"),
        pytest.param("ada.lovelace", "A password must not be the user name", id="the user name"),
        pytest.param("Ada Lovelace", "A password must not be the user name", id="the user name, spelled"),
        pytest.param("Job-Automation", "A password must not be the user name", id="the program's name"),
        pytest.param("correct horse battery", None, id="words"),
        pytest.param("Secret-123!", None, id="signs"),
        pytest.param("s3cret-pass", None, id="just long enough"),
        pytest.param("x" * 200, None, id="the longest"),
        pytest.param("пароль с пробелами 🔑", None, id="any characters"),
        pytest.param(" leading and trailing ", None, id="spaces"),
    ],
)
def test_a_password_is_refused_with_a_reason(password: str, why: str | None) -> None:
    found = passwords.reason_against(password, "ada.lovelace")
    assert found is None if why is None else (found or "").startswith(why)


def test_the_list_has_more_than_three_thousand_that_would_be_long_enough() -> None:
    assert len([word for word in passwords.COMMON if len(word) >= passwords.SHORTEST]) >= 3000


def test_page_and_command_refuse_with_the_same_sentence(app: Flask, ada: Person) -> None:
    page = ada.post("/users/", username="nina", role="viewer", password="sunshine", once_more="sunshine")
    assert page.status_code == 422
    assert error_beside(page, "password") == COMMON
    assert passwords.RULE in words(page)
    command = ["create-user", "nina", "--role", "viewer", "--password-stdin"]
    done = app.test_cli_runner().invoke(args=command, input="sunshine")
    assert (done.exit_code, done.stderr.strip().splitlines()[-1]) == (2, f"Error: {COMMON}")


def test_ones_own_new_password_is_checked_too(ada: Person) -> None:
    page = ada.post(
        "/account", action="password", current=PASSWORD, password="12345678", once_more="12345678"
    )
    assert page.status_code == 422
    assert error_beside(page, "password") == COMMON


def test_the_parameters_are_at_least_those_that_owasp_advises() -> None:
    kind, n, r, p = passwords.METHOD.split(":")
    least = {2**17: 1, 2**16: 2, 2**15: 3, 2**14: 5, 2**13: 10}
    assert (kind, int(r)) == ("scrypt", 8)
    assert int(p) >= least[int(n)]


def test_a_hash_with_older_parameters_is_renewed_at_the_login(app: Flask) -> None:
    with write() as session:
        old = generate_password_hash(PASSWORD, "scrypt:32768:8:1")
        session.add(User(username="nina", password_hash=old, role="viewer", active=True, created_at=NOON))
    for _ in range(2):
        service.log_in("nina", PASSWORD, Client("", "", NOON, LIMITS))
        assert service.by_name("nina").password_hash.startswith(f"{passwords.METHOD}$")


@pytest.mark.parametrize("typed", [PASSWORD.upper(), f"{PASSWORD} ", PASSWORD[:-1], ""])
def test_a_password_is_compared_as_it_was_typed(typed: str) -> None:
    kept = passwords.hashed(PASSWORD)
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.matches(kept, typed)


def test_what_comes_after_the_longest_password_is_not_cut_off() -> None:
    kept = passwords.hashed("x" * 200)
    assert passwords.matches(kept, "x" * 200)
    assert not passwords.matches(kept, "x" * 201)


def test_password_fields_are_masked_and_known_to_password_managers(
    app: Flask, ada: Person, stranger: Person
) -> None:
    pages = [stranger.get("/login"), ada.get("/account"), ada.get("/users/"), ada.get("/users/vera")]
    fields = [field for page in pages for field in re.findall(r"<input[^>]*password[^>]*>", page.text)]
    typed = [field for field in fields if 'type="hidden"' not in field]
    assert len(typed) >= 8
    for field in typed:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field)


def test_nobody_has_no_password() -> None:
    assert not passwords.matches(None, "")
    assert not passwords.matches(None, PASSWORD)


def test_few_are_looked_at_at_once_because_each_takes_32_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    one_too_many = passwords.AT_ONCE + 1
    together = Barrier(one_too_many)
    met = []

    def look(*_: object, **__: object) -> bytes:
        with suppress(BrokenBarrierError):
            met.append(together.wait(timeout=0.5))
        return bytes(64)

    monkeypatch.setattr(hashlib, "scrypt", look)
    with ThreadPoolExecutor(one_too_many) as people:
        list(people.map(passwords.matches, [None] * one_too_many, [PASSWORD] * one_too_many))
    assert met == []


def test_where_many_strangers_wait_the_next_is_told_and_a_browser_that_is_known_is_let_in(
    app: Flask, cast: None, stranger: Person
) -> None:
    def wait() -> None:
        with passwords.in_line():
            pass

    with ThreadPoolExecutor(passwords.IN_LINE + 1) as strangers, passwords.in_line():
        waiting = [strangers.submit(wait) for _ in range(passwords.IN_LINE + 1)]
        told = next(as_completed(waiting))  # by then all others wait
        assert isinstance(told.exception(), passwords.Busy)
        refused = stranger.post("/login", username="vera", password=PASSWORD)
        known = new_device().with_user(service.by_name("vera"))
        service.log_in("vera", PASSWORD, Client("192.0.2.1", "", NOON, LIMITS, known))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "Many people are logging in." in refused.text
    assert stranger.post("/login", username="vera", password=PASSWORD).status_code == 302


def test_a_user_who_is_known_has_two_places_in_line_and_keeps_nobody_else_waiting(
    app: Flask, cast: None
) -> None:
    vera, oscar = (service.by_name(name) for name in ("vera", "oscar"))
    known = new_device().with_user(vera).with_user(oscar)
    browser = Client("192.0.2.1", "", NOON, LIMITS, known)
    with ExitStack() as line:
        for _ in range(passwords.OF_A_USER):
            line.enter_context(passwords.in_line(vera.id))
        with pytest.raises(passwords.Busy):
            service.log_in("vera", PASSWORD, browser)
        service.log_in("oscar", PASSWORD, browser)
    service.log_in("vera", PASSWORD, browser)


def test_a_login_that_waits_for_a_new_password_has_no_more_places_in_line(
    app: Flask, cast: None, stranger: Person
) -> None:
    set_by_another = "set by an administrator"
    author = Author("ada", utcnow())
    service.set_password("vera", set_by_another, author, must_change=True)
    assert stranger.post("/login", username="vera", password=set_by_another).location == "/login/new-password"
    page, wanted = "/login/new-password", {"password": "one of my own", "once_more": "one of my own"}
    with ExitStack() as line:
        for _ in range(passwords.OF_A_USER):
            line.enter_context(passwords.in_line(service.by_name("vera").id))
        assert send(stranger, page, **wanted).status_code == 503
    assert send(stranger, page, **wanted).location == "/"
