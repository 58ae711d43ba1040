"""Readings into the database in bulk, by the fastest way that each engine has."""

import json
import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ..models.types import to_microseconds
from ..storage.citus import is_distributed
from ..storage.connections import driver_errors

Ready = tuple[int, int, int]
"""A reading as it is stored: ``site_key``, microseconds since 1970, watt-hours."""
ReadingKey = tuple[int, int]
WhileWaiting = Callable[[], object]
"""Something to do while a server is at work; on SQLite, which works in this very thread, it is left."""


_NEWEST = """
    SELECT site.key, (SELECT reading.reading_value FROM reading WHERE reading.site_key = site.key
                      ORDER BY reading.reading_date DESC LIMIT 1)
    FROM site WHERE site.key {}"""


def nothing() -> None:
    """Do nothing meanwhile."""


class AlreadyStored(Exception):
    """Some of the rows were there, so none was inserted."""


class Comparison(NamedTuple):
    """How many of some rows are stored, and how many of these with the same value."""

    stored: int
    same: int


class Bulk(Protocol):
    """What an import asks of an engine, within the transaction of the caller.

    ``BATCH`` is how many rows it takes best at a time. The rows of a call have different keys and are sorted
    by them: so each page is written once, and two imports of the same rows at once wait for each other
    instead of dead-locking.
    """

    BATCH: int

    def insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting = ...) -> None:
        """Store new rows. Raises AlreadyStored, and then the transaction must be rolled back."""

    def compare(self, rows: Sequence[Ready], while_waiting: WhileWaiting = ...) -> Comparison:
        """Count how the rows differ from what is stored."""

    def differing(self, rows: Sequence[Ready]) -> set[ReadingKey]:
        """The keys of those rows that are stored with another value."""

    def change(self, rows: Sequence[Ready]) -> None:
        """Store the rows that are new or differ; what is equal is not touched."""

    def sites(self, site_ids: Collection[str]) -> Iterable[tuple[str, int, bool]]:
        """Of those sites that there are, ``site_id``, key and whether it is one of the demo's."""

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        """The newest stored value of sites in watt-hours, None where there is none."""

    def names(self, site_keys: Collection[int]) -> list[str]:
        """The ``site_id`` of sites, in their order."""

    def present(self, site_keys: Collection[int]) -> int:
        """How many of the sites there are."""


def bulk_of(connection: Connection) -> Bulk:
    """The way of a connection's engine."""
    if connection.dialect.name != "postgresql":
        return SqliteBulk(connection)
    with nullcontext() if connection.in_transaction() else connection.begin():
        return DistributedBulk(connection) if is_distributed(connection) else PostgresqlBulk(connection)


