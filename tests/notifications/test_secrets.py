"""A URL is never seen again: not on a page, in a log, in the audit log, or in the database."""

import logging
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask
from sqlalchemy import text

from jobauto import create_app
from jobauto.config import ConfigError
from jobauto.extensions import db
from jobauto.notifications import delivery
from jobauto.notifications import encryption as encryption
from jobauto.notifications.sending import process_pending
from jobauto.storage.encryption import ciphers
from tests.databases import Sqlite
from tests.fleets import NOON
from tests.notifications.receivers import Web
from tests.notifications.telling import add_heartbeat, add_message, messages, put_message
from tests.pages.reading import words
from tests.people import Person
from tests.processes import SECRET_KEY

SECRET, PASSWORD = "s3cr3t-token", "s3cr3t-password"
CHANNELS = [
    pytest.param(
        "message", f"json://user:{PASSWORD}@127.0.0.1:9/{SECRET}", "JSON at 127.0.0.1", id="webhook"
    ),
    pytest.param(
        "message",
        f"mailto://user:{PASSWORD}@127.0.0.1:9/?to=ops@example.com&from=a@example.com",
        "E-Mail at 127.0.0.1",
        id="mail",
    ),
    pytest.param("message", "slack://T1JJ3T3L2/A1BRTD4JD/s3cr3tnlazkcOXrIdevi7FQ1", "Slack", id="chat"),
    pytest.param(
        "heartbeat", f"http://user:{PASSWORD}@127.0.0.1:9/{SECRET}", "http://127.0.0.1:9", id="heartbeat"
    ),
]


def test_the_secret_key_itself_decrypts_nothing(app: Flask) -> None:
    kept = encryption.encrypt(SECRET).encode()
    secret = str(app.config["SECRET_KEY"]).encode()
    without_purpose = HKDF(SHA256(), length=32, salt=None, info=b"").derive(secret)
    for key in (without_purpose, sha256(secret).digest(), secret[:32]):
        with pytest.raises(InvalidToken):
            Fernet(urlsafe_b64encode(key)).decrypt(kept)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize(("kind", "url", "name"), CHANNELS)
def test_no_page_no_log_no_audit_and_no_table_holds_it(
    app: Flask, ada: Person, everything_logged: pytest.LogCaptureFixture, kind: str, url: str, name: str
) -> None:
    ada.post("/settings/notifications/", kind=kind, label="ops", url=url, wants_problems="y")
    if kind == "message" and not url.startswith("slack"):  # that one would be called for real
        ada.post("/settings/notifications/1", action="test")
        process_pending()
        assert [message.status for message in messages()] == ["given_up"]
        assert "refused the connection" in messages()[0].error
    elif kind == "heartbeat":
        ada.post("/settings/notifications/1", action="test")
        process_pending()
        assert messages()[0].error == "The service refused the connection."
    ada.post("/settings/notifications/1", action="switch-off")
    seen = [
        ada.get(page).text for page in ("/settings/notifications/", "/settings/notifications/1", "/audit/")
    ]
    assert all(name in page for page in seen)
    ada.post("/settings/notifications/1", action="remove")
    seen += [ada.get("/audit/").text, everything_logged.text]
    for table in ("address", "outbox", "event"):
        seen += [str(row) for row in db.session.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    assert not [one for one in seen if "s3cr3t" in one]


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("kind", "url", "why"),
    [
        ("message", f"nonsense://{SECRET}", "This is not a URL that Apprise knows"),
        ("message", SECRET, "This is not a URL that Apprise knows"),
        ("message", f"slack://{SECRET}", "Apprise knows slack://, but something in this URL is"),
        ("message", f"mailto://{SECRET}", "Apprise knows mailto://, but something in this URL is"),
        ("message", f"json://h/{SECRET} {SECRET}", "A URL is one line without spaces."),
        ("message", f"json://h/{SECRET}\r\nX: y", "A URL is one line without spaces."),
        (
            "message",
            f"discord://1/{SECRET}?template=/etc/passwd",
            "The parameter template of discord:// is not among",
        ),
        (
            "message",
            f"mailto://u:p@h.example?PGP%70ub=/{SECRET}",
            "The parameter pgppub of mailto:// is not among",
        ),
        ("heartbeat", f"ftp://h/{SECRET}", "A heartbeat's URL starts with https:// or http://"),
        ("heartbeat", f"https:///{SECRET}", "A heartbeat's URL starts with https:// or http://"),
        ("heartbeat", f"https://h:99999/{SECRET}", "A heartbeat's URL starts with https:// or http://"),
        (
            "heartbeat",
            f"https://{'h' * 254}/{SECRET}",
            "A heartbeat's URL starts with https:// or http://",
        ),
        ("heartbeat", f"https://other\\@h/{SECRET}", "A heartbeat's URL starts with https:// or http://"),
        ("heartbeat", f"json://h/{SECRET}", "A heartbeat's URL starts with https:// or http://"),
    ],
)
def test_a_bad_url_is_an_error_beside_the_field_which_does_not_repeat_it(
    app: Flask, ada: Person, everything_logged: pytest.LogCaptureFixture, kind: str, url: str, why: str
) -> None:
    page = ada.post("/settings/notifications/", kind=kind, label="ops", url=url)
    assert page.status_code == 422
    assert f"URL {why}" in words(page)
    assert SECRET not in page.text + everything_logged.text
    assert "No recipients" in words(ada.get("/settings/notifications/"))


