"""Importing readings, a block of lines at a time: read as columns, made ready as rows, stored."""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from itertools import compress
from operator import not_
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from ..extensions import db
from ..readings.classifying import classify_urgent
from ..storage import partitions
from ..storage.citus import connections_kept
from ..storage.leases import LeaseLost
from ..storage.vacuum import vacuum_analyze_after
from . import fields, rows, sources
from .bulk.choosing import bulk_of
from .bulk.way import ReadingKey, Ready, Stamp, WhileWaiting
from .columns import Instants, interval_watt_hours, read_registers
from .in_line import steps_of
from .lines import trimmed
from .prefetch import Prefetch
from .result import UNKNOWN_SITE, ImportResult, Progress, unwatched
from .rows import Block, Rejected, Row, Source, in_blocks
from .seen import Columns, Seen
from .site_keys import SiteKeys
from .storing import Batch, Number, Store
from .warnings import Watch

COLUMNS = ("site_id", "reading_date", "reading_value")
OPTIONAL = ("quality",)
REFUSED = ("unit", "zone", "time_zone", "status", "register", "channel")
"""Columns that say that values may not be what they seem."""
DRY_BATCH = 100_000
"""Rows of a dry run are compared with those before them, of which fewer batches are quicker to search."""


def unnumbered() -> None:
    """The number of an import that is not to be undone."""


def from_csv(stream: BinaryIO, ignore: Collection[str] = ()) -> rows.Rows:
    """The rows of a file of readings. Raises FileError."""
    return rows.from_csv(stream, COLUMNS, OPTIONAL, refused=REFUSED, ignore=ignore)


def from_json(body: bytes) -> Source:
    """The rows of a list of readings in JSON. Raises FileError."""
    return rows.from_json(body, COLUMNS, OPTIONAL)


def import_readings(
    rows: Iterable[Row | Rejected],
    *,
    zone: ZoneInfo,
    now: datetime,
    progress: Progress = unwatched,
    import_id: int | None = None,
) -> ImportResult:
    """Store readings, and let PostgreSQL look at them. Safe to repeat."""
    result = store_readings(rows, zone=zone, now=now, progress=progress, import_id=import_id)
    vacuum_analyze_after(result.new + result.updated)
    return result


def store_readings(
    rows: Iterable[Row | Rejected],
    *,
    zone: ZoneInfo,
    now: datetime,
    progress: Progress = unwatched,
    dry_run: bool = False,
    import_id: int | None = None,
    number: Number = unnumbered,
) -> ImportResult:
    """Store readings; those without an offset are local times of ``zone``. Safe to repeat.

    At the end all readings of their sites are classified. A dry run stores nothing and counts what would be.
    With an ``import_id`` the import can be undone; or with a ``number``, which is asked for one before the
    first reading is stored, or a site is given its source.
    """
    db.session.rollback()
    result, watch = ImportResult(), Watch()
    with (
        db.engine.connect() as connection,
        db.engine.connect() as lookups,
        connections_kept(connection),
        closing(Seen()) as seen,
        closing(Seen()) as refused,
    ):
        if not dry_run:
            partitions.keep_ahead(connection, now)
        bulk = bulk_of(connection, Stamp(now, import_id))
        store = Store(connection, bulk, result, seen, refused, number, dry_run=dry_run)
        source = rows if isinstance(rows, Source) else None
        reader = _Reader(lookups, fields.InstantReader(zone, now), watch, source.measure if source else None)
        given_source = None if dry_run or source is None else source.given_source
        batches = Prefetch(
            map(reader.read, _unsearched(in_blocks(rows, DRY_BATCH if dry_run else bulk.BATCH)))
        )

        def give_source() -> int:
            if not given_source:
                return 0
            return sources.give(connection, store.taken(), given_source, bulk.stamp.import_id, now)

        with _given_though_broken_off(lambda: bulk.stamp.import_id and give_source()), _traced(store):
            for batch in batches:
                rejected = _store_batch(batch, store, watch, result, batches.fetch)
                result.ignored_columns = source.ignored_columns if source else []
                progress(result, rejected)
            if given_source and sources.may_give(connection, store.taken()):
                store.number_it()
        with lookups.begin():
            result.warnings = watch.describe(seen, reader.bulk)
        result.sites_given = give_source()
        if source is not None and source.left_out is not None:
            result.left_out = source.left_out.describe()
        if store.tails.has_marked:
            classify_urgent(connection, now)
    return result


