"""From readings that are ready to the table, in short transactions, with the counts of what was done.

1. Compare a batch with what is stored. If all of it is, that is all: the same file again writes nothing.
2. If none of it is, insert it; and the next batches without asking, until one meets something stored, or the
   same key twice. Then none of that batch is inserted.
3. Else let the last row of each key win, and compare again in the transaction that stores what differs.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from ..storage.connections import write_on
from .bulk import AlreadyStored, Bulk, ReadingKey, Ready, WhileWaiting
from .result import ImportResult

Replaced = Sequence[tuple[ReadingKey, bool]]
"""Rows that a later one of the batch has replaced: which, and whether their values differed."""


class Store:
    """Takes the batches of one import. A dry run only compares."""

    def __init__(self, connection: Connection, bulk: Bulk, result: ImportResult, *, dry_run: bool) -> None:
        self._connection = connection
        self._bulk = bulk
        self._result = result
        self._dry_run = dry_run
        self._expects_new = False

    def add(self, rows: Sequence[Ready], while_waiting: WhileWaiting) -> None:
        """Store rows in the order of the file: of those with the same key the last one wins."""
        if not rows:
            return
        ready = sorted(rows)
        if not self._expects_new:
            with self._connection.begin():
                found = self._bulk.compare(ready, while_waiting)
            if found.same == len(ready):
                self._result.unchanged += len(ready)
                return
            self._expects_new = not (found.stored or self._dry_run)
        if self._expects_new and self._insert(ready, while_waiting):
            self._result.new += len(ready)
        else:
            self._compare_and_store(*_one_a_key(rows))

    def _insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting) -> bool:
        try:
            with write_on(self._connection):
                self._bulk.insert(rows, while_waiting)
        except AlreadyStored:
            self._expects_new = False
            return False
        return True

    def _compare_and_store(self, rows: Sequence[Ready], replaced: Replaced) -> None:
        begin = self._connection.begin() if self._dry_run else write_on(self._connection)
        with begin:
            same = self._same(rows, replaced)
            found = self._bulk.compare(rows)
            if not self._dry_run:
                self._bulk.change(rows)
        self._result.new += len(rows) - found.stored
        self._result.updated += found.stored - found.same
        self._result.unchanged += found.same
        self._count_replaced(replaced, same)

    def _same(self, rows: Sequence[Ready], replaced: Replaced) -> set[ReadingKey]:
        contradicted = {key for key, differs in replaced if differs}
        asked = [row for row in rows if row[:2] in contradicted] if contradicted else []
        return self._bulk.same(asked) if asked else set()

    def _count_replaced(self, replaced: Replaced, same: set[ReadingKey]) -> None:
        # A row that a later one replaced counts as updating, unless nothing is updated in the end: the same
        # file again must say so.
        updates = sum(differs and key not in same for key, differs in replaced)
        self._result.updated += updates
        self._result.unchanged += len(replaced) - updates


def _one_a_key(rows: Sequence[Ready]) -> tuple[list[Ready], Replaced]:
    """The last row of each key, sorted; and of each earlier one, whether the next differed."""
    replaced: list[tuple[ReadingKey, bool]] = []
    values: dict[ReadingKey, int] = {}
    for site_key, instant, value in rows:
        key = site_key, instant
        if key in values:
            replaced.append((key, values[key] != value))
        values[key] = value
    return sorted((*key, value) for key, value in values.items()), replaced
