"""The numbers of the outbox for Prometheus."""

from datetime import timedelta

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.notifications.sending import process_pending
from tests.notifications.telling import add_message, put_message
from tests.people import Person
from tests.test_metrics import numbers


@pytest.mark.process
def test_they_tell_what_waits_for_how_long_and_what_was_given_up(app: Flask, vera: Person) -> None:
    told = numbers(vera.api("GET", "/metrics").text)
    names = [f"jobauto_outbox_{name}" for name in ("waiting", "oldest_seconds", "given_up")]
    assert [told[name] for name in names] == [0, 0, 0]

    channel_id = add_message("json://127.0.0.1:9/x")
    put_message(channel_id, topic="old", now=utcnow() - timedelta(hours=2))
    put_message(channel_id, topic="new", now=utcnow())
    put_message(channel_id, topic="a test", kind="test", now=utcnow())
    put_message(channel_id, topic="late", now=utcnow() - timedelta(days=2))
    process_pending()

    told = numbers(vera.api("GET", "/metrics").text)
    assert told[names[0]] == 2
    assert 7200 <= told[names[1]] < 7300
    assert told[names[2]] == 1
