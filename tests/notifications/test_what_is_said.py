"""What was not accepted is never shown as sent; the page says why, and without the URL."""

import socket
from datetime import timedelta
from email.utils import format_datetime

import pytest
from flask import Flask

from jobauto.notifications.sending import LONGEST_WAIT, process_pending
from tests.fleets import NOON
from tests.notifications.receivers import Mail, Web
from tests.notifications.telling import add_heartbeat, add_message, messages, put_message

SECRET = "s3cr3t"


def send() -> int:
    return process_pending(lambda: NOON)


def add(kind: str, web: Web) -> int:
    return (
        add_heartbeat(f"{web.address}/{SECRET}") if kind == "heartbeat" else add_message(web.json_url(SECRET))
    )


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize("kind", ["message", "heartbeat"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=str)
@pytest.mark.parametrize("location", ["/login", "/loop"])
def test_a_redirect_is_not_sent_and_not_followed(
    app: Flask, web: Web, kind: str, status: int, location: str
) -> None:
    web.status, web.headers = status, {"Location": location}
    put_message(add(kind, web), kind="problem" if kind == "message" else "success")
    assert send() == 0
    assert (len(web.requests), web.looked_at) == (1, [])
    (message,) = messages()
    assert message.status == "waiting"
    assert message.error.startswith(f"The service answered {status} (")
    assert message.error.endswith("): it leads elsewhere, as to a login page.")


@pytest.mark.any_engine
@pytest.mark.process
def test_no_message_is_repeated_to_where_a_redirect_leads(app: Flask, web: Web) -> None:
    web.status = 307
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)
        web.headers = {"Location": f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"}
        put_message(add_message(web.json_url()), kind="test")
        assert send() == 0
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize("kind", ["message", "heartbeat"])
@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "The service answered 401 (Unauthorized)."),
        (404, "The service answered 404 (Not Found)."),
        (429, "The service answered 429 (Too Many Requests)."),
        (500, "The service answered 500 (Internal Server Error)."),
        (599, "The service answered 599."),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_the_status_that_was_answered_is_named(
    app: Flask, web: Web, kind: str, status: int, why: str
) -> None:
    web.status = status
    put_message(add(kind, web), kind="test")
    send()
    assert messages()[0].error == why


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(
    ("kind", "url", "why"),
    [
        ("message", "json://127.0.0.1:9/s3cr3t", "The service refused the connection."),
        ("heartbeat", "http://127.0.0.1:9/s3cr3t", "The service refused the connection."),
        (
            "message",
            "mailto://127.0.0.1:9/?from=a@example.com&to=s3cr3t@example.com",
            "The mail server refused the connection.",
        ),
        (
            "heartbeat",
            "https://{plain}/s3cr3t",
            "The service could not be reached safely: its certificate or its TLS was not accepted.",
        ),
    ],
    ids=["webhook", "heartbeat", "mail", "no TLS"],
)
def test_a_receiver_that_is_away_is_told_from_one_that_refuses(
    app: Flask, web: Web, kind: str, url: str, why: str
) -> None:
    url = url.format(plain=web.address.removeprefix("http://"))
    put_message(add_message(url) if kind == "message" else add_heartbeat(url), kind="test")
    send()
    assert messages()[0].error == why


@pytest.mark.any_engine
@pytest.mark.process
def test_what_a_mail_server_answers_is_named(app: Flask, mail: Mail) -> None:
    mail.refuses = True
    put_message(
        add_message(f"mailto://127.0.0.1:{mail.port}/?from=a@example.com&to=b@example.com"), kind="test"
    )
    assert send() == 0
    assert messages()[0].error == "The mail server answered 550."


@pytest.mark.process
@pytest.mark.parametrize(
    ("header", "least"),
    [
        pytest.param("600", timedelta(minutes=10), id="seconds"),
        pytest.param(
            format_datetime(NOON + timedelta(minutes=20), usegmt=True), timedelta(minutes=20), id="date"
        ),
        pytest.param("99999999999", LONGEST_WAIT, id="not for ever"),
        pytest.param("9" * 400, LONGEST_WAIT, id="not even for so long"),
        pytest.param("-5", timedelta(0), id="nonsense"),
        pytest.param("soon", timedelta(0), id="a word"),
        pytest.param("0", timedelta(0), id="at once"),
    ],
)
def test_the_next_try_comes_not_before_the_service_allows_it(
    app: Flask, web: Web, header: str, least: timedelta
) -> None:
    web.status, web.headers = 429, {"Retry-After": header}
    put_message(add_message(web.json_url()))
    send()
    (message,) = messages()
    assert max(least, timedelta(seconds=15)) <= message.due_at - NOON <= max(least, timedelta(seconds=30))


@pytest.mark.process
def test_a_heartbeat_comes_not_before_the_service_allows_it_either(app: Flask, web: Web) -> None:
    web.status, web.headers = 429, {"Retry-After": "300"}
    put_message(add_heartbeat(web.address), kind="success")
    send()
    assert messages()[0].due_at == NOON + timedelta(minutes=5)


@pytest.mark.process
def test_what_else_waits_for_that_channel_waits_as_long_and_other_channels_do_not(
    app: Flask, web: Web
) -> None:
    web.status, web.headers = 503, {"Retry-After": "600"}
    busy, other = add_message(web.json_url("busy")), add_message(web.json_url("other"))
    put_message(busy, topic="first", now=NOON)
    put_message(busy, topic="second", now=NOON)
    put_message(other, topic="third", now=NOON + timedelta(hours=1))
    send()
    assert web.paths == ["/busy"]
    assert [message.due_at - NOON for message in messages()] == [
        timedelta(minutes=10),
        timedelta(minutes=10),
        timedelta(hours=1),
    ]
