"""From rows to a table, a batch at a time: checked in Python, compared and stored in SQL.

1. Parse rows until a batch is full; a bad row is set aside with its reason. Rows with the same key are
   merged, unless they contradict each other: then all of them are set aside.
2. Put the batch into a temporary table.
3. In one short write transaction, count how the rest differs from what is stored and store the
   differences. What is equal is not written, so the same file again costs no writes.

Of a file that is longer than a batch, a row that differs from one of a former batch is set aside as well.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, Table, case, delete, func, select
from sqlalchemy.schema import CreateTable, DropTable

from ..extensions import Base
from ..storage.bulk_copy import bulk_copy
from ..storage.connections import insert, write_on
from .contradictions import IN_SITES, describe, rejected_later, rejected_together
from .fields import FieldError
from .result import ImportResult, Progress
from .rows import Rejected, Row, Source

BATCH = 100_000


@dataclass(frozen=True)
class Target:
    """Where rows go.

    ``stage`` is the temporary table whose first column is the row's line and whose others are what
    ``parse`` makes of a row; ``key`` is the part of it that identifies the thing, ``merged`` what two rows of
    the same key say together, or None where they contradict each other. ``compared`` selects ``line``,
    ``is_stored``, ``is_same`` and the columns of ``model`` to store, of which ``index`` are unique.
    ``refuse`` takes rows out of the stage, and says why, before they are compared; ``before_look`` comes
    before that, ``before_store`` before the differences are stored, and ``after_store`` after it, all in the
    transaction of each batch that stores it, so not in a dry run.
    """

    model: type[Base]
    stage: Table
    parse: Callable[[Row], tuple[Any, ...]]
    key: Callable[[tuple[Any, ...]], Hashable]
    merged: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...] | None]
    compared: Select[Any]
    index: list[str]
    refuse: Callable[[Connection], list[Rejected]] = lambda _: []
    before_look: Callable[[Connection], None] = lambda _: None
    before_store: Callable[[Connection], None] = lambda _: None
    after_store: Callable[[Connection], None] = lambda _: None


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
    former = _Former()
    for batch in _batches(rows):
        rejected = _Batch(connection, target, result, former).store(batch, dry_run=dry_run)
        result.ignored_columns = rows.ignored_columns if isinstance(rows, Source) else []
        progress(result, rejected)
    with connection.begin():
        connection.execute(DropTable(target.stage))
    return result


def _batches(rows: Iterable[Row | Rejected]) -> Iterator[list[Row | Rejected]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


class _Former:
    """What former batches of a file said of which key, in little memory; nothing of a file of one batch."""

    def __init__(self) -> None:
        self._said: dict[int, tuple[int, int]] = {}
        self._refused: dict[int, int] = {}

    def add(self, staged: "_Staged") -> None:
        """Remember a batch."""
        for key, row in staged.rows.items():
            self._said.setdefault(hash(key), (row[0], hash(row[1:])))
        for key, lines in staged.contradicted.items():
            self._refused.setdefault(hash(key), lines[0])

    def why_not(self, key: Hashable, line: int, values: tuple[Any, ...]) -> str | None:
        """Why a row cannot be stored after what was said before."""
        if (first := self._refused.get(hash(key))) is not None:
            return describe([first, line], IN_SITES)
        first, said = self._said.get(hash(key), (line, hash(values)))
        return None if said == hash(values) else rejected_later(line, first, IN_SITES).reason


@dataclass
class _Staged:
    """The rows of a batch that can be stored, one a key; how many more said the same; and the others."""

    rows: dict[Hashable, tuple[Any, ...]] = field(default_factory=dict)
    repeated: int = 0
    lines: dict[Hashable, list[int]] = field(default_factory=dict)
    contradicted: dict[Hashable, list[int]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, target: Target, line: int, values: tuple[Any, ...]) -> None:
        """Take a row together with those of its key, or find that they contradict each other."""
        key = target.key(values)
        if key in self.contradicted:
            self.contradicted[key].append(line)
            return
        before = self.rows.get(key)
        if before is None:
            self.rows[key] = line, *values
            return
        lines = self.lines.setdefault(key, [before[0]])
        lines.append(line)
        merged = target.merged(before[1:], values)
        if merged is None:
            self.contradicted[key] = lines
            self.repeated -= len(lines) - 2
            del self.rows[key]
        else:
            self.rows[key] = before[0], *merged
            self.repeated += 1

    def all_rejected(self) -> list[Rejected]:
        """The bad rows and those that contradict each other, by line."""
        return sorted([*self.rejected, *rejected_together(self.contradicted, IN_SITES)])


@dataclass(frozen=True)
class _Batch:
    connection: Connection
    target: Target
    result: ImportResult
    former: _Former

    def store(self, rows: list[Row | Rejected], *, dry_run: bool) -> list[Rejected]:
        """Check, compare and store one batch; returns what was rejected, by line."""
        staged = self._parse(rows)
        rejected = staged.all_rejected()
        with self.connection.begin():
            self.connection.execute(delete(self.target.stage))
            bulk_copy(self.connection, self.target.stage, list(staged.rows.values()))
        if dry_run:
            with self.connection.begin():
                rejected = sorted([*rejected, *self.target.refuse(self.connection)])
                self._count()
        else:
            with write_on(self.connection):
                self.target.before_look(self.connection)
                rejected = sorted([*rejected, *self.target.refuse(self.connection)])
                self._count()
                self.target.before_store(self.connection)
                self._upsert()
                self.target.after_store(self.connection)
        self.result.reject(rejected)
        self.result.unchanged += staged.repeated
        if len(rows) == BATCH:
            self.former.add(staged)
        return rejected

    def _parse(self, rows: list[Row | Rejected]) -> _Staged:
        staged = _Staged()
        for row in rows:
            if isinstance(row, Rejected):
                staged.rejected.append(row)
                continue
            try:
                values = self.target.parse(row)
            except FieldError as error:
                staged.rejected.append(Rejected(row.line, str(error)))
                continue
            if why := self.former.why_not(self.target.key(values), row.line, values):
                staged.rejected.append(Rejected(row.line, why))
            else:
                staged.add(self.target, row.line, values)
        return staged

    def _count(self) -> None:
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
