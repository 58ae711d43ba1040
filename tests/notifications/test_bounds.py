"""No receiver holds the program up: a message has one deadline, a reply a limit, and others go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.extensions import db
from jobauto.models import Channel
from jobauto.notifications import delivery
from jobauto.notifications.sending import claim, process_pending
from tests.fleets import NOON
from tests.notifications import receivers
from tests.notifications.receivers import Web, rude
from tests.notifications.telling import add_heartbeat, add_message, messages, put_message
from tests.processes import await_until

HTTP = b"HTTP/1.1 200 OK\r\n"
DEADLINE = 8.0
"""Seconds: enough to start a process and connect on a busy machine."""
ENOUGH = 20_000_000
"""Bytes: what a reply may cost at most, what waits in the buffers of the system included."""


def add(kind: str, port: int) -> int:
    if kind == "heartbeat":
        return add_heartbeat(f"http://127.0.0.1:{port}/x")
    if kind == "mail":
        return add_message(f"mailto://127.0.0.1:{port}/?from=a@example.com&to=b@example.com")
    return add_message(f"json://127.0.0.1:{port}/x")


@contextmanager
def in_the_background(app: Flask, work: Callable[[], object]) -> Iterator[None]:
    """Let a thread work; it has ended at the end."""

    def run() -> None:
        with app.app_context():
            work()
            db.session.remove()

    db.session.remove()
    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(
    ("kind", "beginning", "endless"),
    [
        pytest.param("message", HTTP, b"X: drip\r\n", id="headers"),
        pytest.param("message", HTTP + b"Content-Length: 9999\r\n\r\n", b"drip", id="a body"),
        pytest.param("heartbeat", HTTP, b"X: drip\r\n", id="a heartbeat"),
        pytest.param("mail", b"220-", b"drip ", id="a mail server"),
    ],
)
def test_a_receiver_that_answers_drop_by_drop_is_left_at_the_deadline(
    app: Flask, monkeypatch: pytest.MonkeyPatch, kind: str, beginning: bytes, endless: bytes
) -> None:
    monkeypatch.setattr(delivery, "SECONDS", DEADLINE)
    with rude(beginning, endless, drips=True, most=1000) as receiver:
        put_message(add(kind, receiver.port), kind="test")
        began = monotonic()
        assert process_pending(lambda: NOON) == 0
        assert monotonic() - began < 3 * DEADLINE, "it talks for far longer"
        assert receiver.connections == 1
    assert messages()[0].error == f"It was not done within {DEADLINE:g} seconds."


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize("kind", ["message", "heartbeat"])
def test_of_an_endless_reply_only_the_beginning_is_read(app: Flask, kind: str) -> None:
    with rude(HTTP + b"\r\n", bytes(64 * 1024), drips=False) as receiver:
        put_message(add(kind, receiver.port), kind="test")
        assert process_pending(lambda: NOON) == 1
        assert receiver.sent < ENOUGH


@pytest.mark.any_engine
@pytest.mark.process
def test_a_mail_server_that_greets_without_end_does_not_fill_the_memory(app: Flask) -> None:
    line = b"220-" + b"x" * 8000 + b"\r\n"
    with rude(b"", line * 8, drips=False, most=2_000_000_000) as receiver:
        put_message(add("mail", receiver.port), kind="test")
        assert process_pending(lambda: NOON) == 0
        assert receiver.sent < 400_000_000
    assert messages()[0].error == "The service failed unexpectedly (MemoryError)."


@pytest.mark.process
def test_a_channel_that_is_slow_does_not_hold_the_others(app: Flask, web: Web) -> None:
    with receivers.web() as slow:
        slow.holds.set()
        healthy = add_message(web.json_url())
        for topic in ("first", "second"):
            put_message(add_message(slow.json_url(topic)), topic=topic)
        put_message(healthy, topic="meanwhile")
        with in_the_background(app, lambda: process_pending(lambda: NOON)):
            await_until(lambda: web.requests, "the healthy channel has its message")
            await_until(lambda: len(slow.requests) == 2, "the slow one has both requests")
            put_message(healthy, topic="later")
            await_until(lambda: len(web.requests) == 2, "and what came later")
            slow.released.set()
    assert {message.status for message in messages()} == {"sent"}


def test_a_channel_gets_one_message_at_a_time_and_another_one_gets_its_own(app: Flask) -> None:
    slow, other = add_message("json://127.0.0.1:9/slow"), add_message("json://127.0.0.1:9/other")
    for topic in ("first", "second"):
        put_message(slow, topic=topic)
    put_message(other, topic="third")
    claimed = [claim(NOON) for _ in range(3)]
    assert [one and one.channel_id for one in claimed] == [slow, other, None]


def test_channels_that_work_come_before_those_that_fail_also_with_what_is_new(app: Flask) -> None:
    failing, working = add_message("json://127.0.0.1:9/failing"), add_message("json://127.0.0.1:9/working")
    db.session.execute(update(Channel).where(Channel.id == failing).values(failing_since=NOON))
    db.session.commit()
    for channel_id, topic in ((failing, "first"), (working, "second")):
        put_message(channel_id, topic=topic)
    claimed = [claim(NOON) for _ in range(2)]
    assert [one and one.channel_id for one in claimed] == [working, failing]
