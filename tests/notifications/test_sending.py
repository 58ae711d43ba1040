"""What waits in the outbox reaches real receivers; what does not is tried again, and given up visibly."""

import socket
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.notifications import channels, delivery, service
from jobauto.notifications.outbox import LIFETIMES
from jobauto.notifications.sending import FIRST_WAIT, LONGEST_WAIT, RETENTION, backoff, claim, process_pending
from tests.fleets import NOON
from tests.notifications.receivers import Mail, Web
from tests.notifications.telling import ADA, add_heartbeat, add_message, messages, put_message

SECOND = timedelta(seconds=1)


def send(at: datetime = NOON) -> int:
    return process_pending(lambda: at)


def statuses() -> list[tuple[str, int]]:
    return [(message.status, message.attempts) for message in messages()]


@pytest.mark.process
def test_a_message_reaches_a_webhook_as_plain_text(app: Flask, web: Web) -> None:
    put_message(add_message(web.json_url("hook/token")))
    assert send() == 1
    assert (web.paths, web.titles, web.messages) == (["/hook/token"], ["A title"], ["A text."])
    assert statuses() == [("sent", 1)]
    assert send(NOON + timedelta(days=1)) == 0
    assert len(web.requests) == 1


@pytest.mark.any_engine
@pytest.mark.process
def test_a_message_reaches_a_mailbox_as_plain_text(app: Flask, mail: Mail) -> None:
    put_message(
        add_message(
            f"mailto://127.0.0.1:{mail.port}/?from=jobauto@example.com&to=ops@example.com&format=text"
        )
    )
    assert send() == 1
    (letter,) = mail.mails
    assert mail.recipients == [["ops@example.com"]]
    assert (letter["Subject"], letter["To"], letter.get_content_type()) == (
        "A title",
        "ops@example.com",
        "text/plain",
    )
    assert str(letter.get_payload()).strip() == "A text."


@pytest.mark.process
def test_a_run_is_told_to_a_heartbeat_in_order_and_with_its_uuid(app: Flask, web: Web) -> None:
    add_heartbeat(f"{web.address}/uuid/?create=1")
    run(RunParameters("cli"), lambda: NOON)
    send()
    assert web.paths == ["/uuid/start", "/uuid"]
    asked = [parse_qs(urlsplit(path).query) for path, _ in web.requests]
    assert asked == [{"create": ["1"], "rid": [service.rid(1)]}] * 2


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(
    ("step", "settled"),
    [
        pytest.param("leased_until=", [("sent", 1), ("waiting", 0)], id="claims the second"),
        pytest.param("settled_at=", [("sent", 1), ("waiting", 1)], id="settles the first"),
    ],
)
def test_a_database_that_fails_in_between_leaves_none_unsettled_that_it_can_settle(
    app: Flask, web: Web, step: str, settled: list[tuple[str, int]]
) -> None:
    seen: list[str] = []

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE outbox") and step in statement:
            seen.append(statement)
            if len(seen) == 2:
                raise OperationalError(statement, None, Exception("database is locked"))

    for topic in ("one", "two"):
        put_message(add_message(web.json_url(topic)), topic)
    event.listen(db.engine, "before_cursor_execute", fail)
    with pytest.raises(OperationalError):
        send()
    assert sorted(statuses()) == settled


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize("status", [500, 404, 301, 401], ids=str)
def test_what_is_not_accepted_is_not_sent(app: Flask, web: Web, status: int) -> None:
    web.status = status
    put_message(add_message(web.json_url()))
    put_message(add_heartbeat(web.address), kind="success")
    assert send() == 0
    assert statuses() == [("waiting", 1), ("waiting", 1)]


@pytest.mark.process
def test_it_is_tried_again_with_growing_pauses_until_it_is_accepted(app: Flask, web: Web) -> None:
    web.status = 503
    put_message(add_message(web.json_url()))
    now, pauses = NOON, []
    for _ in range(5):
        send(now)
        (message,) = messages()
        assert send(message.due_at - SECOND) == 0, "not before its time"
        pauses.append(message.due_at - now)
        now = message.due_at
    assert len(web.requests) == 5
    for attempt, pause in enumerate(pauses):
        longest = FIRST_WAIT * 2**attempt
        assert longest / 2 <= pause <= longest
    web.status = 200
    assert send(now) == 1
    assert statuses() == [("sent", 6)]
    assert messages()[0].error is None


@pytest.mark.parametrize(
    ("attempt", "share", "seconds"),
    [(1, 0, 30), (1, 1, 15), (2, 0, 60), (3, 0, 120), (8, 0, 3600), (50, 0, 3600), (5000, 1, 1800)],
    ids=str,
)
def test_pauses_double_up_to_an_hour_less_up_to_a_half(attempt: int, share: float, seconds: int) -> None:
    assert backoff(attempt, share).total_seconds() == seconds
    assert timedelta(seconds=seconds) <= LONGEST_WAIT


