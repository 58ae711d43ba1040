"""Readings into the database in bulk, by the fastest way that each engine has."""

import json
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import chain
from threading import Thread
from typing import Any, NamedTuple, Protocol

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ..models.quality import Quality
from ..models.types import from_microseconds, to_microseconds
from ..quality.tail import CALM
from ..storage.citus import is_distributed
from ..storage.connections import driver_errors

Ready = tuple[int, int, int]
"""A reading as it is stored: ``site_key``, microseconds since 1970, watt-hours."""
ReadingKey = tuple[int, int]
WhileWaiting = Callable[[], object]
"""Something to do while a server is at work; on SQLite, which works in this very thread, it is left."""


_NEWEST = """
    SELECT site.key, (SELECT reading.reading_value FROM reading
                      WHERE reading.site_key = site.key AND reading.quality = 0
                      ORDER BY reading.reading_date DESC LIMIT 1)
    FROM site WHERE site.key {}"""
_SITES = "SELECT site_id, key, is_demo, measure, counts FROM site WHERE site_id {}"
_REPLACED = ", ".join(
    f"{name} = excluded.{name}" for name in ("reading_value", "quality", "received", "import_id")
)
_SAME = {
    False: f"reading_value = {{value}} AND quality <> {Quality.ESTIMATED}",
    True: f"(reading_value = {{value}} OR quality <> {Quality.ESTIMATED})",
}
"""When a row makes no difference: an estimated one never replaces an actual one, which always replaces it."""


_REPLACED_COLUMNS = "site_key, reading_date, import_id, reading_value, is_estimated, received, replaced_at"
_KEEP_REPLACED = f"""
    INSERT INTO replaced_reading ({_REPLACED_COLUMNS})
    SELECT stored.site_key, stored.reading_date, coalesce(stored.import_id, 0), stored.reading_value,
           stored.quality = {Quality.ESTIMATED}, stored.received, {{replaced_at}}
    FROM {{given}} CROSS JOIN reading AS stored
    WHERE stored.site_key = {{site_key}} AND stored.reading_date = {{reading_date}} AND NOT ({{same}})
    ON CONFLICT (site_key, reading_date, import_id) DO UPDATE SET
        reading_value = excluded.reading_value, is_estimated = excluded.is_estimated,
        received = excluded.received, replaced_at = excluded.replaced_at"""  # noqa: S608 (our words)
_KEEP_OUTRANKED = f"""
    INSERT INTO replaced_reading ({_REPLACED_COLUMNS})
    SELECT stored.site_key, stored.reading_date, {{import_id}}, {{value}}, true,
           {{replaced_at}}, {{replaced_at}}
    FROM {{given}} CROSS JOIN reading AS stored
    WHERE stored.site_key = {{site_key}} AND stored.reading_date = {{reading_date}}
    AND stored.quality <> {Quality.ESTIMATED}
    ON CONFLICT (site_key, reading_date, import_id) DO NOTHING"""  # noqa: S608 (our words)


class Stamp(NamedTuple):
    """What is kept of the rows of an import: when they were received, and its number."""

    received: datetime | None = None
    import_id: int | None = None


UNSTAMPED = Stamp()


class SiteRow(NamedTuple):
    """A site as an import meets it."""

    site_id: str
    key: int
    is_demo: bool
    measure: str | None
    counts: str


class Tail(NamedTuple):
    """What a site's newest reading is, before more are stored; its part is empty where there is none.

    ``capacity`` is in watts. ``is_troubled`` tells that something was in doubt shortly before it,
    or that people have said something about the site.
    """

    site_key: int
    measure: str | None
    counts: str
    capacity: int | None
    at: int | None
    value: int
    quality: int
    meter: int
    is_troubled: bool