class SqliteBulk:
    """Hundreds of rows a statement: with a statement a row, Python would take longer than the table does."""

    BATCH = 100_000
    """A file in the order of days touches nearly every page of the table in each batch, and so writes it."""
    ROWS = 300
    """Their values are fewer than the 999 parameters that every SQLite takes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection

    def insert(self, rows: Sequence[Ready], _while_waiting: WhileWaiting = nothing) -> None:
        try:
            self._with_values(rows, "INSERT INTO reading (site_key, reading_date, reading_value) {}")
        except IntegrityError as error:
            raise AlreadyStored from error

    def compare(self, rows: Sequence[Ready], _while_waiting: WhileWaiting = nothing) -> Comparison:
        counts = self._with_values(
            rows,
            "SELECT count(*), coalesce(sum(reading_value = column3), 0) "
            "FROM ({}) AS given CROSS JOIN reading ON site_key = column1 AND reading_date = column2",
        )
        return Comparison(sum(stored for stored, _ in counts), sum(same for _, same in counts))

    def differing(self, rows: Sequence[Ready]) -> set[ReadingKey]:
        found = self._with_values(
            rows,
            "SELECT site_key, reading_date FROM ({}) AS given CROSS JOIN reading "
            "ON site_key = column1 AND reading_date = column2 WHERE reading_value <> column3",
        )
        return {(site_key, instant) for site_key, instant in found}

    def change(self, rows: Sequence[Ready]) -> None:
        self._with_values(
            rows,
            "INSERT INTO reading (site_key, reading_date, reading_value) {} "
            "ON CONFLICT (site_key, reading_date) DO UPDATE SET reading_value = excluded.reading_value "
            "WHERE reading_value <> excluded.reading_value",
        )

    def sites(self, site_ids: Collection[str]) -> Iterable[tuple[str, int, bool]]:
        query = "SELECT site_id, key, is_demo FROM site WHERE site_id IN (SELECT value FROM json_each(?))"
        with driver_errors(self._connection):
            found: list[tuple[str, int, bool]] = self._driver.execute(
                query, (json.dumps([*site_ids]),)
            ).fetchall()
        return found

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        return self._of_keys(_NEWEST.format("IN (SELECT value FROM json_each(?))"), site_keys)

    def names(self, site_keys: Collection[int]) -> list[str]:
        query = "SELECT site_id FROM site WHERE key IN (SELECT value FROM json_each(?)) ORDER BY site_id"
        return [site_id for (site_id,) in self._of_keys(query, site_keys)]

    def _of_keys(self, query: str, site_keys: Collection[int]) -> list[Any]:
        with driver_errors(self._connection):
            found: list[Any] = self._driver.execute(query, (json.dumps([*site_keys]),)).fetchall()
        return found

    def present(self, site_keys: Collection[int]) -> int:
        query = "SELECT count(*) FROM site WHERE key IN (SELECT value FROM json_each(?))"
        with driver_errors(self._connection):
            found: int = self._driver.execute(query, (json.dumps([*site_keys]),)).fetchone()[0]
        return found

    def _with_values(self, rows: Sequence[Ready], statement: str) -> list[Any]:
        """Execute a statement, with as many rows as it takes in place of its braces, for all rows."""
        told: list[Any] = []
        for start in range(0, len(rows), self.ROWS):
            some = rows[start : start + self.ROWS]
            values = "VALUES " + ",".join(["(?,?,?)"] * len(some))
            numbers = tuple(chain.from_iterable(some))
            # Fetched at once: while a statement is open, the same has to be prepared anew.
            with driver_errors(self._connection):
                told += self._driver.execute(statement.format(values), numbers).fetchall()
        return told


class PostgresqlBulk:
    """COPY in its binary format: new rows straight into the table, others beside it to be compared there."""

    BATCH = 8000
    """A socket takes about so many at once (208 KiB on Linux): the server is busy while the next are read."""
    HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    END = struct.pack(">h", -1)
    ROW = struct.Struct(">hiqiqiq")
    EPOCH = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))

    # Without statistics of the batch, the planner may want to read the whole table of readings for each.
    PREPARE = """
        SET LOCAL enable_hashjoin = off;
        SET LOCAL enable_mergejoin = off;
        SET LOCAL enable_seqscan = off;
        CREATE TEMPORARY TABLE IF NOT EXISTS staged_reading
            (site_key BIGINT, reading_date TIMESTAMPTZ, reading_value BIGINT) ON COMMIT DELETE ROWS;
        DELETE FROM staged_reading"""
    COMPARE = """
        SELECT count(*), count(*) FILTER (WHERE stored.reading_value = given.reading_value)
        FROM staged_reading AS given JOIN reading AS stored USING (site_key, reading_date)"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting = nothing) -> None:
        try:
            self._copy("reading", rows, while_waiting)
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation):
                raise AlreadyStored from error
            raise

    def compare(self, rows: Sequence[Ready], while_waiting: WhileWaiting = nothing) -> Comparison:
        self._stage(rows)
        driver: Any = self._connection.connection.driver_connection
        with driver_errors(self._connection), driver.pipeline(), driver.cursor() as cursor:
            cursor.execute(self.COMPARE)  # in a pipeline the answer is not waited for
            while_waiting()
            return Comparison(*cursor.fetchone())

    def differing(self, rows: Sequence[Ready]) -> set[ReadingKey]:
        self._stage(rows)
        found = self._connection.exec_driver_sql(
            "SELECT site_key, reading_date "
            "FROM staged_reading AS given JOIN reading AS stored USING (site_key, reading_date) "
            "WHERE stored.reading_value <> given.reading_value"
        )
        return {(key, to_microseconds(instant)) for key, instant in found}

    def change(self, rows: Sequence[Ready]) -> None:
        self._stage(rows)
        self._connection.exec_driver_sql(
            "DELETE FROM staged_reading AS given USING reading AS stored "
            "WHERE stored.site_key = given.site_key AND stored.reading_date = given.reading_date "
            "AND stored.reading_value = given.reading_value"
        )
        self._connection.exec_driver_sql(
            "INSERT INTO reading (site_key, reading_date, reading_value) "
            "SELECT * FROM staged_reading ORDER BY site_key, reading_date "
            "ON CONFLICT (site_key, reading_date) DO UPDATE SET reading_value = excluded.reading_value"
        )

    def sites(self, site_ids: Collection[str]) -> Iterable[tuple[str, int, bool]]:
        query = "SELECT site_id, key, is_demo FROM site WHERE site_id = ANY(%s)"
        return self._connection.exec_driver_sql(query, ([*site_ids],)).all()

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        found = self._connection.exec_driver_sql(_NEWEST.format("= ANY(%s)"), ([*site_keys],))
        return [(key, value) for key, value in found]

    def names(self, site_keys: Collection[int]) -> list[str]:
        query = "SELECT site_id FROM site WHERE key = ANY(%s) ORDER BY site_id"
        return list(self._connection.exec_driver_sql(query, ([*site_keys],)).scalars())

    def present(self, site_keys: Collection[int]) -> int:
        query = "SELECT count(*) FROM site WHERE key = ANY(%s)"
        found: int = self._connection.exec_driver_sql(query, ([*site_keys],)).scalar_one()
        return found

    def _stage(self, rows: Sequence[Ready]) -> None:
        with driver_errors(self._connection):
            self._connection.connection.cursor().execute(self.PREPARE)
        self._copy("staged_reading", rows)

    def _copy(self, table: str, rows: Sequence[Ready], while_waiting: WhileWaiting = nothing) -> None:
        pack, epoch = self.ROW.pack, self.EPOCH
        statement = f"COPY {table} (site_key, reading_date, reading_value) FROM STDIN (FORMAT BINARY)"
        cursor: Any = self._connection.connection.cursor()
        with driver_errors(self._connection), cursor, cursor.copy(statement) as copy:
            packed = [pack(3, 8, key, 8, at - epoch, 8, value) for key, at, value in rows]
            copy.write(b"".join([self.HEADER, *packed, self.END]))
            while_waiting()


class DistributedBulk(PostgresqlBulk):
    """The same over many machines: each batch goes to all of them, and waits for the slowest."""

    BATCH = 100_000
    """With 8,000, 1.5 million rows took 218 s; with this, 9 million took 64 s (44 s on one machine)."""