def _store_batch(
    batch: Batch, store: Store, watch: Watch, result: ImportResult, while_waiting: WhileWaiting
) -> list[Rejected]:
    """Store a batch and count it; the rows that were rejected, by line."""
    unchanged = result.unchanged
    with _no_search_for_cycles():
        rejected = sorted([*batch.rejected, *store.add(batch, while_waiting=while_waiting)])
    if result.unchanged - unchanged < len(batch.lines):
        watch.compare(batch.ready)
    result.reject(rejected)
    return rejected


def may_be_doubtful(
    rows: Iterable[Row | Rejected], *, zone: ZoneInfo, now: datetime, progress: Progress = unwatched
) -> bool:
    """Whether an import of the rows may have warnings: False where it certainly has none. Stores nothing.

    The readings are not compared with what is stored, which costs a dry run more than the import itself.
    """
    db.session.rollback()
    result, watch = ImportResult(), Watch()
    with db.engine.connect() as lookups, closing(Seen()) as seen:
        measure = rows.measure if isinstance(rows, Source) else None
        reader = _Reader(lookups, fields.InstantReader(zone, now), watch, measure)
        for batch in map(reader.read, _unsearched(in_blocks(rows, DRY_BATCH))):
            if batch.lines:
                seen.add(batch.lines, batch.columns)
                watch.compare(batch.ready)
            result.checked += len(batch.lines) + len(batch.rejected)
            progress(result, [])
        with lookups.begin():
            return bool(watch.describe(seen, reader.bulk))


@contextmanager
def _traced(store: Store) -> Iterator[None]:
    """Keep what it takes to undo the import, however it ends; but not where its process is killed.

    Where another process has taken it over, that one does.
    """
    try:
        yield
    except LeaseLost:
        raise
    except BaseException:
        with suppress(DatabaseError):  # what broke it off is told
            store.end(is_whole=False)
        raise
    store.end()


@contextmanager
def _given_though_broken_off(give_source: Callable[[], object]) -> Iterator[None]:
    """What an import has stored that is broken off stays, and so its sites have their source from it.

    Where another process has taken it over, that one does.
    """
    try:
        yield
    except LeaseLost:
        raise
    except BaseException:
        with suppress(DatabaseError):  # what broke it off is told
            give_source()
        raise


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    # Thousands of new tuples have Python search the whole program for cycles again and again: a tenth of an
    # import's time. Nobody is the worse for a search that comes some hundredths of a second later.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _unsearched(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks, which are made without such a search."""
    while True:
        with _no_search_for_cycles():
            block = next(blocks, None)
        if block is None:
            return
        yield block