class Span(NamedTuple):
    """Readings of a site from one instant to another, and the number of their meter."""

    site_key: int
    first: int
    last: int
    meter: int


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
    stamp: Stamp

    def insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting = ...) -> None:
        """Store new rows. Raises AlreadyStored, and then the transaction must be rolled back."""

    def compare(
        self, rows: Sequence[Ready], while_waiting: WhileWaiting = ..., *, estimated: bool = False
    ) -> Comparison:
        """Count how the rows differ from what is stored. All of them are ``estimated``, or none."""

    def differing(self, rows: Sequence[Ready]) -> set[ReadingKey]:
        """The keys of those rows that are stored with another value."""

    def change(self, rows: Sequence[Ready], *, estimated: bool = False) -> list[ReadingKey]:
        """Store the rows that are new or differ, and tell which; what is equal is not touched."""

    def keep_replaced(self, rows: Sequence[Ready], *, estimated: bool = False) -> None:
        """Keep the values that :meth:`change` is about to replace, so that the import can be undone."""

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        """Keep those of some estimated rows that do not stand, for an actual value does."""

    def tails(self, site_keys: Collection[int]) -> Iterable[Tail]:
        """The newest readings of sites, and what decides whether others are in line with them."""

    def set_meters(self, spans: Sequence[Span]) -> None:
        """Say of which meter new readings are."""

    def sites(self, site_ids: Collection[str]) -> Iterable[SiteRow]:
        """Those sites that there are."""

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        """The newest stored value of sites in watt-hours, None where there is none."""

    def names(self, site_keys: Collection[int]) -> list[str]:
        """The ``site_id`` of sites, in their order."""

    def present(self, site_keys: Collection[int]) -> int:
        """How many of the sites there are."""


def bulk_of(connection: Connection, stamp: Stamp = UNSTAMPED) -> Bulk:
    """The way of a connection's engine."""
    if connection.dialect.name != "postgresql":
        return SqliteBulk(connection, stamp)
    with nullcontext() if connection.in_transaction() else connection.begin():
        bulk = DistributedBulk if is_distributed(connection) else PostgresqlBulk
        return bulk(connection, stamp)


