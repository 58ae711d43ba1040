"""One instant of the whole database, also where it lies on many machines."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError

from ..extensions import db
from ..models import Site
from .citus import is_distributed

ATTEMPTS = 600
"""Each waits for as long as PATIENCE at least: minutes in all."""
PATIENCE = "500ms"
"""Less than the second after which PostgreSQL looks for deadlocks, and may end the run that we wait for."""


class NeverQuiet(Exception):
    """Somebody or other has been writing for minutes without a pause."""

    def __init__(self) -> None:
        super().__init__("somebody has been writing for minutes without a pause; try again later")


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection to PostgreSQL whose transaction only reads, and sees one instant. Raises NeverQuiet.

    The instant is that of the first statement. In a distributed database each machine has one of its own,
    when it is first asked, and so they are all asked while nobody writes:

    1. Lock all tables against writing, on a second connection: whatever was being written is then there as
       a whole, on every machine, or not at all.
    2. Ask all machines, over the one connection to each that the transaction goes on with.
    3. Give the lock back. It was held for some hundredths of a second, however long the reading takes.
    """
    with db.engine.connect() as connection, db.engine.connect() as other:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        if is_distributed(other):
            _lock(other)
            connection.execute(text("SET LOCAL citus.max_adaptive_executor_pool_size = 1"))
            connection.execute(select(Site.key).limit(1))  # of every shard, before the limit counts
        other.rollback()
        yield connection


def _lock(connection: Connection) -> None:
    tables = ", ".join(map(connection.dialect.identifier_preparer.format_table, db.metadata.sorted_tables))
    for _ in range(ATTEMPTS):
        connection.rollback()
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
        try:
            connection.execute(text(f"LOCK TABLE {tables} IN SHARE MODE"))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
        else:
            return
    raise NeverQuiet
