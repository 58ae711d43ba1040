"""From rows to a table, a batch at a time: checked in Python, compared and stored in SQL.

1. Parse rows until a batch is full; a bad row is set aside with its reason. Of rows with the same key in
   the batch the last one wins.
2. Put the batch into a temporary table.
3. In one short write transaction, count how the rest differs from what is stored and store the
   differences. What is equal is not written, so the same file again costs no writes.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, Subquery, Table, case, delete, func, select
from sqlalchemy.schema import CreateTable, DropTable

from ..extensions import Base
from ..storage.bulk_copy import bulk_copy
from ..storage.connections import insert, write_on
from .fields import FieldError
from .result import ImportResult, Progress
from .rows import BATCH, Rejected, Row


@dataclass(frozen=True)
class Target:
    """Where rows go.

    ``stage`` is the temporary table whose first column is the row's line and whose others are what
    ``parse`` makes of a row; ``key`` is the part of it that identifies the thing. ``compared`` selects
    ``line``, ``is_stored``, ``is_same`` and the columns of ``model`` to store, of which ``index`` are unique.
    ``before_store`` runs in the transaction of each batch, before its differences are stored.
    """

    model: type[Base]
    stage: Table
    parse: Callable[[Row], tuple[Any, ...]]
    key: Callable[[tuple[Any, ...]], Hashable]
    compared: Select[Any]
    index: list[str]
    before_store: Callable[[Connection], None] = lambda _: None


def load(
    connection: Connection,
    rows: Iterable[Row | Rejected],
    target: Target,
    progress: Progress,
    *,
    dry_run: bool,
) -> ImportResult:
    """Store rows, in short transactions, and say what came of them. A dry run only compares."""
    result = ImportResult()
    with connection.begin():
        connection.execute(DropTable(target.stage, if_exists=True))
        connection.execute(CreateTable(target.stage))
    for batch in _batches(rows):
        rejected = _Batch(connection, target, result).store(batch, dry_run=dry_run)
        progress(result, rejected)
    with connection.begin():
        connection.execute(DropTable(target.stage))
    return result


def _batches(rows: Iterable[Row | Rejected]) -> Iterator[list[Row | Rejected]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


class _Staged:
    """The rows of a batch that can be stored, one a key, and the earlier rows that each replaced."""

    def __init__(self) -> None:
        self.rows: dict[Hashable, tuple[Any, ...]] = {}
        self.earlier: dict[Hashable, list[tuple[int, bool]]] = {}

    def add(self, key: Hashable, row: tuple[Any, ...]) -> None:
        """The last row of a key wins; of the one before, remember its line and whether it differed."""
        before = self.rows.get(key)
        if before is not None:
            self.earlier.setdefault(key, []).append((before[0], before[1:] != row[1:]))
        self.rows[key] = row


@dataclass(frozen=True)
class _Batch:
    connection: Connection
    target: Target
    result: ImportResult

    def store(self, rows: list[Row | Rejected], *, dry_run: bool) -> list[Rejected]:
        """Check, compare and store one batch; returns what was rejected, by line."""
        staged, rejected = self._parse(rows)
        with self.connection.begin():
            self.connection.execute(delete(self.target.stage))
            bulk_copy(self.connection, self.target.stage, list(staged.rows.values()))
        self.result.reject(rejected)
        if dry_run:
            with self.connection.begin():
                self._count(staged)
        else:
            with write_on(self.connection):
                self._count(staged)
                self.target.before_store(self.connection)
                self._upsert()
        return rejected

    def _parse(self, rows: list[Row | Rejected]) -> tuple[_Staged, list[Rejected]]:
        staged, rejected = _Staged(), []
        for row in rows:
            if isinstance(row, Rejected):
                rejected.append(row)
                continue
            try:
                values = self.target.parse(row)
            except FieldError as error:
                rejected.append(Rejected(row.line, str(error)))
            else:
                staged.add(self.target.key(values), (row.line, *values))
        return staged, rejected

    def _count(self, staged: _Staged) -> None:
        compared = self.target.compared.subquery()
        total, stored, same = self.connection.execute(
            select(
                func.count(),
                func.coalesce(func.sum(case((compared.c.is_stored, 1), else_=0)), 0),
                func.coalesce(func.sum(case((compared.c.is_same, 1), else_=0)), 0),
            ).select_from(compared)
        ).one()
        self.result.new += total - stored
        self.result.updated += stored - same
        self.result.unchanged += same
        if staged.earlier:
            self._count_replaced(staged, compared)

    def _count_replaced(self, staged: _Staged, compared: Subquery) -> None:
        # A row that a later one of the same key replaced counts as updating, unless nothing is updated:
        # the same file again must say so.
        same = set(self.connection.scalars(select(compared.c.line).where(compared.c.is_same)))
        for key, rows in staged.earlier.items():
            for _, differs in rows:
                updates = differs and staged.rows[key][0] not in same
                self.result.updated += updates
                self.result.unchanged += not updates

    def _upsert(self) -> None:
        compared = self.target.compared.subquery()
        columns = [column for column in compared.c if column.name not in ("line", "is_stored", "is_same")]
        changed = (
            select(*columns)
            .where(~compared.c.is_same)
            .order_by(*(compared.c[name] for name in self.target.index))
        )
        statement = insert(self.connection, self.target.model).from_select(
            [column.name for column in columns], changed
        )
        values = {
            column.name: statement.excluded[column.name]
            for column in columns
            if column.name not in self.target.index
        }
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=self.target.index, set_=values)
        )