class SqliteBulk:
    """Hundreds of rows a statement: with a statement a row, Python would take longer than the table does."""

    BATCH = 100_000
    """A file in the order of days touches nearly every page of the table in each batch, and so writes it."""
    ROWS = 300
    """Their values are fewer than the 999 parameters that every SQLite takes."""

    INSERT = "INSERT INTO reading (site_key, reading_date, reading_value, quality, received, import_id) {} "
    TAILS = f"""
        SELECT site.key, site.measure, site.counts, site.capacity_kwp, newest.reading_date,
               newest.reading_value, newest.quality, newest.meter,
               EXISTS (SELECT 1 FROM review WHERE review.site_key = site.key
                       AND review.ended_at >= newest.reading_date - {CALM})
        FROM site LEFT JOIN reading AS newest
            ON newest.site_key = site.key AND newest.reading_date =
               (SELECT max(reading_date) FROM reading WHERE reading.site_key = site.key)
        WHERE site.key IN (SELECT value FROM json_each(?))"""  # noqa: S608 (our words)

    def __init__(self, connection: Connection, stamp: Stamp) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self.stamp = stamp

    def _row(self, *, estimated: bool = False) -> str:
        received = "NULL" if self.stamp.received is None else to_microseconds(self.stamp.received)
        import_id = "NULL" if self.stamp.import_id is None else self.stamp.import_id
        return f"(?,?,?,{Quality.ESTIMATED if estimated else Quality.GOOD},{received},{import_id})"

    def insert(self, rows: Sequence[Ready], _while_waiting: WhileWaiting = nothing) -> None:
        try:
            self._with_values(rows, self.INSERT, self._row())
        except IntegrityError as error:
            raise AlreadyStored from error

    def compare(
        self, rows: Sequence[Ready], _while_waiting: WhileWaiting = nothing, *, estimated: bool = False
    ) -> Comparison:
        counts = self._with_values(
            rows,
            f"SELECT count(*), coalesce(sum({_SAME[estimated].format(value='column3')}), 0) "  # noqa: S608 (our words)
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

    def change(self, rows: Sequence[Ready], *, estimated: bool = False) -> list[ReadingKey]:
        return self._with_values(
            rows,
            f"{self.INSERT} ON CONFLICT (site_key, reading_date) DO UPDATE SET {_REPLACED} "
            f"WHERE NOT ({_SAME[estimated].format(value='excluded.reading_value')}) "
            "RETURNING site_key, reading_date",
            self._row(estimated=estimated),
        )

    def keep_replaced(self, rows: Sequence[Ready], *, estimated: bool = False) -> None:
        same = _SAME[estimated].format(value="given.column3")
        self._keep(rows, _KEEP_REPLACED, same=same.replace("reading_value =", "stored.reading_value ="))

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        self._keep(rows, _KEEP_OUTRANKED, value="given.column3", import_id=self.stamp.import_id)

    def _keep(self, rows: Sequence[Ready], statement: str, **words: object) -> None:
        received, import_id = self.stamp
        if received is None or import_id is None:
            return
        self._with_values(
            rows,
            statement.format(
                given="({}) AS given",
                site_key="given.column1",
                reading_date="given.column2",
                replaced_at=to_microseconds(received),
                **words,
            ),
        )

    def tails(self, site_keys: Collection[int]) -> Iterable[Tail]:
        return map(Tail._make, self._of_keys(self.TAILS, site_keys))

    def set_meters(self, spans: Sequence[Span]) -> None:
        statement = "UPDATE reading SET meter = ? WHERE site_key = ? AND reading_date BETWEEN ? AND ?"
        with driver_errors(self._connection):
            self._driver.executemany(
                statement, [(span.meter, span.site_key, span.first, span.last) for span in spans]
            )

    def sites(self, site_ids: Collection[str]) -> Iterable[SiteRow]:
        query = _SITES.format("IN (SELECT value FROM json_each(?))")
        with driver_errors(self._connection):
            found = self._driver.execute(query, (json.dumps([*site_ids]),)).fetchall()
        return map(SiteRow._make, found)

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

    def _with_values(self, rows: Sequence[Ready], statement: str, row: str = "(?,?,?)") -> list[Any]:
        """Execute a statement, with as many rows as it takes in place of its braces, for all rows."""
        told: list[Any] = []
        for start in range(0, len(rows), self.ROWS):
            some = rows[start : start + self.ROWS]
            values = "VALUES " + ",".join([row] * len(some))
            numbers = tuple(chain.from_iterable(some))
            # Fetched at once: while a statement is open, the same has to be prepared anew.
            with driver_errors(self._connection):
                told += self._driver.execute(statement.format(values), numbers).fetchall()
        return told


class PostgresqlBulk:
    """COPY in its binary format: new rows straight into the table, others beside it to be compared there."""

    BATCH = 20_000
    """What a transaction costs, however few rows it is for, is then a small part of it."""
    HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    END = struct.pack(">h", -1)
    ROW = ">hiqiqiq"
    EPOCH = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))

    # Without statistics of the batch, the planner may want to read the whole table of readings for each; and
    # what it has planned while the table was small it may go on with.
    SEEK = """
        SET LOCAL enable_hashjoin = off;
        SET LOCAL enable_mergejoin = off;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_bitmapscan = off;
        SET LOCAL enable_sort = off"""
    PREPARE = f"""{SEEK};
        CREATE TEMPORARY TABLE IF NOT EXISTS staged_reading
            (site_key BIGINT, reading_date TIMESTAMPTZ, reading_value BIGINT) ON COMMIT DELETE ROWS;
        DELETE FROM staged_reading"""  # noqa: S608 (our words)
    COMPARE = """
        SELECT count(*), count(*) FILTER (WHERE {})
        FROM staged_reading AS given JOIN reading AS stored USING (site_key, reading_date)"""
    CHANGE = f"""
        INSERT INTO reading (site_key, reading_date, reading_value, quality, received, import_id)
        SELECT site_key, reading_date, reading_value, %s, %s, %s
        FROM staged_reading ORDER BY site_key, reading_date
        ON CONFLICT (site_key, reading_date) DO UPDATE SET {_REPLACED}
        RETURNING site_key, reading_date"""  # noqa: S608 (our words)
    TAILS = f"""
        SELECT site.key, site.measure, site.counts, site.capacity_kwp,
               CAST(extract(epoch FROM newest.reading_date) * 1000000 AS BIGINT),
               newest.reading_value, newest.quality, newest.meter,
               EXISTS (SELECT 1 FROM review WHERE review.site_key = site.key
                       AND review.ended_at >= newest.reading_date - interval '{CALM} microseconds')
        FROM site LEFT JOIN LATERAL
            (SELECT reading.reading_date, reading.reading_value, reading.quality, reading.meter FROM reading
             WHERE reading.site_key = site.key ORDER BY reading.reading_date DESC LIMIT 1) AS newest ON true
        WHERE site.key = ANY(%s)"""  # noqa: S608 (our words)
    SET_METERS = """
        UPDATE reading SET meter = span.meter
        FROM unnest(CAST(%s AS bigint[]), CAST(%s AS timestamptz[]), CAST(%s AS timestamptz[]),
                    CAST(%s AS smallint[])) AS span (site_key, first, last, meter)
        WHERE reading.site_key = span.site_key AND reading.reading_date BETWEEN span.first AND span.last"""

    def __init__(self, connection: Connection, stamp: Stamp) -> None:
        self._connection = connection
        self.stamp = stamp

    def insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting = nothing) -> None:
        received, import_id = self.stamp
        more = _field(None if received is None else to_microseconds(received) - self.EPOCH)
        more += _field(import_id)
        try:
            self._copy("reading", rows, while_waiting, ("received", "import_id"), more)
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation):
                raise AlreadyStored from error
            raise

    def compare(
        self, rows: Sequence[Ready], while_waiting: WhileWaiting = nothing, *, estimated: bool = False
    ) -> Comparison:
        self._stage(rows)
        driver: Any = self._connection.connection.driver_connection
        query = self.COMPARE.format(self._same(estimated=estimated))
        with driver_errors(self._connection), driver.pipeline(), driver.cursor() as cursor:
            cursor.execute(query)  # in a pipeline the answer is not waited for
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

    def change(self, rows: Sequence[Ready], *, estimated: bool = False) -> list[ReadingKey]:
        self._stage(rows)
        self._connection.exec_driver_sql(
            "DELETE FROM staged_reading AS given USING reading AS stored "  # noqa: S608 (our words)
            "WHERE stored.site_key = given.site_key AND stored.reading_date = given.reading_date "
            f"AND {self._same(estimated=estimated)}"
        )
        quality = Quality.ESTIMATED if estimated else Quality.GOOD
        changed = self._connection.exec_driver_sql(self.CHANGE, (int(quality), *self.stamp))
        return [(key, to_microseconds(instant)) for key, instant in changed]

    def keep_replaced(self, rows: Sequence[Ready], *, estimated: bool = False) -> None:
        self._keep(rows, _KEEP_REPLACED, same=self._same(estimated=estimated))

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        self._keep(rows, _KEEP_OUTRANKED, value="given.reading_value", import_id=self.stamp.import_id)

    def _keep(self, rows: Sequence[Ready], statement: str, **words: object) -> None:
        received, import_id = self.stamp
        if received is None or import_id is None:
            return
        self._stage(rows)
        named = {
            "given": "staged_reading AS given",
            "site_key": "given.site_key",
            "reading_date": "given.reading_date",
            "replaced_at": "CAST(%(received)s AS timestamptz)",
        }
        self._connection.exec_driver_sql(statement.format(**named, **words), {"received": received})

    def _same(self, *, estimated: bool) -> str:
        return (
            _SAME[estimated]
            .format(value="given.reading_value")
            .replace("reading_value =", "stored.reading_value =")
        )

    def tails(self, site_keys: Collection[int]) -> Iterable[Tail]:
        with driver_errors(self._connection):
            self._connection.connection.cursor().execute(self.SEEK)
        return map(Tail._make, self._connection.exec_driver_sql(self.TAILS, ([*site_keys],)).all())

    def set_meters(self, spans: Sequence[Span]) -> None:
        keys, firsts, lasts, meters = map(list, zip(*spans, strict=True))
        instants = [[*map(from_microseconds, some)] for some in (firsts, lasts)]
        self._connection.exec_driver_sql(self.SET_METERS, (keys, *instants, meters))

    def sites(self, site_ids: Collection[str]) -> Iterable[SiteRow]:
        found = self._connection.exec_driver_sql(_SITES.format("= ANY(%s)"), ([*site_ids],)).all()
        return map(SiteRow._make, found)

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

    def _copy(
        self,
        table: str,
        rows: Sequence[Ready],
        while_waiting: WhileWaiting = nothing,
        others: Sequence[str] = (),
        more: bytes = b"",
    ) -> None:
        """``more`` is what all rows have in ``others``."""
        pack, epoch, count = struct.Struct(f"{self.ROW}{len(more)}s").pack, self.EPOCH, 3 + len(others)
        columns = ", ".join(("site_key", "reading_date", "reading_value", *others))
        statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"
        cursor: Any = self._connection.connection.cursor()
        with driver_errors(self._connection), cursor, cursor.copy(statement) as copy:
            packed = [pack(count, 8, key, 8, at - epoch, 8, value, more) for key, at, value in rows]
            block = b"".join([self.HEADER, *packed, self.END])
            with _meanwhile(lambda: copy.write(block)):  # a socket takes only the first 208 KiB at once
                while_waiting()


@contextmanager
def _meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Have a thread do some work while the body runs; what it raises is raised at the end.

    No pool has it: a process that ends lets its threads come to their end, but takes no more work for pools.
    """
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    worker = Thread(target=do, name="sender")
    worker.start()
    try:
        yield
    finally:
        worker.join()
    if raised:
        raise raised[0]


def _field(number: int | None) -> bytes:
    return struct.pack(">i", -1) if number is None else struct.pack(">iq", 8, number)


class DistributedBulk(PostgresqlBulk):
    """The same over many machines: each batch goes to all of them, and waits for the slowest."""

    BATCH = 100_000
    """With 8,000, 1.5 million rows took 218 s; with this, 9 million took 64 s (44 s on one machine)."""
