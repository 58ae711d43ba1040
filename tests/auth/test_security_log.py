"""Logins, logouts and refusals are log lines with the client's address; secrets and strange names are not."""

import logging
from datetime import timedelta

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.auth import throttling as throttling
from jobauto.auth.service import issue_token, set_password
from jobauto.auth.throttling import Subject
from jobauto.auth.tokens import NewToken
from jobauto.clock import utcnow
from jobauto.logs import LogEvent
from jobauto.web import rate_limit
from tests.auth.second_factors import after_the_password, codes_on, proposed_on, send, set_up
from tests.auth.test_throttling import fail
from tests.fleets import add_one_fault_of_each_rule
from tests.pages.reading import form_of
from tests.people import PASSWORD, Person
from tests.users.mailing import newest_link, set_up_mail

NEW = "another good one"
MAIL = "vera@example.org"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="jobauto.security")
    return caplog


def told(lines: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [
        {name: fact for name, fact in record.msg.facts.items() if name not in ("address", "method", "path")}
        for record in lines.records
        if record.name == "jobauto.security" and isinstance(record.msg, LogEvent)
    ]


def test_logins_are_told_and_only_names_that_exist(
    app: Flask, cast: None, stranger: Person, lines: pytest.LogCaptureFixture
) -> None:
    stranger.post("/login", username="vera", password="wrong wrong")
    stranger.post("/login", username="my secret typed here", password="wrong wrong")
    stranger.post("/login", username="my-secret-as-a-name", password="wrong wrong")
    stranger.post("/login", username="Vera", password=PASSWORD)
    stranger.token = "logged in"
    stranger.post("/logout")
    assert told(lines) == [
        {"event": "login-failed", "user": "vera"},
        {"event": "login-failed"},
        {"event": "login-failed"},
        {"event": "login", "user": "vera"},
        {"event": "logout", "user": "vera"},
    ]
    assert all("address=127.0.0.1" in str(record.msg) for record in lines.records)
    assert "my secret" not in lines.text
    assert "my-secret" not in lines.text
    assert PASSWORD not in lines.text


def test_a_slowed_login_is_told(
    app: Flask, cast: None, stranger: Person, lines: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        throttling.count_failure(Subject.of("vera", "127.0.0.1"), utcnow())
    stranger.post("/login", username="vera", password=PASSWORD)
    (line,) = told(lines)
    assert (line["event"], line["user"]) == ("login-slowed", "vera")


def test_what_is_refused_is_told(app: Flask, vera: Person, lines: pytest.LogCaptureFixture) -> None:
    vera.get("/users/")
    vera.token = issue_token("vera", NewToken("tests", "ingest"), Author("vera", utcnow()))
    vera.api("GET", "/api/jobs/")
    vera.client.post("/account")
    vera.token = "jobauto_not_a_token"
    vera.api("GET", "/api/jobs/")
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    vera.client.get("/login", headers={"Host": "evil.example"})
    assert told(lines)[1].get("scope") == "ingest"
    assert [line["event"] for line in told(lines)] == [
        "forbidden",
        "forbidden",
        "csrf-refused",
        "token-refused",
        "host-refused",
    ]
    assert "jobauto_not_a_token" not in lines.text


def test_too_many_requests_of_the_api_are_told(
    app: Flask, vera: Person, lines: pytest.LogCaptureFixture
) -> None:
    app.config["API_REQUESTS_PER_MINUTE"] = 1
    assert [vera.api("GET", "/api/jobs/").status_code for _ in range(2)] == [200, 429]
    assert [line["event"] for line in told(lines)] == ["api-limited"]


@pytest.mark.any_engine
@pytest.mark.parametrize(("most", "event"), [("PAGES", "pages-limited"), ("EXPORTED", "exports-limited")])
def test_too_many_pages_and_exports_are_told(
    vera: Person, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, most: str, event: str
) -> None:
    add_one_fault_of_each_rule()
    monkeypatch.setattr(rate_limit, most, 1)
    assert [vera.get("/jobs/export.csv").status_code for _ in range(2)] == [200, 429]
    assert [line["event"] for line in told(lines)] == [event]


def test_changes_of_accounts_are_told(ada: Person, vera: Person, lines: pytest.LogCaptureFixture) -> None:
    vera.post("/account", action="password", current="wrong wrong", password=NEW, once_more=NEW)
    vera.post("/account", action="password", current=PASSWORD, password=NEW, once_more=NEW)
    ada.post("/users/vera", action="password", password=PASSWORD, once_more=PASSWORD)
    ada.post("/users/vera", action="role", role="operator")
    ada.post("/users/vera", action="sessions")
    ada.post("/users/vera", action="deactivate")
    assert [line["event"] for line in told(lines)] == [
        "password-check-failed",
        "password-changed",
        "user-password",
        "user-role",
        "user-sessions",
        "user-deactivate",
    ]
    assert NEW not in lines.text


@pytest.mark.any_engine
def test_what_an_admin_makes_and_takes_away_is_told(
    app: Flask, ada: Person, vera: Person, lines: pytest.LogCaptureFixture
) -> None:
    set_up_mail(app)
    set_up("vera")
    ada.post("/users/", username="nina", role="viewer", password=NEW, once_more=NEW)
    ada.post("/users/vera", action="mail", mail=MAIL)
    ada.post("/users/vera", action="reset_second_factor")
    ada.post("/users/vera", action="revoke", token_id=form_of(ada.get("/users/vera"))["token_id"])
    ada.post("/users/vera", action="deactivate")
    ada.post("/users/vera", action="activate")
    assert told(lines) == [
        {"event": "user-created", "user": "nina", "role": "viewer", "by": "ada"},
        {"event": "mail-address-set", "user": "vera", "by": "ada"},
        {"event": "second-factor-reset", "user": "vera", "by": "ada"},
        {"event": "user-revoke", "user": "vera", "by": "ada"},
        {"event": "user-deactivate", "user": "vera", "by": "ada"},
        {"event": "user-activate", "user": "vera", "by": "ada"},
    ]


@pytest.mark.any_engine
def test_what_one_changes_of_ones_own_account_is_told(
    app: Flask, vera: Person, lines: pytest.LogCaptureFixture
) -> None:
    set_up_mail(app)
    vera.post("/account", action="token", name="tests", confirm=PASSWORD)
    vera.post("/account", action="revoke", token_id=form_of(vera.get("/account"))["token_id"])
    vera.post("/account", action="mail", mail=MAIL)
    vera.post(f"/account/mail/{newest_link()}")
    vera.post("/account", action="sessions", confirm=PASSWORD)
    fail("vera", times=8, now=utcnow())
    vera.post("/account", action="token", name="another", confirm=PASSWORD)
    assert [(line["event"], line["user"]) for line in told(lines)] == [
        ("token-created", "vera"),
        ("token-revoked", "vera"),
        ("mail-address-set", "vera"),
        ("mail-address-confirmed", "vera"),
        ("sessions-ended", "vera"),
        ("password-check-slowed", "vera"),
    ]


@pytest.mark.any_engine
@pytest.mark.parametrize("address", ["/login/second-factor", "/account/second-factor"])
def test_each_wrong_code_is_told(
    app: Flask, vera: Person, lines: pytest.LogCaptureFixture, address: str
) -> None:
    set_up("vera")
    if address.startswith("/login"):
        vera = after_the_password(app, "vera")
    answers = [send(vera, address, action="off", code="no code").status_code for _ in range(7)]
    assert answers == [422] * 6 + [429]
    assert [(line["event"], line["user"]) for line in told(lines)] == [
        *[("second-factor-failed", "vera")] * 6,
        ("second-factor-slowed", "vera"),
    ]


@pytest.mark.any_engine
def test_a_second_factor_that_is_set_up_and_switched_off_is_told(
    vera: Person, lines: pytest.LogCaptureFixture
) -> None:
    page = "/account/second-factor"
    sealed, phone = proposed_on(vera.post(page, action="begin", confirm=PASSWORD).text)
    codes = vera.post(page, action="set_up", sealed=sealed, code=phone.code()).text
    new = vera.post(page, action="codes", code=codes_on(codes)[0]).text
    vera.post(page, action="off", code=codes_on(new)[0])
    assert told(lines) == [
        {"event": "second-factor-on", "user": "vera"},
        {"event": "recovery-codes-renewed", "user": "vera"},
        {"event": "second-factor-off", "user": "vera"},
    ]
    assert phone.secret not in lines.text


@pytest.mark.any_engine
def test_a_second_factor_that_a_login_asks_for_is_told(
    app: Flask, cast: None, lines: pytest.LogCaptureFixture
) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["viewer"]
    vera, page = after_the_password(app, "vera"), "/login/second-factor/set-up"
    sealed, phone = proposed_on(vera.get(page).text)
    send(vera, page, sealed=sealed, code=phone.code())
    assert {"event": "second-factor-on", "user": "vera"} in told(lines)


@pytest.mark.any_engine
def test_a_password_that_was_not_used_in_time_is_told(
    cast: None, stranger: Person, lines: pytest.LogCaptureFixture
) -> None:
    set_password("vera", NEW, Author("ada", utcnow() - timedelta(days=8)), must_change=True)
    stranger.post("/login", username="vera", password=NEW)
    assert told(lines) == [{"event": "login-lapsed", "user": "vera"}]
