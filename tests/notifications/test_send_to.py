"""Messages go to public hosts, and to private ones that JOBAUTO_SEND_TO names, as each connection shows."""

import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text, update

from jobauto import create_app
from jobauto.config import ConfigError
from jobauto.extensions import db
from jobauto.models import Channel
from jobauto.notifications import courier, destinations
from jobauto.notifications.courier import Reach
from jobauto.notifications.encryption import encrypt
from jobauto.notifications.sending import process_pending
from tests.databases import Postgresql, Sqlite
from tests.fleets import NOON
from tests.migrating import upgrade
from tests.notifications.receivers import Mail, Web
from tests.notifications.telling import add_heartbeat, add_message, messages, put_message
from tests.pages.reading import error_beside, words
from tests.people import Person

PAGE = "/settings/notifications/"
NOT_NAMED = "Its host is in a private range, and JOBAUTO_SEND_TO does not name it."
PUBLIC = ip_address("93.184.215.14")


@pytest.fixture
def by_default(app: Flask) -> None:
    """Nothing in private ranges is allowed."""
    app.config["SEND_TO"] = []


@pytest.mark.parametrize(
    ("ip", "reached"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 (nothing is bound)
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a01:203", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("fec0::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("192.88.99.1", False),
        ("::5efe:7f00:1", False),
        ("200::1", False),
        ("4000::1", False),
        ("e000::1", False),
    ],
)
def test_what_is_in_reach_when_nothing_is_named(ip: str, reached: bool) -> None:
    assert Reach([]).includes(ip_address(ip)) == reached


@pytest.mark.parametrize(
    ("entry", "ip", "reached"),
    [
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("10.1.0.0/16", "10.1.255.255", True),
        ("10.1.0.0/16", "::ffff:10.1.0.1", True),
        ("10.1.0.0/16", "10.2.0.1", False),
        ("fd00::/8", "fd12::1", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "127.0.0.2", False),
        ("nobody.invalid", "10.1.2.3", False),
    ],
)
def test_what_is_named_is_in_reach(entry: str, ip: str, reached: bool) -> None:
    assert Reach([entry]).includes(ip_address(ip)) == reached


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", []),
        (
            "mail.internal, 10.1.0.0/16 ,127.0.0.1,fd00::/8",
            ["mail.internal", "10.1.0.0/16", "127.0.0.1", "fd00::/8"],
        ),
        ("localhost,", ["localhost"]),
    ],
)
def test_the_variable_is_a_list_of_hosts_and_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, taken: list[str]
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SEND_TO", given)
    assert create_app({"TESTING": True}).config["SEND_TO"] == taken


@pytest.mark.parametrize(
    "given", ["10.1.2.300", "10.1.2.3/16", "http://h", "h:25", "a b", "10.0.0.0/33", "*.internal"]
)
def test_what_is_neither_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SEND_TO", f"mail.internal,{given}")
    with pytest.raises(ConfigError, match="JOBAUTO_SEND_TO: "):
        create_app({"TESTING": True})


@pytest.mark.any_engine
@pytest.mark.usefixtures("by_default")
@pytest.mark.parametrize(
    ("kind", "url", "host"),
    [
        ("message", "json://10.1.2.3/x", "10.1.2.3"),
        ("message", "json://[::1]/x", "::1"),
        ("message", "json://localhost/x", "localhost"),
        ("message", "ntfys://169.254.169.254/topic", "169.254.169.254"),
        ("message", "mailto://127.0.0.1/?to=a@example.com&from=b@example.com", "127.0.0.1"),
        ("message", "mailto://u:p@example.com?smtp=192.168.0.5", "192.168.0.5"),
        ("heartbeat", "http://[::1]/x", "::1"),
        ("heartbeat", "https://localhost/x", "localhost"),
    ],
)
def test_the_form_says_what_to_set_for_a_private_host(ada: Person, kind: str, url: str, host: str) -> None:
    page = ada.post(PAGE, kind=kind, label="ops", url=url)
    assert page.status_code == 422
    assert error_beside(page, "url") == (
        f"{host} is in a private range. To allow it, set JOBAUTO_SEND_TO={host} and restart the program."
    )
    assert "No recipients" in words(ada.get(PAGE))