@pytest.mark.any_engine
@pytest.mark.process
def test_after_the_secret_key_changed_page_and_log_say_so_and_nothing_breaks(
    app: Flask, ada: Person, vera: Person, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    lost = add_message(web.json_url("before"))
    put_message(lost)
    app.config["SECRET_KEY"] = "another"
    put_message(add_heartbeat(f"{web.address}/after"), kind="success")

    assert process_pending(lambda: NOON) == 1
    assert web.paths == ["/after"]
    assert "JOBAUTO_SECRET_KEY has changed since it was added" in caplog.text
    assert messages()[0].error.startswith("The URL cannot be decrypted: JOBAUTO_SECRET_KEY has changed")

    app.config["SECRET_KEY"] = SECRET_KEY  # for the sessions; the page shows a text encrypted by others
    db.session.execute(text("UPDATE address SET sealed = 'by another key' WHERE id = 1"))
    db.session.commit()
    assert "Cannot be opened" in words(vera.get("/settings/notifications/"))
    assert "or remove the channel and add it again." in words(vera.get("/settings/notifications/1"))
    ada.post("/settings/notifications/1", action="remove")
    assert ada.get("/settings/notifications/1").status_code == 404


@pytest.mark.any_engine
@pytest.mark.process
def test_with_a_former_key_named_messages_arrive_and_people_stay_logged_in(
    app: Flask, ada: Person, web: Web
) -> None:
    put_message(add_message(web.json_url("before")))
    app.config.update(SECRET_KEY="newest", SECRET_KEY_FALLBACKS=["another", SECRET_KEY])
    put_message(add_message(web.json_url("after")))
    assert process_pending(lambda: NOON) == 2
    assert sorted(web.paths) == ["/after", "/before"]
    assert ada.get("/settings/notifications/1").status_code == 200


@pytest.mark.process
@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        ("message", [{"action": "change", "wants_problems": "y"}]),
        ("heartbeat", [{"action": "switch-off"}, {"action": "switch-on"}]),
    ],
)
def test_a_channel_that_is_saved_is_encrypted_with_the_newest_key(
    app: Flask, ada: Person, web: Web, kind: str, forms: list[dict[str, str]]
) -> None:
    page = "/settings/notifications/1"
    channel_id = add_message(web.json_url()) if kind == "message" else add_heartbeat(web.address)
    app.config.update(SECRET_KEY="newest", SECRET_KEY_FALLBACKS=[SECRET_KEY])
    for shown in (page, "/settings/notifications/"):
        assert "Encrypted with a former secret key" in words(ada.get(shown))
    for form in forms:
        assert ada.post(page, **form).status_code == 302
    for shown in (page, "/settings/notifications/"):
        assert "Encrypted with a former secret key" not in words(ada.get(shown))
    app.config["SECRET_KEY_FALLBACKS"] = []
    put_message(channel_id, kind="test")
    assert process_pending(lambda: NOON) == 1


@pytest.mark.unsound
def test_a_channel_that_cannot_be_decrypted_is_switched_off_all_the_same(app: Flask, ada: Person) -> None:
    add_message("json://127.0.0.1:9/x")
    db.session.execute(text("UPDATE address SET sealed = 'by another key'"))
    db.session.commit()
    assert ada.post("/settings/notifications/1", action="switch-off").status_code == 302


@pytest.mark.parametrize(
    ("given", "taken"),
    [("", []), ("old, older", ["old", "older"]), ('["with, comma", "older"]', ["with, comma", "older"])],
)
def test_former_keys_are_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, taken: list[str]
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SECRET_KEY_FALLBACKS", given)
    assert create_app({"TESTING": True}).config["SECRET_KEY_FALLBACKS"] == taken


@pytest.mark.parametrize("given", ["[1]", '[""]', '["s3cr3t"', "[null]"])
def test_former_keys_that_cannot_be_meant_are_refused_without_repeating_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SECRET_KEY_FALLBACKS", given)
    with pytest.raises(ConfigError) as refused:
        create_app({"TESTING": True})
    assert str(refused.value) == "JOBAUTO_SECRET_KEY_FALLBACKS is not a list of texts in JSON"


def test_the_key_is_derived_for_this_purpose_alone_and_each_encryption_differs(app: Flask) -> None:
    first, second = encryption.encrypt(SECRET), encryption.encrypt(SECRET)
    assert first != second
    assert encryption.decrypt(first) == encryption.decrypt(second) == SECRET
    app.config["SECRET_KEY"] = "tests2"
    with pytest.raises(encryption.CannotDecrypt):
        encryption.decrypt(first)
    app.config["SECRET_KEY"] = SECRET_KEY
    with pytest.raises(InvalidToken):
        ciphers(b"another purpose").decrypt(first)


@pytest.mark.process
def test_a_database_that_was_stolen_holds_no_url(
    app: Flask, tmp_path: Path, engine: object, web: Web
) -> None:
    put_message(add_message(web.json_url(SECRET)))
    process_pending(lambda: NOON)
    assert web.paths == [f"/{SECRET}"]
    db.session.remove()
    if isinstance(engine, Sqlite):
        database = Path(str(db.engine.url.database))
        assert not [f for f in database.parent.glob(f"{database.name}*") if SECRET.encode() in f.read_bytes()]
    else:
        assert SECRET not in str(db.session.execute(text("SELECT * FROM address")).all())


def test_the_process_that_sends_gets_no_secret_that_the_host_keeps_beside_ours() -> None:
    needed = {"PATH": "/bin", "LC_ALL": "C.UTF-8", "SSL_CERT_FILE": "/ca.pem", "https_proxy": "http://proxy"}
    kept = ("JOBAUTO_SECRET_KEY", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "NETRC", "LD_PRELOAD")
    assert delivery.environment({**needed, **dict.fromkeys(kept, SECRET)}) == needed
