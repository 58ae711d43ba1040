"""What a database that is away is told apart by: the server's or the driver's code, never its words."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from jobauto.storage.connections import is_connection_lost, is_unavailable
from tests.databases import Postgresql

LOST, HINDERED, NEITHER = (True, True), (False, True), (False, False)


def told_apart(error: BaseException) -> tuple[bool, bool]:
    return is_connection_lost(error), is_unavailable(error)


@pytest.fixture(scope="module")
def server(postgresql: Postgresql) -> str:
    """The address of a PostgreSQL."""
    return postgresql.empty()


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("08000", LOST, id="connection exception"),
        pytest.param("08006", LOST, id="connection failure"),
        pytest.param("08P01", LOST, id="protocol violation"),
        pytest.param("57P01", LOST, id="admin shutdown"),
        pytest.param("57P02", LOST, id="crash shutdown"),
        pytest.param("57P03", LOST, id="cannot connect now"),
        pytest.param("57014", HINDERED, id="query cancelled"),
        pytest.param("53100", HINDERED, id="disk full"),
        pytest.param("53200", HINDERED, id="out of memory"),
        pytest.param("40P01", HINDERED, id="deadlock"),
        pytest.param("55P03", HINDERED, id="lock not available"),
        pytest.param("58030", HINDERED, id="disk does not answer"),
        pytest.param("55006", NEITHER, id="object in use"),
        pytest.param("22012", NEITHER, id="division by zero"),
        pytest.param("42703", NEITHER, id="undefined column"),
        pytest.param("23505", NEITHER, id="unique violation"),
        pytest.param("XX000", NEITHER, id="internal error"),
    ],
)
def test_what_postgresql_says(server: str, code: str, expected: tuple[bool, bool]) -> None:
    engine = create_engine(server)
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE 'locked' USING ERRCODE = '{code}'; END $$")
    engine.dispose()
    assert told_apart(raised.value) == expected
    assert told_apart(raised.value.orig or raised.value) == expected, "the driver's own error, too"


@pytest.mark.postgresql
def test_a_server_that_ends_the_connection(server: str) -> None:
    engine = create_engine(server)
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    engine.dispose()
    assert told_apart(raised.value) == LOST


def test_a_server_that_is_not_there() -> None:
    engine = create_engine("postgresql+psycopg://ada@127.0.0.1:1/jobauto")
    with pytest.raises(DBAPIError) as raised:
        engine.connect()
    assert told_apart(raised.value) == LOST


def test_sqlite_that_is_locked(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        engine = create_engine(f"sqlite:///{tmp_path}/x", connect_args={"timeout": 0})
        with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        engine.dispose()
    assert told_apart(raised.value) == HINDERED


@pytest.mark.parametrize(
    ("before", "statement", "expected"),
    [
        pytest.param("", "SELECT locked FROM sqlite_schema", NEITHER, id="a column called locked"),
        pytest.param("", "SELECT * FROM locked", NEITHER, id="a table called locked"),
        pytest.param("", "ATTACH '/no/such/folder/x' AS y", HINDERED, id="a file that cannot be opened"),
        pytest.param("PRAGMA query_only = 1", "CREATE TABLE t (x)", HINDERED, id="nothing may be written"),
        pytest.param("PRAGMA max_page_count = 1", "CREATE TABLE t (x)", HINDERED, id="full"),
    ],
)
def test_what_sqlite_says(before: str, statement: str, expected: tuple[bool, bool]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(before)
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute(statement)
    assert told_apart(raised.value) == expected


@pytest.mark.parametrize(
    "error", [RuntimeError("locked"), psycopg.ProgrammingError("locked"), TimeoutError()]
)
def test_what_is_no_error_of_a_database(error: Exception) -> None:
    assert told_apart(error) == NEITHER
