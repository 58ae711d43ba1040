"""Connections and transactions: how SQLite is opened, how a write begins, whether the schema is ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Connection, Dialect, Table, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.orm import Session

from ..extensions import Base, db
from ..models import Site
from ..models.types import local_minute_sqlite
from .strict_sqlite import make_strict

MIGRATIONS = Path(__file__).parent.parent / "migrations"
BUSY_TIMEOUT_MS = 30_000
SHORT_TIMEOUT_MS = 100
SILENT_SERVER = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How long a PostgreSQL that has vanished from the network is waited for (seconds; the last: milliseconds).

By default it is for hours, and no tick would come in them. What the address says itself goes first.
"""
IDLE_TRANSACTION = "60s"
"""After so long PostgreSQL ends a transaction whose process stands still, so that its locks stop nobody."""
_IMMEDIATE = "jobauto_immediate"
_NOWAIT = "jobauto_nowait"
_WRITING = "jobauto_writing"


_LOST = ("08", "57P")
"""Classes of SQLSTATE: a connection that fails, and a server that stops, has crashed or is starting."""
_HINDERED = ("40", "53", "55P03", "57", "58")
"""Transactions in each other's way, no room or memory, a lock not given, interventions, a disk that fails."""
_OUT_OF_ORDER = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class DatabaseNotReady(Exception):
    """The database is missing, old, newer than the program, or does not answer. Says what to do."""


class DatabaseUnreachable(DatabaseNotReady):
    """A database that does not answer. Its sentence is for operators: it may name where the database is."""

    advice = (
        "The database does not answer. "
        "Check JOBAUTO_SQLALCHEMY_DATABASE_URI, and that its server is running. The log tells more."
    )
    """For everybody."""


def init_app(app: Flask) -> None:
    """Prepare every connection of the app's engine."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            event.listen(db.engine, "do_connect", _be_patient_for_a_while)
            event.listen(db.engine, "connect", _open_postgresql)
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "do_connect", _make_for_owner_only)
            event.listen(db.engine, "connect", _open_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)
            make_strict(db.engine.dialect)


def _be_patient_for_a_while(
    _dialect: Dialect, _record: Any, _address: list[Any], options: dict[str, Any]
) -> None:
    for name, value in SILENT_SERVER.items():
        options.setdefault(name, value)


def _open_postgresql(connection: psycopg.Connection, _record: Any) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION}'")
    connection.commit()


def _make_for_owner_only(
    _dialect: Dialect, _record: Any, address: list[Any], _options: dict[str, Any]
) -> None:
    # SQLite would make it for all to read. What it makes beside it has the mode of the file itself.
    file = str(address[0])
    if file not in ("", ":memory:") and not file.startswith("file:"):
        with suppress(OSError):  # it is there; or it cannot be made, which SQLite says itself
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _open_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves, see _begin_sqlite
    connection.create_function("local_minute", 2, local_minute_sqlite, deterministic=True)
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "foreign_keys = ON",
        "synchronous = NORMAL",
        "secure_delete = ON",  # as most builds have it: what was deleted is in no copy of the file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes fails at once when another has written in between;
    # one that takes the write lock at its start waits its turn instead.
    options = connection.get_execution_options()
    if not options.get(_IMMEDIATE, False):
        connection.exec_driver_sql("BEGIN")
    elif options.get(_NOWAIT, False):
        with _patience(connection, SHORT_TIMEOUT_MS):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _patience(connection: Connection, milliseconds: int) -> Iterator[None]:
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


@contextmanager
def write(*, nowait: bool = False) -> Iterator[Session]:
    """One write transaction of the request's session: committed at the end, rolled back on an error.

    ``nowait`` is for what can be done another time: OperationalError at once while SQLite is busy.
    RuntimeError inside another one: each begins by leaving what the session had begun.
    """
    state = db.session().info
    if state.get(_WRITING, False):
        raise RuntimeError("write() inside write() would drop the work of the outer one")
    db.session.rollback()
    state[_WRITING] = True
    try:
        db.session.connection(execution_options={_IMMEDIATE: True, _NOWAIT: nowait})
        yield db.session()
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        state[_WRITING] = False


@contextmanager
def write_on(connection: Connection) -> Iterator[Connection]:
    """One write transaction of a connection that is held longer, for the sake of its temporary table."""
    connection.execution_options(**{_IMMEDIATE: True})
    try:
        with connection.begin():
            yield connection
    finally:
        connection.execution_options(**{_IMMEDIATE: False})


@contextmanager
def write_nowait(connection: Connection) -> Iterator[Connection]:
    """Like :func:`write_on`, for what can be done another time: OperationalError while SQLite is busy."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute(f"PRAGMA busy_timeout = {SHORT_TIMEOUT_MS}")
    try:
        with write_on(connection):
            yield connection
    finally:
        if isinstance(driver, sqlite3.Connection):
            driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Let a migration on SQLite replace a table that others refer to: it can change one in no other way.

    Must be entered before the transaction begins; inside one SQLite ignores it.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


