"""A database that is missing, old, newer or silent is said so in a sentence with what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from tests.cli.conftest import Shell
from tests.databases import Postgresql, Sqlite, application
from tests.migrating import upgrade
from tests.people import Browser
from tests.processes import BIN, environment, started

COMMANDS = (
    ["run-daily-job-automation"],
    ["run-daily-job-automation", "--dry-run"],
    ["create-no-coms-jobs", "--as-of", "2026-03-31"],
    ["list-users"],
    ["create-token", "ada", "--name", "x"],
    ["import-sites", "-"],
    ["scheduler"],
    ["demo"],
    ["backup", "-"],
)
ADVICE = {
    "empty": "jobauto db upgrade",
    "newer": "Install the newer jobauto again",
    "unreachable": "Check JOBAUTO_SQLALCHEMY_DATABASE_URI",
}
SILENT = "postgresql://ada:very-secret@127.0.0.1:1/jobauto?connect_timeout=2"


@pytest.fixture(params=["empty", "newer", "unreachable"])
def not_ready(
    request: pytest.FixtureRequest, engine: Sqlite | Postgresql, tmp_path: Path
) -> Iterator[tuple[Flask, str]]:
    """An application on a database that is not ready, and what it says one should do."""
    with engine.fresh() as uri:
        addresses = {"empty": engine.empty(), "newer": uri, "unreachable": unreachable(engine, tmp_path)}
        app = application(addresses[request.param])
        with app.app_context():
            if request.param == "newer":
                with db.engine.begin() as connection:
                    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            yield app, ADVICE[request.param]
            db.engine.dispose()


def unreachable(engine: Sqlite | Postgresql, tmp_path: Path) -> str:
    return SILENT if isinstance(engine, Postgresql) else f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3"


def test_every_command_says_so_and_ends_with_1(not_ready: tuple[Flask, str]) -> None:
    app, advice = not_ready
    for command in COMMANDS:
        done = app.test_cli_runner().invoke(args=command, input="site_id,site_name\n")
        assert (done.exit_code, done.stdout) == (1, ""), command
        assert done.stderr.startswith("Error: The database ")
        assert advice in done.stderr
        assert "very-secret" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["/api/jobs/", "/api/job-automation/settings/", "/api/nonsense"])
def test_the_api_says_so_with_503(not_ready: tuple[Flask, str], address: str) -> None:
    app, advice = not_ready
    answer = Browser(app, app.response_class).open(address, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503
    assert set(answer.json) == {"error", "fields"}
    assert advice in answer.json["error"]
    assert "very-secret" not in answer.text


@pytest.mark.parametrize("address", ["/", "/login", "/jobs/", "/settings/"])
def test_pages_say_so_with_503(not_ready: tuple[Flask, str], address: str) -> None:
    app, advice = not_ready
    answer = Browser(app, app.response_class).open(address)
    assert answer.status_code == 503
    assert advice in answer.text
    assert "very-secret" not in answer.text
    assert "Traceback" not in answer.text


def test_healthz_says_so_with_503(not_ready: tuple[Flask, str]) -> None:
    app, _ = not_ready
    answer = Browser(app, app.response_class).open("/healthz")
    assert answer.status_code == 503
    assert answer.json == {"status": "error", "error": "the database is not ready"}


def test_a_database_becomes_ready_without_a_restart(engine: Sqlite | Postgresql) -> None:
    app = application(engine.empty())
    browser = Browser(app, app.response_class)
    assert browser.open("/login").status_code == 503
    with app.app_context():
        upgrade()
        assert browser.open("/login").status_code == 200
        db.engine.dispose()


@pytest.mark.process
def test_db_upgrade_makes_an_empty_database_ready_for_an_operator(
    engine: Sqlite | Postgresql, tmp_path: Path
) -> None:
    shell = Shell(environment(engine.empty(), tmp_path), tmp_path)
    before = shell("list-users")
    assert before.returncode == 1
    assert before.stderr == "Error: The database is empty. Create its tables with: jobauto db upgrade\n"
    assert shell("db", "upgrade").returncode == 0
    assert shell("db", "upgrade").returncode == 0, "again, with nothing left to do"
    after = shell("list-users")
    assert (after.returncode, after.stdout) == (0, "")


@pytest.mark.process
@pytest.mark.postgresql
def test_of_two_who_upgrade_at_once_one_does_and_the_other_finds_it_done(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    env = environment(postgresql.empty(), tmp_path)
    upgrading = [str(BIN / "jobauto"), "db", "upgrade"]
    with started(upgrading, env) as one, started(upgrading, env) as other:
        assert [one.end(), other.end()] == [0, 0], one.output + other.output


@pytest.mark.process
def test_db_upgrade_on_a_database_that_does_not_answer_is_a_sentence(
    engine: Sqlite | Postgresql, tmp_path: Path
) -> None:
    shell = Shell(environment(unreachable(engine, tmp_path), tmp_path), tmp_path)
    done = shell("db", "upgrade")
    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stderr