def test_it_is_added_to_what_is_set(app: Flask, ada: Person) -> None:
    page = ada.post(PAGE, kind="message", label="ops", url="json://10.1.2.3/x")
    assert "set JOBAUTO_SEND_TO=127.0.0.0/8,10.1.2.3 and" in words(page)


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.parametrize("send_to", [["localhost"], ["127.0.0.1"], ["127.0.0.0/8"]], ids=" ".join)
def test_a_host_that_is_named_gets_its_messages(app: Flask, web: Web, mail: Mail, send_to: list[str]) -> None:
    app.config["SEND_TO"] = send_to
    put_message(add_message(web.json_url("message")))
    put_message(add_message(f"mailto://127.0.0.1:{mail.port}/?from=a@example.com&to=b@example.com"))
    put_message(add_heartbeat(f"{web.address}/heartbeat"), kind="success")
    assert process_pending(lambda: NOON) == 3


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.usefixtures("by_default")
def test_a_name_that_leads_inside_only_when_it_is_connected_to_gets_nothing(
    app: Flask, web: Web, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "addresses_of", lambda _: {PUBLIC})
    port = web.address.rpartition(":")[2]
    put_message(add_message(f"json://localhost:{port}/x"), kind="test")
    put_message(
        add_message(f"mailto://localhost:{mail.port}/?from=a@example.com&to=b@example.com"), kind="test"
    )
    put_message(add_heartbeat(f"http://localhost:{port}/x"), kind="test")
    assert process_pending(lambda: NOON) == 0
    assert (web.requests, mail.raw) == ([], [])
    assert {message.error for message in messages()} == {NOT_NAMED}


def make_exempt() -> None:
    db.session.execute(update(Channel).values(exempt=True))
    db.session.commit()


@pytest.mark.any_engine
@pytest.mark.process
def test_channels_from_before_go_on_and_the_page_names_those_that_would_need_it(
    app: Flask, vera: Person, web: Web
) -> None:
    put_message(add_message(web.json_url("private"), label="inside"))
    add_message("json://93.184.215.14/public", label="outside")
    put_message(add_message("json://127.0.0.1:9/x", label="not on the list"))
    make_exempt()
    not_listed = encrypt(f"{web.json_url('retried')}?retry=2")
    db.session.execute(update(Channel).where(Channel.id == 3).values(encrypted_url=not_listed))
    db.session.commit()
    app.config["SEND_TO"] = []

    assert process_pending(lambda: NOON) == 2
    assert sorted(web.paths) == ["/private", "/retried"]

    page = words(vera.get(PAGE))
    assert "inside: 127.0.0.1 is in a private range." in page
    assert "To allow it, set JOBAUTO_SEND_TO=127.0.0.1 and restart the program." in page
    assert "not on the list: The parameter retry of json:// is not among those that are allowed." in page
    assert "outside:" not in page
    assert "JOBAUTO_SEND_TO=127.0.0.1" in words(vera.get(f"{PAGE}1"))
    assert "From before there were limits" not in words(vera.get(f"{PAGE}2"))

    app.config["SEND_TO"] = ["127.0.0.1"]
    assert "inside:" not in words(vera.get(PAGE))


@pytest.mark.any_engine
@pytest.mark.process
@pytest.mark.usefixtures("by_default")
def test_a_channel_that_was_allowed_once_is_not_from_before(app: Flask, vera: Person, web: Web) -> None:
    app.config["SEND_TO"] = ["127.0.0.1"]
    put_message(add_message(web.json_url()), kind="test")
    app.config["SEND_TO"] = []
    assert process_pending(lambda: NOON) == 0
    assert messages()[0].error == NOT_NAMED
    assert "From before there were limits" not in words(vera.get(PAGE))


def test_an_upgrade_lets_the_channels_go_on_that_it_finds(engine: Sqlite | Postgresql) -> None:
    app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": engine.empty(), "SECRET_KEY": "tests"})
    at = 0 if isinstance(engine, Sqlite) else NOON
    with app.app_context():
        upgrade(revision="0008")
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO address (id, kind, label, hint, sealed, created_at)"
                    " VALUES (7, 'message', 'ops', 'JSON at h', 'x', :at)"
                ),
                {"at": at},
            )
        upgrade()
        assert [(channel.id, channel.exempt) for channel in db.session.query(Channel)] == [(7, True)]
        db.session.remove()
        db.engine.dispose()


@pytest.mark.process
@pytest.mark.parametrize(
    "what",
    [
        "subprocess.run(['true'])",
        "os.system('true')",
        "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET6).connect(('::1', 9))",
        "socket.socket().connect(('localhost', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
    ],
)
def test_whatever_a_service_does_it_starts_no_program_and_reaches_nothing_inside(what: str) -> None:
    folder = Path(courier.__file__).parent
    script = (
        f"import os, socket, subprocess, sys; sys.path.insert(0, {str(folder)!r}); import courier\n"
        f"courier.watch_connections(courier.Reach([]), courier.Report())\n"
        f"try:\n    {what}\nexcept courier.OutOfReach:\n    print('refused')\n"
    )
    command = [sys.executable, "-P", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("refused\n", "")
