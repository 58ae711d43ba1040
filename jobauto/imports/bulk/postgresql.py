"""Into PostgreSQL, on one machine or distributed over many."""

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ...models.quality import Quality
from ...models.types import from_microseconds, to_microseconds
from ...quality.tail import CALM
from ...storage.connections import driver_errors
from .way import (
    KEEP_OUTRANKED,
    KEEP_REPLACED,
    NEWEST,
    REPLACED,
    SAME,
    SITES,
    AlreadyStored,
    Comparison,
    ReadingKey,
    Ready,
    SiteRow,
    Span,
    Stamp,
    Tail,
    WhileWaiting,
    nothing,
)


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
        ON CONFLICT (site_key, reading_date) DO UPDATE SET {REPLACED}
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
        self._keep(rows, KEEP_REPLACED, same=self._same(estimated=estimated))

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        self._keep(rows, KEEP_OUTRANKED, value="given.reading_value", import_id=self.stamp.import_id)

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
            SAME[estimated]
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
        found = self._connection.exec_driver_sql(SITES.format("= ANY(%s)"), ([*site_ids],)).all()
        return map(SiteRow._make, found)

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        found = self._connection.exec_driver_sql(NEWEST.format("= ANY(%s)"), ([*site_keys],))
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
