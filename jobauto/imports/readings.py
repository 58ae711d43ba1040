"""Importing readings, a block of lines at a time: read as columns, made ready as rows, stored."""

import gc
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from ..extensions import db
from ..logs import LogEvent
from ..storage import partitions
from . import fields
from .bulk import Ready, bulk_of
from .columns import Instants, watt_hours
from .prefetch import Prefetch
from .result import ImportResult, Progress, unwatched
from .rows import Block, Rejected, Row, in_blocks, trimmed
from .site_keys import SiteKeys
from .storing import Store

log = logging.getLogger("job_automation")

_Batch = tuple[list[Ready], list[Rejected]]

COLUMNS = ("site_id", "reading_date", "reading_value")
WORTH_ANALYSING = 1000


def import_readings(
    rows: Iterable[Row | Rejected], *, zone: ZoneInfo, now: datetime, progress: Progress = unwatched
) -> ImportResult:
    """Store readings, and let PostgreSQL look at them. Safe to repeat."""
    result = store_readings(rows, zone=zone, now=now, progress=progress)
    vacuum_analyze_after(result)
    return result


def store_readings(
    rows: Iterable[Row | Rejected],
    *,
    zone: ZoneInfo,
    now: datetime,
    progress: Progress,
    dry_run: bool = False,
) -> ImportResult:
    """Store readings; those without an offset are local times of ``zone``. Safe to repeat.

    A dry run stores nothing and counts what would be.
    """
    db.session.rollback()
    result = ImportResult()
    with db.engine.connect() as connection, db.engine.connect() as lookups:
        if not dry_run:
            partitions.keep_ahead(connection, now)
        bulk = bulk_of(connection)
        store = Store(connection, bulk, result, dry_run=dry_run)
        read = _Reader(lookups, fields.InstantReader(zone, now)).read
        batches = Prefetch(map(read, in_blocks(rows, bulk.BATCH)))
        for ready, rejected in batches:
            result.reject(rejected)
            store.add(ready, while_waiting=batches.fetch)
            progress(result, rejected)
    return result


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

    def __init__(self, lookups: Connection, instant: fields.InstantReader) -> None:
        self._site_keys = SiteKeys(lookups)
        self._instant = instant
        self._instants = Instants(instant)

    def read(self, block: Block) -> _Batch:
        """The rows that can be stored, in the order of the file, and the others with their reasons."""
        with _no_search_for_cycles():
            return self._read(block) if block.lines else ([], block.rejected)

    def _read(self, block: Block) -> _Batch:
        site_ids, dates, values = cast("Sequence[Sequence[str]]", block.columns)
        columns = (
            self._site_keys.of(site_ids),
            list(map(self._instants.__getitem__, dates)),
            watt_hours(values),
        )
        rows = cast("list[Ready]", list(zip(*columns, strict=True)))
        if not any(None in column for column in columns):
            return rows, block.rejected
        rejected = [
            Rejected(line, self._why(*texts))
            for line, row, *texts in zip(block.lines, rows, site_ids, dates, values, strict=True)
            if None in row
        ]
        return [row for row in rows if None not in row], sorted([*block.rejected, *rejected])

    def _why(self, *texts: str) -> str:
        site_id, reading_date, reading_value = map(trimmed, texts)
        try:
            fields.site_id(site_id)
            self._instant(reading_date)
            fields.watt_hours(reading_value)
        except fields.FieldError as error:
            return str(error)
        return f"unknown site: {site_id}"


def vacuum_analyze_after(result: ImportResult) -> None:
    """Let PostgreSQL look at what an import has stored, if that is worth it: on large tables for minutes.

    Raises nothing: the readings are stored, and PostgreSQL looks by itself a little later.
    """
    if result.new + result.updated < WORTH_ANALYSING or db.engine.dialect.name != "postgresql":
        return
    try:
        vacuum_analyze()
    except DatabaseError as error:  # a partition was dropped while_waiting, say
        log.warning(LogEvent("vacuum-failed", error=error.orig))


def vacuum_analyze(*, everything: bool = False) -> None:
    """Let PostgreSQL look at what has been imported; with ``everything``, at all partitions."""
    # Statistics older than a large import made a rule 300 times slower; pages not yet marked all-visible
    # make an index-only scan read the table as well.
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        in_parts = not everything and partitions.is_partitioned(connection)
        tables = partitions.changed(connection) if in_parts else ["reading"]
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(tables)}"))
