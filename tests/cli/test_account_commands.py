"""Accounts and tokens from the command line."""

import stat
from pathlib import Path

import click
import pytest
from flask import Flask

from jobauto.extensions import db
from tests.cli.conftest import Cli, Shell
from tests.people import PASSWORD, Person

SETTINGS = "/api/job-automation/settings/"


def lines(cli: Cli) -> list[str]:
    return cli("list-users").stdout.splitlines()


def may_log_in(app: Flask, name: str, password: str) -> bool:
    return Person(app, None).post("/login", username=name, password=password).status_code == 302


@pytest.mark.parametrize("typed", [f"{PASSWORD}\n", PASSWORD, f"{PASSWORD}\r\n", f"{PASSWORD}\nmore\n"])
def test_a_password_can_come_from_standard_input(app: Flask, cli: Cli, typed: str) -> None:
    done = cli("create-user", "Eve", "--role", "operator", "--password-stdin", input=typed)
    assert (done.exit_code, done.stdout) == (0, "Created operator eve\n")
    assert lines(cli) == ["eve\toperator\tactive"]
    assert may_log_in(app, "eve", PASSWORD)


def test_a_password_is_asked_for_twice_and_not_shown(cli: Cli) -> None:
    done = cli(
        "create-user", "eve", "--role", "viewer", input=f"{PASSWORD}\nother one\n{PASSWORD}\n{PASSWORD}\n"
    )
    assert done.exit_code == 0
    assert "do not match" in done.output
    assert PASSWORD not in done.output


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        pytest.param(["eve", "--role", "boss"], PASSWORD, "boss", id="an unknown role"),
        pytest.param(["eve"], PASSWORD, "--role", id="no role"),
        pytest.param(["ADA", "--role", "viewer"], PASSWORD, "There is a user ada already.", id="taken"),
        pytest.param(["e v e", "--role", "viewer"], PASSWORD, "A user name has", id="spaces"),
        pytest.param(["", "--role", "viewer"], PASSWORD, "A user name has", id="no name"),
        pytest.param(["eve", "--role", "viewer"], "short", "at least 8", id="a short password"),
        pytest.param(["eve", "--role", "viewer"], "", "at least 8", id="no password"),
        pytest.param(["eve", "--role", "viewer"], "x" * 201, "at most 200", id="a long password"),
    ],
)
def test_an_account_that_cannot_be_is_2(
    standing_cli: Cli, arguments: list[str], typed: str, told: str
) -> None:
    done = standing_cli("create-user", *arguments, "--password-stdin", input=typed)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(lines(standing_cli)) == 3


def test_users_are_listed_by_name(cli: Cli, cast: None) -> None:
    assert lines(cli) == ["ada\tadmin\tactive", "oscar\toperator\tactive", "vera\tviewer\tactive"]


def test_a_changed_password_counts_at_once_and_ends_the_sessions(app: Flask, cli: Cli, vera: Person) -> None:
    assert vera.client.open(SETTINGS).status_code == 200
    done = cli("set-password", "Vera", "--password-stdin", input="another good one")
    assert (done.exit_code, done.stdout) == (0, "Changed the password of vera\n")
    assert vera.client.open(SETTINGS).status_code == 401
    assert not may_log_in(app, "vera", PASSWORD)
    assert may_log_in(app, "vera", "another good one")
    assert vera.api("GET", SETTINGS).status_code == 200, "a token is not a session"


def test_who_is_slow_to_type_a_password_keeps_no_transaction_open(
    app: Flask, cli: Cli, cast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    was_open: list[bool] = []

    def typed(*_: object, **__: object) -> str:
        was_open.append(db.session().in_transaction())
        return "another good one"

    monkeypatch.setattr(click, "prompt", typed)
    assert cli("set-password", "vera").exit_code == 0
    assert was_open == [False]
    assert may_log_in(app, "vera", "another good one")


@pytest.mark.parametrize(("name", "typed"), [("nobody", PASSWORD), ("vera", "short")])
def test_a_password_that_cannot_be_set_is_2(
    app: Flask, cli: Cli, vera: Person, name: str, typed: str
) -> None:
    assert cli("set-password", name, "--password-stdin", input=typed).exit_code == 2
    assert may_log_in(app, "vera", PASSWORD)


@pytest.mark.process
def test_a_token_is_printed_alone_and_works(app: Flask, shell: Shell, cast: None) -> None:
    done = shell("create-token", "vera", "--name", "nightly script")
    assert done.returncode == 0
    (token,) = done.stdout.splitlines()
    assert token == token.strip()
    client = Person(app, None).client
    assert client.open(SETTINGS, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert client.open(SETTINGS, headers={"Authorization": f"Bearer {token}x"}).status_code == 401


@pytest.mark.parametrize(
    "arguments", [["nobody", "--name", "x"], ["vera"], ["vera", "--name", " "], ["vera", "--name", "x" * 101]]
)
def test_a_token_that_cannot_be_is_2(standing_cli: Cli, arguments: list[str]) -> None:
    done = standing_cli("create-token", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")


def test_the_first_login_is_printed_again_and_kept_for_its_owner_only(app: Flask, cli: Cli) -> None:
    first, second = cli("first-login"), cli("first-login")
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    password = first.stdout.split()[-1]
    assert len(password) >= 12
    assert may_log_in(app, "admin", password)
    assert lines(cli) == ["admin\tadmin\tactive"]
    kept = Path(app.instance_path) / "first-login"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_first_login_that_was_changed_is_not_printed(cli: Cli) -> None:
    password = cli("first-login").stdout.split()[-1]
    cli("set-password", "admin", "--password-stdin", input="my very own password")
    done = cli("first-login")
    assert (done.exit_code, done.stdout) == (0, "Log in with your own account.\n")
    assert password not in done.stdout


def test_where_there_are_accounts_no_first_login_is_made(cli: Cli, cast: None) -> None:
    assert cli("first-login").stdout == "Log in with your own account.\n"
    assert len(lines(cli)) == 3


@pytest.mark.parametrize("must_change", [False, True])
@pytest.mark.parametrize("command", [["create-user", "eve", "--role", "viewer"], ["set-password", "eve"]])
def test_a_password_must_be_changed_at_the_next_login_where_it_is_asked_for(
    app: Flask, cli: Cli, command: list[str], must_change: bool
) -> None:
    if command[0] == "set-password":
        cli("create-user", "eve", "--role", "viewer", "--password-stdin", input=PASSWORD)
    asked = ["--must-change"] if must_change else []
    assert cli(*command, "--password-stdin", *asked, input="another good one").exit_code == 0
    answer = Person(app, None).post("/login", username="eve", password="another good one")
    assert answer.location == ("/login/new-password" if must_change else "/")
