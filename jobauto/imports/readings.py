"""Importing readings, a block of lines at a time: read as columns, made ready as rows, stored."""

import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ..extensions import db
from ..storage import partitions
from ..storage.citus import connections_kept
from ..storage.vacuum import vacuum_analyze_after
from . import fields, rows
from .bulk import Ready, bulk_of
from .columns import Instants, read_registers
from .lines import trimmed
from .prefetch import Prefetch
from .result import UNKNOWN_SITE, ImportResult, Progress, unwatched
from .rows import Block, Rejected, Row, Source, in_blocks
from .seen import Columns, Seen
from .site_keys import SiteKeys
from .storing import Batch, Store
from .warnings import Watch

COLUMNS = ("site_id", "reading_date", "reading_value")
REFUSED = ("unit", "zone", "time_zone", "status", "register", "channel")
"""Columns that say that values may not be what they seem."""
DRY_BATCH = 100_000
"""Rows of a dry run are compared with those before them, of which fewer batches are quicker to search."""


def from_csv(stream: BinaryIO, ignore: Collection[str] = ()) -> rows.Rows:
    """The rows of a file of readings. Raises FileError."""
    return rows.from_csv(stream, COLUMNS, refused=REFUSED, ignore=ignore)


def from_json(body: bytes) -> Source:
    """The rows of a list of readings in JSON. Raises FileError."""
    return rows.from_json(body, COLUMNS)


def import_readings(
    rows: Iterable[Row | Rejected], *, zone: ZoneInfo, now: datetime, progress: Progress = unwatched
) -> ImportResult:
    """Store readings, and let PostgreSQL look at them. Safe to repeat."""
    result = store_readings(rows, zone=zone, now=now, progress=progress)
    vacuum_analyze_after(result.new + result.updated)
    return result


def store_readings(
    rows: Iterable[Row | Rejected],
    *,
    zone: ZoneInfo,
    now: datetime,
    progress: Progress = unwatched,
    dry_run: bool = False,
) -> ImportResult:
    """Store readings; those without an offset are local times of ``zone``. Safe to repeat.

    A dry run stores nothing and counts what would be.
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
        bulk = bulk_of(connection)
        store = Store(connection, bulk, result, seen, refused, dry_run=dry_run)
        reader = _Reader(lookups, fields.InstantReader(zone, now), watch)
        batches = Prefetch(map(reader.read, in_blocks(rows, DRY_BATCH if dry_run else bulk.BATCH)))
        for batch in batches:
            unchanged = result.unchanged
            rejected = sorted([*batch.rejected, *store.add(batch, while_waiting=batches.fetch)])
            if result.unchanged - unchanged < len(batch.lines):
                watch.compare(batch.ready)
            result.reject(rejected)
            result.ignored_columns = rows.ignored_columns if isinstance(rows, Source) else []
            progress(result, rejected)
        with lookups.begin():
            result.warnings = watch.describe(seen, reader.bulk)
    return result


def may_be_doubtful(
    rows: Iterable[Row | Rejected], *, zone: ZoneInfo, now: datetime, progress: Progress = unwatched
) -> bool:
    """Whether an import of the rows may have warnings: False where it certainly has none. Stores nothing.

    The readings are not compared with what is stored, which costs a dry run more than the import itself.
    """
    db.session.rollback()
    watch = Watch()
    with db.engine.connect() as lookups, closing(Seen()) as seen:
        reader = _Reader(lookups, fields.InstantReader(zone, now), watch)
        for batch in map(reader.read, in_blocks(rows, DRY_BATCH)):
            if batch.lines:
                seen.add(batch.lines, batch.columns)
                watch.compare(batch.ready)
            progress(ImportResult(), [])
        with lookups.begin():
            return bool(watch.describe(seen, reader.bulk))


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


class _Reader:
    """From blocks of texts to rows that are ready to store."""

    def __init__(self, lookups: Connection, instant: fields.InstantReader, watch: Watch) -> None:
        self._lookups = lookups
        self.bulk = bulk_of(lookups)
        self._site_keys = SiteKeys(lookups)
        self._instant = instant
        self._instants = Instants(instant)
        self._watch = watch

    def read(self, block: Block) -> Batch:
        """The rows that can be stored, in the order of the file, and the others with their reasons."""
        with _no_search_for_cycles():
            return self._read(block) if block.lines else Batch([], ([], [], []), [], block.rejected)

    def _read(self, block: Block) -> Batch:
        site_ids, dates, texts = cast("Sequence[Sequence[str]]", block.columns)
        values, may_have_three_decimals = read_registers(texts)
        columns = self._site_keys.of(site_ids), list(map(self._instants.__getitem__, dates)), values
        self._meet()
        lines, rejected = block.lines, block.rejected
        if any(None in column for column in columns):
            rows = list(zip(lines, *columns, texts, strict=True))
            rejected = sorted([*rejected, *self._rejected(block, rows)])
            good = (row for row in rows if None not in row)
            lines, *columns, texts = list(zip(*good, strict=True)) or [()] * 5  # type: ignore[assignment] # no None
        if may_have_three_decimals:
            self._watch.count_decimals(cast("Sequence[int]", columns[0]), texts)
        return self._batch(lines, cast("Columns", tuple(columns)), rejected)

    def _rejected(self, block: Block, rows: Sequence[tuple[object, ...]]) -> Iterator[Rejected]:
        for line, row, *texts in zip(block.lines, rows, *block.columns, strict=True):
            if None in row:
                yield Rejected(line, self._why(*texts))

    def _batch(self, lines: Sequence[int], columns: Columns, rejected: list[Rejected]) -> Batch:
        rows: list[Ready] = list(zip(*columns, strict=True))
        ready = sorted(rows)
        if ready == rows:
            self._watch.find_falls(columns[0], columns[2])
        else:
            self._watch.find_falls([row[0] for row in ready], [row[2] for row in ready])
        return Batch(lines, columns, ready, rejected)

    def _meet(self) -> None:
        if self._site_keys.met:
            with self._lookups.begin():
                self._watch.meet(self._site_keys.met, self.bulk)
            self._site_keys.met.clear()

    def _why(self, *texts: str) -> str:
        site_id, reading_date, reading_value = map(trimmed, texts)
        try:
            fields.site_id(site_id)
            self._instant(reading_date)
            fields.watt_hours(reading_value)
        except fields.FieldError as error:
            return str(error)
        return f"{UNKNOWN_SITE}{site_id}"