def test_after_a_day_it_is_given_up_and_the_log_says_so(
    app: Flask, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    put_message(add_message(web.json_url()))
    app.config["SECRET_KEY"] = "another"  # so each try fails at once
    now = NOON
    while messages()[0].status == "waiting":
        send(now)
        now = messages()[0].due_at
    (message,) = messages()
    assert message.status == "given_up"
    assert NOON < message.settled_at <= NOON + LIFETIMES["problem"]
    assert message.attempts > 24, "about once an hour"
    assert "event=message-given-up" in caplog.text
    assert "The URL cannot be decrypted" in caplog.text
    assert send(NOON + timedelta(days=2)) == 0


@pytest.mark.process
@pytest.mark.parametrize("kind", ["test", "start"])
def test_a_test_and_a_start_are_tried_once(app: Flask, web: Web, kind: str) -> None:
    web.status = 500
    channel_id = add_message(web.json_url()) if kind == "test" else add_heartbeat(web.address)
    put_message(channel_id, kind=kind)
    send()
    assert statuses() == [("given_up", 1)]


def test_a_heartbeat_that_would_come_late_is_not_given(app: Flask, web: Web) -> None:
    add_heartbeat(web.address)
    run(RunParameters("cli"), lambda: NOON)
    send(NOON + timedelta(minutes=10))
    assert web.requests == []
    assert [message.status for message in messages()] == ["given_up", "given_up"]


@pytest.mark.process
def test_a_start_never_comes_after_the_success(app: Flask, web: Web) -> None:
    """Two processes send: while one is at the start, the other does not take the end."""
    add_heartbeat(web.address)
    run(RunParameters("cli"), lambda: NOON)
    start = claim(NOON)
    assert start is not None
    assert start.kind == "start"
    assert claim(NOON) is None
    assert send(NOON + timedelta(minutes=6)) == 1, (
        "the first process died: its lease is over, the start is late"
    )
    assert web.paths == ["/"]


@pytest.mark.process
def test_a_dead_channel_does_not_keep_the_others_waiting(app: Flask, web: Web) -> None:
    put_message(add_message("json://127.0.0.1:9/nobody"))
    put_message(add_message(web.json_url()))
    assert send() == 1
    assert statuses() == [("waiting", 1), ("sent", 1)]


@pytest.mark.parametrize("how", ["switched off", "removed"])
def test_what_waits_for_a_channel_that_is_no_more_is_given_up(app: Flask, web: Web, how: str) -> None:
    channel_id = add_message(web.json_url())
    put_message(channel_id)
    if how == "removed":
        channels.remove(channel_id, author=ADA)
    else:
        channels.set_active(channel_id, False, author=ADA)
    put_message(channel_id, topic="later")
    assert send() == 0
    assert [(message.status, message.error) for message in messages()] == [
        ("given_up", f"The channel was {how}.")
    ]


@pytest.mark.process
def test_a_topic_is_sent_to_a_channel_once(app: Flask, web: Web) -> None:
    channel_id = add_message(web.json_url())
    for _ in range(2):
        put_message(channel_id, topic="overdue-2026-03-31")
    send()
    put_message(channel_id, topic="overdue-2026-03-31")
    assert send() == 0
    assert len(web.requests) == 1


@pytest.mark.process
def test_what_was_settled_a_month_ago_is_forgotten(app: Flask, web: Web) -> None:
    channel_id = add_message(web.json_url())
    put_message(channel_id)
    send()
    later = NOON + RETENTION + SECOND
    put_message(channel_id, topic="later", now=later)
    send(later)
    assert [message.topic for message in messages()] == ["later"]


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("message", "json://127.0.0.1:{port}/x?rto=300&cto=300"),
        ("message", "mailto://127.0.0.1:{port}/?from=a@example.com&to=b@example.com&cto=300"),
        ("heartbeat", "http://127.0.0.1:{port}/x"),
    ],
    ids=["webhook", "mail", "heartbeat"],
)
def test_a_server_that_never_answers_is_not_waited_for_whatever_the_url_says(
    app: Flask, monkeypatch: pytest.MonkeyPatch, kind: str, url: str
) -> None:
    monkeypatch.setattr(delivery, "SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its queue, and nobody reads
        url = url.format(port=silent.getsockname()[1])
        put_message(add_message(url) if kind == "message" else add_heartbeat(url), kind="test")
        began = monotonic()
        assert send() == 0
    assert monotonic() - began < 10
    assert statuses() == [("given_up", 1)]
    assert messages()[0].error == "It was not done within 2 seconds."