@contextmanager
def driver_errors(connection: Connection) -> Iterator[None]:
    """Where the driver is called directly: make of its errors what SQLAlchemy does elsewhere."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        # Whether the connection is lost, SQLAlchemy finds out when it rolls back.
        raise DBAPIError.instance(None, None, error, type(error), dialect=connection.dialect) from error


def insert(connection: Connection, table: type[Base] | Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT; its construct differs by dialect, its methods do not."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def require_ready() -> None:
    """Raise DatabaseNotReady, in a sentence with what to do, unless the schema is this program's."""
    try:
        with db.engine.connect() as connection:
            found = revision_of(connection)
    except DatabaseError as error:
        raise unreachable(error) from error
    if found is None:
        raise DatabaseNotReady("The database is empty. Create its tables with: jobauto db upgrade")
    if found != revisions()[-1]:
        raise DatabaseNotReady(
            "The database has an older schema. Bring it up to date with: jobauto db upgrade"
        )


def revision_of(connection: Connection) -> str | None:
    """The revision of a database's schema; None of an empty one. Raises DatabaseNotReady of a newer one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in revisions():
        raise DatabaseNotReady("The database is newer than this program. Install the newer jobauto again.")
    return found


@cache
def revisions() -> list[str]:
    """The revisions of the schema, oldest first: the numbers with which the files of migrations begin.

    Alembic itself would read and run them all, and takes a tenth of a second to load.
    """
    return sorted(file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def require_all_machines() -> None:
    """Raise DatabaseUnreachable unless the fleet can be asked: a distributed database answers without it.

    Costs one row.
    """
    try:
        with db.engine.connect() as connection:
            connection.execute(select(Site.key).limit(1))
    except DatabaseError as error:
        raise unreachable(error) from error


def is_connection_lost(error: BaseException) -> bool:
    """Whether an error means that the database went away: no fault of what was asked, so ask again later.

    A distributed one says so on a connection that stays usable, when another machine is away.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if not isinstance(cause, psycopg.OperationalError):
        return False
    state = cause.sqlstate
    return state is None or state.startswith(
        _LOST
    )  # without a state it is the driver's own, not the server's


def is_unavailable(error: BaseException) -> bool:
    """Whether the database could not do its work at this moment: it is lost, busy, full, or out of order."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in _OUT_OF_ORDER
    if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith(_HINDERED):
        return True
    return is_connection_lost(error)


def unreachable(error: DatabaseError | sqlite3.Error | psycopg.Error) -> DatabaseUnreachable:
    """The sentence for a database that does not answer, without its address or password."""
    cause = error.orig if isinstance(error, DatabaseError) else error
    reason = str(cause).strip().splitlines()[0] if cause else str(error)
    return DatabaseUnreachable(
        f"The database does not answer ({reason}). "
        "Check JOBAUTO_SQLALCHEMY_DATABASE_URI, and that its server is running."
    )
