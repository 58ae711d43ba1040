"""Logins, logouts and refusals are log lines with the client's address; secrets and strange names are not."""

import logging

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.auth import throttling as throttling
from jobauto.auth.service import issue_token
from jobauto.auth.throttling import Subject
from jobauto.auth.tokens import NewToken
from jobauto.clock import utcnow
from jobauto.logs import LogEvent
from tests.people import PASSWORD, Person

NEW = "another good one"


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
