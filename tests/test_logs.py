"""The log: one line an event, for people and for machines."""

import json
import logging
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from jobauto import create_app
from jobauto.config import ConfigError
from jobauto.logs import FORMATS, LogEvent, OneLine
from jobauto.storage.connections import write


def line_of(message: Any, form: str, *, failed: bool = False) -> str:
    error = RuntimeError("two\nlines")
    trouble = (RuntimeError, error, None) if failed else None
    record = logging.LogRecord("job_automation", logging.INFO, "file", 1, message, None, trouble)
    record.created = 1774936800.25
    return OneLine(FORMATS[form]).format(record)


def test_a_line_of_pairs_tells_when_what_and_its_facts() -> None:
    assert line_of(LogEvent("end", run=17, status="succeeded", error=None), "text") == (
        "at=2026-03-31T06:00:00.250+00:00 level=info logger=job_automation event=end run=17 status=succeeded"
    )


def test_times_are_in_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        line = line_of(LogEvent("end"), "text")
    time.tzset()
    assert line.startswith("at=2026-03-31T06:00:00.250+00:00 ")


def test_a_line_of_json_tells_the_same() -> None:
    assert json.loads(line_of(LogEvent("end", run=17, status="succeeded"), "json")) == {
        "at": "2026-03-31T06:00:00.250+00:00",
        "level": "info",
        "logger": "job_automation",
        "event": "end",
        "run": 17,
        "status": "succeeded",
    }


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("eve\nat=2026 level=info event=login", id="a line of its own"),
        pytest.param('eve" role="admin', id="a fact of its own"),
        pytest.param("eve\x1b[2J", id="a command for a terminal"),
        pytest.param("eve\u2028x", id="a line end of Unicode"),
        pytest.param("eve\u202enimda", id="a turn of the direction of writing"),
        pytest.param("eve\udcff.csv", id="a byte of a file's name that is no text"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_what_people_typed_cannot_look_like_anything_else(hostile: str, form: str) -> None:
    line = line_of(LogEvent("login-failed", user=hostile), form)

    assert line.isprintable()
    assert json.dumps(hostile) in line


@pytest.mark.parametrize("form", FORMATS)
def test_a_traceback_stays_on_the_line(form: str) -> None:
    line = line_of(LogEvent("rule-failed", run=3), form, failed=True)

    assert "\n" not in line
    assert "RuntimeError" in line


def test_the_message_of_a_library_is_a_fact_too() -> None:
    assert line_of("plain words", "text").endswith('message="plain words"')


def test_another_format_is_refused_by_name(tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="JOBAUTO_LOG_FORMAT='xml' is not one of text, json"):
        create_app({"TESTING": True, "SECRET_KEY": "tests", "LOG_FORMAT": "xml"})


def test_an_error_of_the_database_tells_no_value_that_was_sent_to_it(app: Flask) -> None:
    values = {"name": "eve", "hash": "scrypt:secret"}
    statement = 'INSERT INTO "user" (username, password_hash) VALUES (:name, :hash)'
    with pytest.raises(IntegrityError) as refused, write() as session:
        session.execute(text(statement), values)
    record = logging.LogRecord(
        "jobauto.errors", logging.ERROR, "file", 1, "fault", None, (refused.type, refused.value, refused.tb)
    )
    for written in FORMATS.values():
        assert "secret" not in OneLine(written).format(record)
        assert "not null" in OneLine(written).format(record).replace("-", " ").lower()
