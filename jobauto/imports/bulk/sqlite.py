"""Into SQLite."""

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ...models.quality import Quality
from ...models.types import to_microseconds
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
            f"SELECT count(*), coalesce(sum({SAME[estimated].format(value='column3')}), 0) "  # noqa: S608 (our words)
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
            f"{self.INSERT} ON CONFLICT (site_key, reading_date) DO UPDATE SET {REPLACED} "
            f"WHERE NOT ({SAME[estimated].format(value='excluded.reading_value')}) "
            "RETURNING site_key, reading_date",
            self._row(estimated=estimated),
        )

    def keep_replaced(self, rows: Sequence[Ready], *, estimated: bool = False) -> None:
        same = SAME[estimated].format(value="given.column3")
        self._keep(rows, KEEP_REPLACED, same=same.replace("reading_value =", "stored.reading_value ="))

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        self._keep(rows, KEEP_OUTRANKED, value="given.column3", import_id=self.stamp.import_id)

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
        query = SITES.format("IN (SELECT value FROM json_each(?))")
        with driver_errors(self._connection):
            found = self._driver.execute(query, (json.dumps([*site_ids]),)).fetchall()
        return map(SiteRow._make, found)

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        return self._of_keys(NEWEST.format("IN (SELECT value FROM json_each(?))"), site_keys)

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
