"""What is backed up on one database is there again on another one, of either kind."""

import stat
from pathlib import Path

import pytest
from flask import Flask

from tests.backup.everything import fill_every_table, goes_on_working, rows_of, without_what_was_of_the_moment
from tests.cli.conftest import Shell
from tests.databases import POSTGRESQL, SQLITE
from tests.processes import environment

pytestmark = pytest.mark.process


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def elsewhere(request: pytest.FixtureRequest) -> str:
    """A database without any table, of each kind."""
    empty: str = request.getfixturevalue(request.param).empty()
    return empty


def shell_at(uri: str, folder: Path) -> Shell:
    return Shell(environment(uri, folder / "instance"), folder)


def test_every_row_of_every_table_comes_back_and_work_goes_on(
    app: Flask, database_uri: str, elsewhere: str, tmp_path: Path
) -> None:
    fill_every_table(app)
    before = rows_of(database_uri)
    assert all(before.values()), "something in every table"
    kept = without_what_was_of_the_moment(before)
    count = sum(map(len, kept.values()))
    tables = sum(map(bool, kept.values()))

    done = shell_at(database_uri, tmp_path)("backup", "jobauto.backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Backed up {tables} tables, {count} rows, schema ")
    assert stat.S_IMODE((tmp_path / "jobauto.backup").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} <= {"jobauto.backup", "instance", "secret-key"}

    done = shell_at(elsewhere, tmp_path)("restore", "jobauto.backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Restored {tables} tables, {count} rows, schema ")
    assert rows_of(elsewhere) == kept
    goes_on_working(elsewhere)
