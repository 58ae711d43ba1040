"""What an import met as it stood, and others have changed before its end: it is stored again.

1. What the import has stored itself is left alone: it stands, or an import that came after has replaced it.
2. Where the value of a later import stands, its own is kept beneath it: it stands once that one is undone.
3. All others that are missing, or differ from what stands, are stored.

Done in the transaction of the caller, who has taken the turns of the sites.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, literal, select

from ..models import Reading, ReplacedReading
from ..models.quality import Quality
from ..models.types import Instant, from_microseconds, from_watt_hours, to_microseconds
from ..storage.among import is_among
from ..storage.connections import insert
from ..storage.marks import mark
from .bulk.way import Bulk, ReadingKey, Ready
from .making_way import make_way
from .taking_back import is_before


class Again(NamedTuple):
    """How many readings that were met were stored after all: new ones, and for others."""

    new: int = 0
    updated: int = 0


def store_again(
    connection: Connection,
    bulk: Bulk,
    rows: Sequence[Ready],
    span: tuple[datetime, datetime],
    estimated: Collection[ReadingKey],
) -> Again:
    """Store those of an import's ``rows``, all of them of some sites in a span of time, that it has to."""
    sites = {key for key, _, _ in rows}
    own = {
        key
        for table in (Reading, ReplacedReading)
        for key, _ in _keys(connection, table, sites, span, table.import_id == bulk.stamp.import_id)
    }
    since = literal(bulk.stamp.received, Instant), literal(bulk.stamp.import_id)
    is_later = is_before(*since, Reading.received, Reading.import_id)
    later = dict(_keys(connection, Reading, sites, span, is_later))
    new = updated = 0
    for is_estimated in (False, True):
        met = [row for row in rows if row[:2] not in own and (row[:2] in estimated) == is_estimated]
        beneath = [row for row in met if row[:2] in later and later[row[:2]] <= is_estimated]
        _keep_beneath(connection, bulk, beneath, is_estimated=is_estimated)
        others = sorted({*met}.difference(beneath))
        if others:
            found = bulk.compare(others, estimated=is_estimated)
            new, updated = new + len(others) - found.stored, updated + found.stored - found.same
            _store(connection, bulk, others, is_estimated=is_estimated)
    return Again(new, updated)


def _store(connection: Connection, bulk: Bulk, rows: Sequence[Ready], *, is_estimated: bool) -> None:
    make_way(connection, bulk.stamp, rows, is_estimated=is_estimated)
    bulk.keep_replaced(rows, estimated=is_estimated)
    if is_estimated:
        bulk.keep_outranked(rows)
    mark(connection, {key for key, _ in bulk.change(rows, estimated=is_estimated)})


def _keys(
    connection: Connection,
    table: type[Reading | ReplacedReading],
    site_keys: Collection[int],
    span: tuple[datetime, datetime],
    which: ColumnElement[bool],
) -> Iterator[tuple[ReadingKey, bool]]:
    """Some readings of sites in a span of time, and whether each is estimated."""
    is_estimated = table.is_estimated if table is ReplacedReading else Reading.quality == Quality.ESTIMATED
    found = select(table.site_key, table.reading_date, is_estimated).where(
        is_among(connection, table.site_key, sorted(site_keys)), table.reading_date.between(*span), which
    )
    for site_key, instant, estimated in connection.execute(found):
        yield (site_key, to_microseconds(instant)), estimated


def _keep_beneath(connection: Connection, bulk: Bulk, rows: Sequence[Ready], *, is_estimated: bool) -> None:
    received, import_id = bulk.stamp
    kept = [
        {
            "site_key": key,
            "reading_date": from_microseconds(at),
            "import_id": import_id,
            "reading_value": from_watt_hours(value),
            "is_estimated": is_estimated,
            "received": received,
            "replaced_at": received,
        }
        for key, at, value in rows
    ]
    if kept:
        connection.execute(insert(connection, ReplacedReading).on_conflict_do_nothing(), kept)
