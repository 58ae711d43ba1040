"""From rows to a table, a batch at a time: checked in Python, compared and stored in SQL.

1. Parse rows until a batch is full; a bad row is set aside with its reason. Rows with the same key are
   merged, unless they contradict each other: then all of them are set aside.
2. Put the batch into a temporary table.
3. In one short write transaction, count how the rest differs from what is stored and store the
   differences. What is equal is not written, so the same file again costs no writes.

The rows of a file that is longer than a batch first wait in a table of their own, and are taken from there in
the order of their sites. So rows that contradict each other meet, however far apart they stand, before any of
them is stored.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Connection, Index, MetaData, Select, Table, case, delete, func, select
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from ..extensions import Base
from ..storage.bulk_copy import bulk_copy
from ..storage.connections import insert, write_on
from .contradictions import IN_SITES, rejected_together
from .fields import FieldError
from .result import ImportResult, Progress
from .rows import Rejected, Row, Source

BATCH = 100_000
"""So many rows are stored at a time; more where those of one site would be torn apart."""
MOST_OF_A_SITE = 100_000
"""So many rows of one site are held in memory, to be compared; of a site that has more, none is taken."""

Parsed = tuple[Any, ...]
"""The line of a row, and what it says."""


@dataclass(frozen=True)
class Target:
    """Where rows go.

    ``stage`` is the temporary table whose first column is the row's line and whose others are what
    ``parse`` makes of a row, ``site_id`` the first of them; ``key`` is the part of it that identifies the
    thing, ``merged`` what two rows of the same key say together, or None where they contradict each other.
    ``compared`` selects ``line``, ``is_stored``, ``is_same`` and the columns of ``model`` to store, of which
    ``index`` are unique.
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
    remaining = iter(rows)

    def tell(rejected: list[Rejected]) -> None:
        result.ignored_columns = rows.ignored_columns if isinstance(rows, Source) else []
        progress(result, rejected)

    with _made(connection, target.stage):
        batch = _Batch(connection, target, result)
        first, another = list(islice(remaining, BATCH)), list(islice(remaining, 1))
        if not another:
            if first:
                parsed, bad = _parse(first, target)
                tell(batch.store(parsed, bad, dry_run=dry_run))
            return result
        waiting = _waiting_for(target.stage)
        with _made(connection, waiting):
            for some in chain([first], _batches(chain(another, remaining))):
                parsed, bad = _parse(some, target)
                with connection.begin():
                    bulk_copy(connection, waiting, parsed)
                result.checked += len(parsed)
                result.reject(bad)
                tell(bad)
            for parsed, bad in _by_site(connection, waiting):
                result.checked -= len(parsed) + len(bad)
                tell(batch.store(parsed, bad, dry_run=dry_run))
    return result


@contextmanager
def _made(connection: Connection, table: Table) -> Iterator[None]:
    """A temporary table, for as long as it is needed."""
    with connection.begin():
        connection.execute(DropTable(table, if_exists=True))
        connection.execute(CreateTable(table))
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            with connection.begin():
                connection.execute(DropTable(table))


def _batches(rows: Iterator[Row | Rejected]) -> Iterator[list[Row | Rejected]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _parse(rows: Sequence[Row | Rejected], target: Target) -> tuple[list[Parsed], list[Rejected]]:
    """What the rows say, in their order, and the bad ones."""
    parsed: list[Parsed] = []
    rejected: list[Rejected] = []
    for row in rows:
        if isinstance(row, Rejected):
            rejected.append(row)
            continue
        try:
            parsed.append((row.line, *target.parse(row)))
        except FieldError as error:
            rejected.append(Rejected(row.line, str(error)))
    return parsed, rejected


def _waiting_for(stage: Table) -> Table:
    columns = [Column(column.name, column.type) for column in stage.columns]
    return Table(f"waiting_{stage.name}", MetaData(), *columns, prefixes=["TEMPORARY"])


def _by_site(connection: Connection, waiting: Table) -> Iterator[tuple[list[Parsed], list[Rejected]]]:
    """The rows that wait, a batch at a time, in the order of their sites, and those of a site together.

    Beside them those of a site that has too many.
    """
    place = (waiting.c.site_id, waiting.c.line)
    with connection.begin():
        connection.execute(CreateIndex(Index(f"ix_{waiting.name}", *place)))
    in_order = select(waiting).order_by(*place)
    following = in_order.limit(BATCH)
    while batch := _read(connection, following):
        last = batch[-1]
        of_last = in_order.where(waiting.c.site_id == last.site_id)
        more = _read(connection, of_last.where(waiting.c.line > last.line).limit(MOST_OF_A_SITE))
        begun = sum(row.site_id == last.site_id for row in batch)
        if begun + len(more) <= MOST_OF_A_SITE:
            yield [tuple(row) for row in (*batch, *more)], []
        else:
            yield [tuple(row) for row in batch[:-begun]], _too_many(batch[-begun:])
            while more:
                yield [], _too_many(more)
                more = _read(connection, of_last.where(waiting.c.line > more[-1].line).limit(BATCH))
        following = in_order.where(waiting.c.site_id > last.site_id).limit(BATCH)


def _read(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    with connection.begin():
        return connection.execute(query).all()


def _too_many(rows: Iterable[Any]) -> list[Rejected]:
    return [Rejected(row.line, f"site_id stands in more than {MOST_OF_A_SITE:,} rows") for row in rows]


@dataclass
class _Staged:
    """The rows of a batch that can be stored, one a key; how many more said the same; and the others."""

    rows: dict[Hashable, Parsed] = field(default_factory=dict)
    repeated: int = 0
    lines: dict[Hashable, list[int]] = field(default_factory=dict)
    contradicted: dict[Hashable, list[int]] = field(default_factory=dict)

    def add(self, target: Target, row: Parsed) -> None:
        """Take a row together with those of its key, or find that they contradict each other."""
        line, values = row[0], row[1:]
        key = target.key(values)
        if key in self.contradicted:
            self.contradicted[key].append(line)
            return
        before = self.rows.get(key)
        if before is None:
            self.rows[key] = row
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


@dataclass(frozen=True)
class _Batch:
    connection: Connection
    target: Target
    result: ImportResult

    def store(self, rows: Iterable[Parsed], bad: list[Rejected], *, dry_run: bool) -> list[Rejected]:
        """Compare and store one batch; returns what was rejected, the bad rows among it, by line."""
        staged = _Staged()
        for row in rows:
            staged.add(self.target, row)
        rejected = [*bad, *rejected_together(staged.contradicted, IN_SITES)]
        with self.connection.begin():
            self.connection.execute(delete(self.target.stage))
            bulk_copy(self.connection, self.target.stage, list(staged.rows.values()))
        if dry_run:
            with self.connection.begin():
                rejected += self.target.refuse(self.connection)
                self._count()
        else:
            with write_on(self.connection):
                self.target.before_look(self.connection)
                rejected += self.target.refuse(self.connection)
                self._count()
                self.target.before_store(self.connection)
                self._upsert()
                self.target.after_store(self.connection)
        rejected.sort()
        self.result.reject(rejected)
        self.result.unchanged += staged.repeated
        return rejected

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
