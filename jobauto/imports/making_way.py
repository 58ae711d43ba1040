"""Storing readings where an import that was received later has ended already.

That one said of all that stood between two instants that its file has it (:mod:`.traces`). What is stored
there afterwards it has not, and must not be left to it when this import is taken back.

1. Around a new reading its spans are parted.
2. A value that is replaced is kept as its own, which stands again.

Done in the transaction of the caller, who has taken the turns of the sites and stores the rows next.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, delete, literal, select

from ..models import ImportSite, Reading, ReplacedReading
from ..models.quality import Quality
from ..models.types import EPOCH, Instant, from_microseconds, from_watt_hours
from ..storage.among import is_among
from ..storage.connections import insert
from .bulk.way import Ready, Stamp
from .taking_back import is_before

_A_MOMENT = timedelta(microseconds=1)


def make_way(connection: Connection, stamp: Stamp, rows: Sequence[Ready], *, is_estimated: bool) -> None:
    """Let imports that came later say nothing of the ``rows`` that an import is about to store.

    All of them are estimated, or none.
    """
    values: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    for key, at, value in rows:
        values[key][from_microseconds(at)] = value
    spans = _spans_of_later(connection, stamp, values)
    if not spans:
        return
    standing = _standing(connection, {span["site_key"]: values[span["site_key"]] for span in spans})
    for span in spans:
        key, first, last = span["site_key"], span["first_at"], span["last_at"]
        within = {at: value for at, value in sorted(values[key].items()) if first <= at <= last}
        _part(connection, span, [at for at in within if (key, at) not in standing])
        replaced = [
            stands
            for at, value in within.items()
            if (stands := standing.get((key, at))) and _is_replaced(stands, value, is_estimated=is_estimated)
        ]
        _keep_beneath(connection, stamp, span, replaced)


def _spans_of_later(
    connection: Connection, stamp: Stamp, values: Mapping[int, Iterable[datetime]]
) -> Sequence[RowMapping]:
    instants = [at for of_site in values.values() for at in of_site]
    if not instants:
        return []
    mine = literal(stamp.received, Instant), literal(stamp.import_id)
    found = select(ImportSite.__table__).where(
        is_among(connection, ImportSite.site_key, sorted(values)),
        ImportSite.confirms,
        is_before(*mine, ImportSite.received, ImportSite.import_id),
        ImportSite.first_at <= max(instants),
        ImportSite.last_at >= min(instants),
    )
    return connection.execute(found).mappings().all()


def _standing(
    connection: Connection, values: Mapping[int, Iterable[datetime]]
) -> dict[tuple[int, datetime], Row[Any]]:
    instants = [at for of_site in values.values() for at in of_site]
    found = select(Reading.__table__).where(
        is_among(connection, Reading.site_key, sorted(values)),
        Reading.reading_date.between(min(instants), max(instants)),
    )
    return {(row.site_key, row.reading_date): row for row in connection.execute(found)}


def _is_replaced(stands: Row[Any], value: int, *, is_estimated: bool) -> bool:
    if stands.quality != Quality.ESTIMATED:
        return not is_estimated and stands.reading_value != from_watt_hours(value)
    return not is_estimated or stands.reading_value != from_watt_hours(value)


def _part(connection: Connection, span: RowMapping, instants: Sequence[datetime]) -> None:
    if not instants:
        return
    key = [column == span[column.name] for column in ImportSite.__table__.primary_key]
    connection.execute(delete(ImportSite).where(*key))
    parts = [
        {**span, "first_at": first, "last_at": last}
        for first, last in _between(span["first_at"], instants, span["last_at"])
    ]
    # One that says nothing any more is still the trace of the import at its site.
    connection.execute(insert(connection, ImportSite), parts or [{**span, "confirms": False}])


def _between(
    first: datetime, instants: Sequence[datetime], last: datetime
) -> Iterator[tuple[datetime, datetime]]:
    begins = [first, *(at + _A_MOMENT for at in instants)]
    ends = [*(at - _A_MOMENT for at in instants), last]
    return ((begin, end) for begin, end in zip(begins, ends, strict=True) if begin <= end)


def _keep_beneath(
    connection: Connection, stamp: Stamp, span: RowMapping, replaced: Sequence[Row[Any]]
) -> None:
    kept = [
        {
            "site_key": stands.site_key,
            "reading_date": stands.reading_date,
            "import_id": span["import_id"],
            "reading_value": stands.reading_value,
            "is_estimated": stands.quality == Quality.ESTIMATED,
            "received": span["received"],
            "replaced_at": stamp.received,
        }
        for stands in replaced
        if (stands.received or EPOCH, stands.import_id or 0) < (span["received"], span["import_id"])
    ]
    if kept:
        connection.execute(insert(connection, ReplacedReading).on_conflict_do_nothing(), kept)
