"""What browsers are told with every response."""

from typing import Any

import pytest
from flask import Flask

from jobauto import create_app
from jobauto.config import ConfigError
from jobauto.extensions import db
from jobauto.web.headers import CHART_JS, HEADERS, HSTS, POLICY
from tests.people import Answer, Browser, Person

ADDRESSES = (
    "/login",
    "/",
    "/jobs/",
    "/jobs/export.csv",
    "/api/jobs/",
    "/api/nowhere",
    "/nowhere",
    "/static/app.css",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_response_has_the_headers(vera: Person, stranger: Person, address: str) -> None:
    for person in (vera, stranger):
        answer = person.get(address)
        assert HEADERS.items() <= dict(answer.headers).items()
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers
        if (answer.mimetype or "").startswith("text/"):
            assert "charset=utf-8" in answer.headers["Content-Type"]


def test_a_browser_guesses_no_type_is_framed_nowhere_and_tells_no_other_site_where_it_was(
    vera: Person,
) -> None:
    headers = vera.get("/jobs/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == POLICY


def test_the_policy_lets_nothing_run_that_stands_in_a_page() -> None:
    assert "unsafe" not in POLICY
    assert "*" not in POLICY
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in POLICY.split("; ")
    assert f"script-src 'self' {CHART_JS}" in POLICY.split("; ")
    assert CHART_JS.endswith(".js"), "one file, and not all that its CDN serves"


@pytest.mark.parametrize(
    ("configured", "scheme", "expected"),
    [
        pytest.param({}, "http", None, id="over http"),
        pytest.param({}, "https", HSTS, id="over https"),
        pytest.param({"SESSION_COOKIE_SECURE": True}, "http", HSTS, id="where cookies are Secure"),
        pytest.param({"HSTS_INCLUDE_SUBDOMAINS": True}, "http", None, id="with what is below, over http"),
        pytest.param(
            {"HSTS_INCLUDE_SUBDOMAINS": True},
            "https",
            f"{HSTS}; includeSubDomains",
            id="with what is below, over https",
        ),
    ],
)
def test_https_is_asked_for_where_it_is_there(
    app: Flask, configured: dict[str, Any], scheme: str, expected: str | None
) -> None:
    answer = open_login(app, configured, scheme)
    assert answer.headers.get("Strict-Transport-Security") == expected


@pytest.mark.parametrize(
    ("configured", "name"),
    [
        pytest.param({}, "jobauto_session", id="without Secure"),
        pytest.param({"SESSION_COOKIE_SECURE": True}, "__Host-jobauto_session", id="with Secure"),
        pytest.param(
            {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_PATH": "/jobs"},
            "__Secure-jobauto_session",
            id="with Secure below a path",
        ),
        pytest.param(
            {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_NAME": "mine"}, "mine", id="a given name"
        ),
    ],
)
def test_the_cookies_name_holds_the_browser_to_its_flags(
    app: Flask, configured: dict[str, Any], name: str
) -> None:
    (cookie,) = open_login(app, configured, "https").headers.getlist("Set-Cookie")
    assert cookie.startswith(f"{name}=")
    flags = {flag.strip() for flag in cookie.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax", f"Path={configured.get('SESSION_COOKIE_PATH', '/')}"} <= flags
    assert ("Secure" in flags) == bool(configured)
    assert not any(flag.startswith("Domain") for flag in flags)


@pytest.mark.parametrize("name", ["SESSION_MINUTES", "SESSION_IDLE_MINUTES", "API_REQUESTS_PER_MINUTE"])
def test_a_limit_of_nothing_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match=f"JOBAUTO_{name}"):
        create_app({"SECRET_KEY": "tests", name: 0})


def open_login(app: Flask, configured: dict[str, Any], scheme: str) -> Answer:
    known = {"TESTING": True, "SECRET_KEY": "tests"}
    uri = {"SQLALCHEMY_DATABASE_URI": app.config["SQLALCHEMY_DATABASE_URI"]}
    mine = create_app(known | uri | configured)
    path = configured.get("SESSION_COOKIE_PATH", "")
    answer = Browser(mine, mine.response_class).open("/login", base_url=f"{scheme}://localhost{path}")
    with mine.app_context():
        db.engine.dispose()
    return answer