class _Reader:
    """From blocks of texts to rows that are ready to store."""

    def __init__(
        self, lookups: Connection, instant: fields.InstantReader, watch: Watch, measure: str | None
    ) -> None:
        self._lookups = lookups
        self.bulk = bulk_of(lookups)
        self._site_keys = SiteKeys(lookups, measure)
        self._instant = instant
        self._instants = Instants(instant)
        self._watch = watch

    def read(self, block: Block) -> Batch:
        """The rows that can be stored, in the order of the file, and the others with their reasons."""
        with _no_search_for_cycles():
            return self._read(block) if block.lines else Batch([], ([], [], []), [], block.rejected)

    def _read(self, block: Block) -> Batch:
        site_ids, dates, texts, *others = cast("Sequence[Sequence[str]]", block.columns)
        values, may_have_three_decimals = read_registers(texts)
        keys = self._site_keys.of(site_ids)
        if self._site_keys.of_other_measure:
            keys = [None if key in self._site_keys.of_other_measure else key for key in keys]
        if not self._site_keys.intervals.isdisjoint(keys):
            values = self._with_intervals(keys, texts, values)
        columns: list[Sequence[int | None]] = [keys, list(map(self._instants.__getitem__, dates)), values]
        estimated = _estimated(others[0]) if others and any(others[0]) else None
        if estimated is not None:
            columns.append(estimated)
        self._meet()
        lines, rejected = block.lines, block.rejected
        if any(None in column for column in columns):
            rows = list(zip(lines, *columns, texts, strict=True))
            rejected = sorted([*rejected, *self._rejected(block, rows)])
            good = (row for row in rows if None not in row)
            lines, *columns, texts = list(zip(*good, strict=True)) or [()] * (len(columns) + 2)  # type: ignore[assignment] # no None
        if may_have_three_decimals:
            self._watch.count_decimals(cast("Sequence[int]", columns[0]), texts, self._site_keys.unwatched)
        return self._batch(lines, cast("Columns", tuple(columns[:3])), rejected, *columns[3:])

    def _with_intervals(
        self, keys: Sequence[int | None], texts: Sequence[str], values: Sequence[int | None]
    ) -> list[int | None]:
        intervals = self._site_keys.intervals
        return [
            interval_watt_hours(text) if key in intervals else value
            for key, text, value in zip(keys, texts, values, strict=True)
        ]

    def _rejected(self, block: Block, rows: Sequence[tuple[object, ...]]) -> Iterator[Rejected]:
        for line, row, *texts in zip(block.lines, rows, *block.columns, strict=True):
            if None in row:
                yield Rejected(line, self._why(*texts))

    def _batch(
        self,
        lines: Sequence[int],
        columns: Columns,
        rejected: list[Rejected],
        estimated: Sequence[int | None] = (),
    ) -> Batch:
        if not lines:
            return Batch(lines, columns, [], rejected)
        rows: list[Ready] = list(zip(*columns, strict=True))
        ready = sorted(rows)
        steps = steps_of(columns if ready == rows else cast("Columns", tuple(zip(*ready, strict=True))))
        self._watch.find_falls(steps.falling - self._site_keys.unwatched)
        intervals = self._site_keys.intervals.intersection(columns[0]) if self._site_keys.intervals else ()
        return Batch(lines, columns, ready, rejected, steps, _all_estimated(rows, estimated), intervals)

    def _meet(self) -> None:
        if self._site_keys.met:
            with self._lookups.begin():
                self._watch.meet(self._site_keys.met, self.bulk)
            self._site_keys.met.clear()

    def _why(self, *texts: str | None) -> str:
        site_id, reading_date, reading_value, *others = map(trimmed, texts)
        is_interval = self._site_keys.known(texts[0]) in self._site_keys.intervals
        try:
            fields.site_id(site_id)
            self._instant(reading_date)
            fields.interval_watt_hours(reading_value) if is_interval else fields.watt_hours(reading_value)
            fields.is_estimated(others[0] if others else None)
        except fields.FieldError as error:
            return str(error)
        other = self._site_keys.of_other_measure.get(self._site_keys.known(texts[0]) or 0)
        if other is not None:
            return f"reading_value is no {other}, as the readings of its site are"
        return f"{UNKNOWN_SITE}{site_id}"


def _estimated(texts: Sequence[str | None]) -> list[int | None]:
    """Whether each is estimated; None where it says something else."""
    found = {text: _is_estimated(text) for text in set(texts)}
    return [found[text] for text in texts]


def _is_estimated(text: str | None) -> int | None:
    try:
        return fields.is_estimated(trimmed(text))
    except fields.FieldError:
        return None


def _all_estimated(rows: Sequence[Ready], estimated: Sequence[int | None]) -> frozenset[ReadingKey]:
    """The readings all of whose rows are estimated."""
    if not any(estimated):
        return frozenset()
    keys = [(key, at) for key, at, _ in rows]
    return frozenset(compress(keys, estimated)).difference(compress(keys, map(not_, estimated)))
