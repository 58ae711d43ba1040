"""Whatever fails inside, nothing of the inside is told: in a view, a template, the API, or the database."""

import logging
import time
from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from jobauto import create_app
from jobauto.extensions import db
from jobauto.web.access import PUBLIC
from jobauto.web.headers import HEADERS
from tests.databases import POSTGRESQL, Postgresql, Sqlite
from tests.people import Browser, add_cast, log_in

SECRET = "a secret of the inside"
INSIDE = (
    SECRET,
    "Traceback",
    "RuntimeError",
    "sqlalchemy",
    "SELECT",
    "psycopg",
    "jinja2",
    ".py",
    "127.0.0.1",
)


@pytest.fixture
def broken(database_uri: str) -> Iterator[tuple[Flask, Browser]]:
    """The application as it is in production, with views that fail, and somebody logged in."""
    app = create_app({"SQLALCHEMY_DATABASE_URI": database_uri, "SECRET_KEY": SECRET})
    for path in ("/broken", "/api/broken"):
        for name, view in (
            ("view", fails),
            ("template", fails_in_a_template),
            ("query", fails_in_a_query),
            ("name", fails_by_a_name),
        ):
            app.add_url_rule(f"{path}/{name}", f"{path}/{name}", view)
    with app.app_context():
        add_cast()
        browser = Browser(app, app.response_class)
        log_in(browser, "vera")
        yield app, browser
        db.engine.dispose()


def fails() -> ResponseReturnValue:
    raise RuntimeError(SECRET)


def fails_in_a_template() -> ResponseReturnValue:
    return render_template_string("{{ nothing.at.all }}" + SECRET)


def fails_in_a_query() -> ResponseReturnValue:
    db.session.execute(text(f"SELECT '{SECRET}' FROM no_such_table"))  # noqa: S608 (a constant)
    return ""


def fails_by_a_name() -> ResponseReturnValue:
    """A fault of ours, whatever the column is called."""
    db.session.execute(text("SELECT locked FROM run"))
    return ""


@pytest.mark.parametrize("place", ["/broken", "/api/broken"])
@pytest.mark.parametrize("what", ["view", "template", "query", "name"])
def test_a_fault_is_a_500_that_tells_nothing_and_a_log_line_that_does(
    broken: tuple[Flask, Browser], caplog: pytest.LogCaptureFixture, place: str, what: str
) -> None:
    _, browser = broken
    with caplog.at_level(logging.ERROR):
        answer = browser.get(f"{place}/{what}")
    assert answer.status_code == 500
    assert [word for word in INSIDE if word in answer.text] == []
    assert answer.mimetype == ("application/json" if place.startswith("/api") else "text/html")
    assert HEADERS.items() <= dict(answer.headers).items()
    assert any(record.exc_info for record in caplog.records)


def test_a_database_that_goes_away_is_a_503_that_does_not_say_where_it_was(
    engine: Sqlite | Postgresql, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(engine, Postgresql):
        gone = "postgresql://ada:very-secret@127.0.0.1:1/jobauto?connect_timeout=2"
    else:
        gone = "sqlite:////no/such/folder/very-secret.sqlite3"
    app = create_app({"SQLALCHEMY_DATABASE_URI": gone, "SECRET_KEY": SECRET})
    for address in ("/login", "/", "/api/jobs/", "/healthz", "/metrics"):
        answer = Browser(app, app.response_class).get(address)
        assert answer.status_code == 503, address
        assert [word for word in (*INSIDE, "very-secret", "refused", "open") if word in answer.text] == []
    assert "very-secret" not in caplog.text
    assert "database-unreachable" in caplog.text
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_a_connection_that_stood_still_and_was_ended_is_a_503(
    broken: tuple[Flask, Browser], caplog: pytest.LogCaptureFixture
) -> None:
    app, browser = broken
    app.add_url_rule("/api/slow", "slow", stands_still)
    answer = browser.get("/api/slow")
    assert answer.status_code == 503
    assert "The database does not answer." in answer.text
    assert "idle-in-transaction" in caplog.text
    assert browser.get("/").status_code == 200, "the next request has a connection again"


def stands_still() -> ResponseReturnValue:
    db.session.execute(text("SET idle_in_transaction_session_timeout = '50ms'"))
    mine = {"pid": db.session.scalar(text("SELECT pg_backend_pid()"))}
    there = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with db.engine.connect() as another:
            if another.scalar(there, mine) == 0:
                break
    db.session.rollback()
    return ""


def test_only_hosts_that_are_configured_are_served(app: Flask) -> None:
    mine = create_app(
        {
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": app.config["SQLALCHEMY_DATABASE_URI"],
            "SECRET_KEY": "tests",
            "TRUSTED_HOSTS": "jobs.example.org, .internal",
        }
    )
    for host, status in (
        ("jobs.example.org", 200),
        ("jobs.example.org:8443", 200),
        ("web.internal", 200),
        ("evil.example", 400),
        ("jobs.example.org.evil.example", 400),
        ("a b", 400),
        ("", 400),
        ("[::1", 400),
    ):
        for address in ("/login", "/api/openapi.json", "/static/app.css"):
            answer = Browser(mine, mine.response_class).get(address, headers={"Host": host})
            assert (answer.status_code == 400) == (status == 400), (host, address)
            assert ("This host name is not served here." in answer.text) == (status == 400)
    with mine.app_context():
        db.engine.dispose()


def test_what_needs_no_login_is_as_little_as_that() -> None:
    assert {
        "auth.login",
        "auth.login_submit",
        *(
            f"login_steps.{step}{submit}"
            for step in ("code", "set_up", "new_password")
            for submit in ("", "_submit")
        ),
        *(f"single_sign_on.{step}" for step in ("begin", "callback", "logged_out")),
        "static",
        "bootstrap.static",
        "health.livez",
        "health.healthz",
        "health.metrics",
    } == PUBLIC
