"""Logging in and out, and what ends a session."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from jobauto import create_app
from jobauto.audit.service import Author
from jobauto.auth.service import set_password
from jobauto.clock import utcnow
from jobauto.config import SESSION_COOKIE
from jobauto.extensions import db
from tests.people import PASSWORD, Answer, Browser, Person


def log_in(person: Person, username: str = "vera", password: str = PASSWORD, address: str = "/login") -> Any:
    return person.post(address, username=username, password=password)


def is_logged_in(person: Person) -> bool:
    return person.get("/jobs/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("vera", "wrong", id="a wrong password"),
        pytest.param("nobody", PASSWORD, id="an unknown user"),
        pytest.param("vera", PASSWORD + " ", id="a space too many"),
        pytest.param("vera", PASSWORD.upper(), id="capital letters"),
        pytest.param("vera", "x" * 100_000, id="a very long password"),
        pytest.param("x" * 10_000, PASSWORD, id="a very long name"),
        pytest.param("vera' OR '1'='1", PASSWORD, id="SQL"),
    ],
)
def test_a_wrong_login_is_401_and_does_not_tell_which_was_wrong(
    standing: Flask, username: str, password: str
) -> None:
    stranger = Person(standing, None)
    answer = log_in(stranger, username, password)
    assert answer.status_code == 401
    assert "User name or password is wrong." in answer.text
    assert not is_logged_in(stranger)


def test_nul_in_a_name_logs_nobody_in(standing: Flask) -> None:
    stranger = Person(standing, None)
    assert log_in(stranger, "ve\0ra").status_code in (400, 401)
    assert not is_logged_in(stranger)


@pytest.mark.parametrize("username", ["vera", "VERA", " vera "])
def test_a_name_is_taken_in_small_and_capital_letters(standing: Flask, username: str) -> None:
    stranger = Person(standing, None)
    assert log_in(stranger, username.strip()).status_code == 302
    assert is_logged_in(stranger)


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        pytest.param("/jobs/", "/jobs/", id="a page of ours"),
        pytest.param("/jobs/?rule=no_coms&page=2", "/jobs/?rule=no_coms&page=2", id="with a filter"),
        pytest.param("/sites/a%2Fb", "/sites/a%2Fb", id="a site with a slash"),
        pytest.param("", "/", id="none"),
        pytest.param("jobs", "/", id="no path"),
        pytest.param("https://evil.example/", "/", id="another host"),
        pytest.param("//evil.example/", "/", id="another host without a scheme"),
        pytest.param("///evil.example/", "/", id="three slashes"),
        pytest.param("//[evil.example/", "/", id="what no address has for a host"),
        pytest.param("/\\evil.example/", "/", id="a backslash"),
        pytest.param("\\\\evil.example/", "/", id="two backslashes"),
        pytest.param("/\t/evil.example/", "/", id="a tab between slashes"),
        pytest.param("/\n/evil.example", "/", id="a line end between slashes"),
        pytest.param("\t//evil.example", "/", id="a tab before"),
        pytest.param(" //evil.example", "/", id="a space before"),
        pytest.param("javascript:alert(1)", "/", id="a script"),
        pytest.param("data:text/html,x", "/", id="data"),
        pytest.param("/jobs/\r\nSet-Cookie: a=b", "/", id="a header"),
        pytest.param("http:jobs", "/", id="a scheme without a host"),
        pytest.param("/../shop/", "/", id="what stands beside us, where we are below a path"),
        pytest.param("/jobs/%2E%2e/../shop/", "/", id="the same, in signs that browsers read so"),
    ],
)
def test_after_the_login_one_comes_to_a_page_of_ours_only(
    standing: Flask, target: str, leads_to: str
) -> None:
    stranger = Person(standing, None)
    answer = log_in(stranger, address=f"/login?next={quote(target, safe='')}")
    assert (answer.status_code, answer.location) == (302, leads_to)
    again = stranger.get(f"/login?next={quote(target, safe='')}")
    assert (again.status_code, again.location) == (302, leads_to)


@pytest.mark.parametrize("page", ["/jobs/", "/jobs/?rule=no_coms&page=2", "/sites/a%2Fb"])
def test_the_page_that_was_asked_for_is_remembered(standing: Flask, page: str) -> None:
    stranger = Person(standing, None)
    login = stranger.get(page).location
    assert login.startswith("/login?next=")
    assert log_in(stranger, address=login).location.replace("%2F", "/") == page.replace("%2F", "/")


def test_logging_out_ends_the_session(stranger: Person, cast: None) -> None:
    log_in(stranger)
    assert is_logged_in(stranger)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', stranger.get("/").text)
    assert token
    answer = stranger.client.open("/logout", method="POST", data={"csrf_token": token[1]})
    assert (answer.status_code, answer.location) == (302, "/login")
    assert not is_logged_in(stranger)


def test_logging_out_needs_more_than_a_link(vera: Person) -> None:
    assert vera.get("/logout").status_code == 405
    assert is_logged_in(vera)


def test_a_changed_password_ends_every_session_of_that_user_and_no_others(
    app: Flask, ada: Person, vera: Person
) -> None:
    at_home = Person(app, None)
    log_in(at_home)
    set_password("vera", "another good one", Author("ada", utcnow()))
    assert not is_logged_in(vera)
    assert not is_logged_in(at_home)
    assert is_logged_in(ada)
    assert log_in(at_home, password="another good one").status_code == 302
    assert is_logged_in(at_home)


def test_a_cookie_counts_only_with_its_own_signature(app: Flask, vera: Person) -> None:
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = vera.client.get_cookie(name)
    assert cookie
    content, made_at, signature = cookie.value.rsplit(".", 2)
    assert isinstance(app.session_interface, SecureCookieSessionInterface)
    elsewhere = app.session_interface.get_signing_serializer(create_app({"SECRET_KEY": "another"}))
    assert elsewhere
    with vera.client.session_transaction() as session:
        of_another_key = elsewhere.dumps(dict(session))
    for value in (f"{content}.{made_at}.{signature[::-1]}", f"{content}.{made_at}.", content, of_another_key):
        vera.client.set_cookie(name, value)
        assert not is_logged_in(vera)
    vera.client.set_cookie(name, cookie.value)
    assert is_logged_in(vera)


def test_a_session_cookie_that_was_tampered_with_is_nobodys(app: Flask, stranger: Person, cast: None) -> None:
    for value in ("", "nonsense", "eyJfdXNlcl9pZCI6InNlc3Npb24tb2YtYWRhIn0.aaaa.bbbb"):
        stranger.client.set_cookie("jobauto_session", value)
        assert not is_logged_in(stranger)


def test_a_session_cookie_is_signed_with_sha_256_and_one_of_before_is_like_none(
    app: Flask, oscar: Person, stranger: Person
) -> None:
    signed = oscar.client.get_cookie("jobauto_session")
    assert signed is not None
    assert len(signed.value.rpartition(".")[2]) == 43, "32 bytes"
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    ours = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert serializer is not None
    stranger.client.set_cookie("jobauto_session", serializer.dumps(ours.loads(signed.value)))
    assert stranger.get("/jobs/").location == "/login?next=/jobs/"
    assert stranger.get("/login").status_code == 200


def cookie_of(answer: Answer) -> str:
    (cookie,) = answer.headers.getlist("Set-Cookie")
    return cookie


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    app: Flask, database_uri: str, secure: bool
) -> None:
    configured = {"SQLALCHEMY_DATABASE_URI": database_uri, "SECRET_KEY": "tests", "TESTING": True}
    mine = create_app(configured | {"SESSION_COOKIE_SECURE": secure})
    flags = {
        flag.strip() for flag in cookie_of(Browser(mine, mine.response_class).open("/login")).split(";")[1:]
    }
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert ("Secure" in flags) == secure
    with mine.app_context():
        db.engine.dispose()


@pytest.mark.any_engine
@pytest.mark.parametrize("address", ["/jobs/1", "/login"])
@pytest.mark.parametrize(
    ("site", "is_given"), [("cross-site", False), ("same-site", False), ("same-origin", True)]
)
def test_no_other_site_puts_a_cookie_in_the_place_of_the_sessions(
    standing: Flask, address: str, site: str, is_given: bool
) -> None:
    """Its form comes without cookies, perhaps with a CSRF token of its own, and would log people out."""
    fields = {"csrf_token": Person(standing, None).csrf_token()}
    browser = Browser(standing, standing.response_class)
    browser.post(address, data=fields, headers={"Sec-Fetch-Site": site})
    assert (browser.get_cookie(SESSION_COOKIE) is not None) == is_given


def test_the_session_is_another_one_after_the_login(stranger: Person, cast: None) -> None:
    stranger.get("/login")
    with stranger.client.session_transaction() as session:
        session["planted"] = "before the login"
    log_in(stranger)
    with stranger.client.session_transaction() as session:
        assert "planted" not in session
