"""The two databases that are measured: a SQLite file, and the tests' own PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from jobauto import create_app
from jobauto.extensions import db
from tests.databases import Postgresql, Sqlite
from tests.people import add_cast

SHOWN = ("fsync", "synchronous_commit", "shared_buffers", "work_mem", "max_parallel_workers_per_gather")


@dataclass(frozen=True)
class Engine:
    """A kind of database, and where fresh ones come from."""

    name: str
    source: Sqlite | Postgresql

    @contextmanager
    def fresh(self) -> Iterator[Flask]:
        """The application on a database of its own, with the cast and an app context pushed."""
        with self.source.fresh() as uri:
            app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "bench" * 7})
            with app.app_context():
                add_cast()
                yield app
                db.session.remove()
                db.engine.dispose()

    def settings(self) -> str:
        """The version, and what of its configuration matters here."""
        with self.fresh(), db.engine.connect() as connection:
            if self.name == "SQLite":
                version = connection.scalar(text("SELECT sqlite_version()"))
                return f"SQLite {version} (WAL, synchronous=NORMAL)"
            version = connection.scalar(text("SHOW server_version"))
            shown = {name: connection.scalar(text(f"SHOW {name}")) for name in SHOWN}
            return f"PostgreSQL {version} ({', '.join(f'{name}={value}' for name, value in shown.items())})"


@contextmanager
def engines(folder: Path) -> Iterator[tuple[Engine, Engine]]:
    """Both, until the block ends; then their files are gone."""
    server = Postgresql()
    try:
        yield Engine("SQLite", Sqlite(folder)), Engine("PostgreSQL", server)
    finally:
        server.stop()
