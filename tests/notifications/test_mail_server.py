"""Mail by the operator's server: encrypted, verified, bounded, and no word of it that others choose."""

import logging
from pathlib import Path

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.models import Channel
from jobauto.notifications import delivery
from jobauto.notifications.outbox import Message, put
from jobauto.notifications.sending import process_pending
from jobauto.notifications.services import BadUrl, target_of
from jobauto.storage.connections import write
from tests.fleets import NOON
from tests.notifications import receivers
from tests.notifications.certificates import certificate
from tests.notifications.receivers import LOGIN, Mail, rude
from tests.notifications.telling import add_message, messages, put_message
from tests.pages.reading import error_beside
from tests.people import Person

WITH_LOGIN = "jobauto%40example.org:pass%3Aw%2Frd@"
FROM = "/?from=jobauto@example.org"
TO = "mail:operations@example.org"


def configure(app: Flask, scheme: str, port: int, login: str = "", *, tls: str = "") -> None:
    app.config["MAIL_URL"] = f"{scheme}://{login}127.0.0.1:{port}{FROM}{tls}"


def send(kind: str = "problem") -> str:
    """Send one message to the address; what stood against it."""
    put_message(add_message(TO), kind=kind)
    process_pending(lambda: NOON)
    (message,) = messages()
    assert (message.error is None) == (message.status == "sent")
    return message.error or ""


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(("security", "scheme"), [("tls", "smtps"), ("starttls", "smtp")])
def test_a_mail_goes_encrypted_to_a_server_that_proves_who_it_is(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, scheme: str
) -> None:
    shown, trusted = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with receivers.mail(security, shown, asks=True) as server:
        configure(app, scheme, server.port, WITH_LOGIN)
        assert send() == ""
    (letter,) = server.mails
    assert server.logins == [LOGIN]
    assert server.recipients == [["operations@example.org"]]
    assert (letter["From"], letter["To"], letter["Subject"], letter["Auto-Submitted"]) == (
        "jobauto <jobauto@example.org>",
        "operations@example.org",
        "A title",
        "auto-generated",
    )
    assert letter.get_content_type() == "text/plain"
    assert str(letter.get_payload()).strip() == "A text."


@pytest.mark.any_engine
@pytest.mark.process
def test_where_the_operator_says_so_it_goes_in_the_open(app: Flask, mail: Mail) -> None:
    configure(app, "smtp", mail.port, tls="&tls=none")
    assert send() == ""
    assert len(mail.raw) == 1


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(("security", "scheme"), [("tls", "smtps"), ("starttls", "smtp")])
@pytest.mark.parametrize(("names", "is_trusted"), [("127.0.0.1", False), ("127.0.0.2", True)])
def test_a_server_that_proves_nothing_gets_neither_mail_nor_password(
    app: Flask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    scheme: str,
    names: str,
    is_trusted: bool,
) -> None:
    shown, trusted = certificate(tmp_path, names)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with receivers.mail(security, shown, asks=True) as server:
        configure(app, scheme, server.port, WITH_LOGIN)
        assert "its certificate or its TLS was not accepted" in send()
    assert (server.raw, server.logins) == ([], [])


@pytest.mark.any_engine
@pytest.mark.process
def test_a_server_that_offers_no_tls_gets_no_mail(app: Flask, mail: Mail) -> None:
    configure(app, "smtp", mail.port)
    assert send() == "The mail server offers no TLS."
    assert mail.raw == []


@pytest.mark.process
def test_a_login_that_is_refused_is_told_and_the_password_nowhere(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown, trusted = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with receivers.mail("tls", shown, asks=True) as server:
        configure(app, "smtps", server.port, "somebody:s3cr3t@")
        assert send() == "The mail server refused the login (535)."
        assert server.raw == []
    assert "s3cr3t" not in caplog.text


@pytest.mark.any_engine
@pytest.mark.process
def test_a_server_that_says_nothing_to_the_end_is_left_at_the_deadline(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SECONDS", 3.0)
    with rude(b"220-", b"drip ", drips=True, most=1000) as server:
        configure(app, "smtp", server.port, tls="&tls=none")
        assert send() == "It was not done within 3 seconds."


@pytest.mark.any_engine
@pytest.mark.process
def test_a_title_of_two_lines_puts_nothing_into_the_head_of_a_mail(app: Flask, mail: Mail) -> None:
    configure(app, "smtp", mail.port, tls="&tls=none")
    channel_id = add_message(TO)
    hostile = Message("t", "problem", "Hello\r\nBcc: everybody@example.com", "A text.")
    with write() as session:
        put(session.connection(), Channel.id == channel_id, hostile, NOON)
    assert process_pending(lambda: NOON) == 0
    assert mail.raw == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@example.org",
        "a@example.org,b@example.org",
        "a,b@example.org",
        "a@example.org\r\nBcc:b@example.org",
        "a@example.org?bcc=b@example.org",
        "A<a@example.org>",
        "a..b@example.org",
        "a@-example.org",
        f"{'a' * 65}@example.org",
        f"a@{'a.' * 130}org",
        "ä@example.org",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(BadUrl):
        target_of("message", f"mail:{address}")


def test_a_channel_may_be_an_address_where_there_is_a_mail_server(app: Flask, ada: Person) -> None:
    form = {"kind": "message", "label": "ops", "url": TO, "wants_problems": "y"}
    assert "JOBAUTO_MAIL_URL is not set" in error_beside(ada.post("/settings/notifications/", **form), "url")
    configure(app, "smtps", 465)
    assert ada.post("/settings/notifications/", **form).status_code == 302
    page = ada.get("/settings/notifications/1").text
    assert "Mail to example.org" in page
    assert "operations@" not in page


def test_without_a_server_any_more_the_message_says_what_is_missing(app: Flask) -> None:
    configure(app, "smtps", 465)
    channel_id = add_message(TO)
    app.config["MAIL_URL"] = ""
    put_message(channel_id)
    process_pending(lambda: NOON)
    assert "JOBAUTO_MAIL_URL is not set" in (messages()[0].error or "")
    assert db.session.get_one(Channel, channel_id).failing_since == NOON
