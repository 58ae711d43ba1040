"""A database without room is said so in a sentence, also where the driver is called directly for speed."""

import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from jobauto.extensions import db
from tests.backup.everything import taken
from tests.cli.conftest import Cli
from tests.databases import Postgresql, Sqlite, opened
from tests.fleets import add_site
from tests.imports.importing import import_readings

LINES = [
    f"S1,2026-03-01T{minute // 60:02}:{minute % 60:02}:{second:02}Z,1"
    for minute in range(600)
    for second in range(0, 60, 6)
]
FULL = "database or disk is full|disk I/O error|No space left on device"
NO_SPACE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE disk_full USING MESSAGE = ''No space left on device''; END';
CREATE TRIGGER no_room BEFORE INSERT ON reading EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def full(app: Flask, engine: Sqlite | Postgresql) -> None:
    """A database with a site, and no room for readings."""
    add_site("S1")
    db.session.remove()
    if isinstance(engine, Postgresql):
        with db.engine.begin() as connection:
            connection.execute(text(NO_SPACE))
    else:
        db.engine.dispose()
        event.listen(db.engine, "connect", _grow_no_more)


def _grow_no_more(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA max_page_count = 1")  # it stays as large as it is


def of_a_file(lines: Iterable[str]) -> str:
    return "\n".join(["site_id,reading_date,reading_value", *lines])


@pytest.mark.usefixtures("full")
def test_an_import_of_readings(cli: Cli) -> None:
    done = cli("import-readings", "-", input=of_a_file(LINES))
    assert (done.exit_code, done.stdout) == (1, "")
    assert_a_sentence(done.stderr)


@pytest.mark.usefixtures("full")
def test_a_restore(cli: Cli, engine: Sqlite | Postgresql, tmp_path: Path) -> None:
    file = tmp_path / "jobauto.backup"
    with engine.fresh() as uri, opened(uri):
        add_site("S1")
        import_readings(LINES)
        file.write_bytes(taken())
    done = cli("restore", "--replace", str(file))
    assert (done.exit_code, done.stdout) == (1, "")
    assert_a_sentence(done.stderr)


@pytest.mark.usefixtures("app")
def test_a_backup_without_room_for_its_scratch_file(cli: Cli, tmp_path: Path) -> None:
    # Enough for what SQLite keeps beside an open file, too little for a database.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        done = cli("backup", str(tmp_path / "jobauto.backup"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (done.exit_code, done.stdout) == (1, "")
    assert_a_sentence(done.stderr)


def assert_a_sentence(told: str) -> None:
    assert told.startswith("Error: The database does not answer (")
    assert any(reason in told for reason in FULL.split("|"))
    assert told.count("\n") == 1, "no traceback"


@pytest.mark.usefixtures("full")
def test_for_whoever_retries_it_is_an_error_like_any_other() -> None:
    with pytest.raises(OperationalError, match=FULL):
        import_readings(LINES)


@pytest.mark.postgresql
def test_a_connection_that_is_lost_meanwhile_is_known_to_be(postgresql: Postgresql) -> None:
    with postgresql.fresh() as uri, opened(uri):
        add_site("S1")
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    NO_SPACE.replace(
                        "RAISE disk_full USING MESSAGE =",
                        "PERFORM pg_terminate_backend(pg_backend_pid()); RAISE",
                    )
                )
            )
        with pytest.raises(OperationalError) as lost:
            import_readings(LINES)
        assert lost.value.connection_invalidated
        assert db.session.execute(text("SELECT 1")).scalar() == 1
