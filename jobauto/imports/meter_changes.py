"""Importing recorded meter changes. A row replaces what was recorded of its site and instant."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
)

from ..audit.service import Author
from ..extensions import db
from ..models import Event, MeterChange, Site
from ..models.decision import SERIAL_LENGTH
from ..models.types import Instant, Kwh, from_watt_hours
from ..readings.classifying import classify_urgent
from ..readings.meter_changes import NO_INTERVALS, RECORDED, Change
from ..storage.marks import mark
from . import fields, rows
from .result import UNKNOWN_SITE, ImportResult, Progress, unwatched
from .rows import Rejected, Row, Rows
from .staging import Target, load

REQUIRED = ("site_id", "changed_at")
OPTIONAL = ("closing", "opening", "serial")

STAGE = Table(
    "staged_meter_change",
    MetaData(),
    Column("line", Integer),
    Column("site_id", String),
    Column("changed_at", Instant()),
    Column("closing", Kwh()),
    Column("opening", Kwh()),
    Column("serial", String),
    prefixes=["TEMPORARY"],
)

_SITES = (
    select(Site.key, Site.site_id, Site.measure)
    .where(Site.site_id.in_(select(STAGE.c.site_id)))
    .cte("known_site")
)
# Sites may lie on other machines: those of the batch are fetched first.
_STORED = MeterChange.__table__
_TOLD = ("closing", "opening", "serial")
_IS_STORED = _STORED.c.id.is_not(None)
_COMPARED = (
    select(
        STAGE.c.line,
        _IS_STORED.label("is_stored"),
        and_(_IS_STORED, *(_STORED.c[name].is_not_distinct_from(STAGE.c[name]) for name in _TOLD)).label(
            "is_same"
        ),
        _SITES.c.key.label("site_key"),
        STAGE.c.changed_at,
        *(STAGE.c[name] for name in _TOLD),
    )
    .join(_SITES, _SITES.c.site_id == STAGE.c.site_id)
    .outerjoin(_STORED, and_(_STORED.c.site_key == _SITES.c.key, _STORED.c.changed_at == STAGE.c.changed_at))
)


def from_csv(stream: BinaryIO) -> Rows:
    """The rows of a list of meter changes. Raises FileError."""
    return rows.from_csv(stream, REQUIRED, OPTIONAL)


def import_meter_changes(
    given: Iterable[Row | Rejected],
    *,
    zone: ZoneInfo,
    author: Author,
    progress: Progress = unwatched,
) -> ImportResult:
    """Record meter changes; an instant without an offset is local time of the zone. Safe to repeat."""
    db.session.rollback()
    target = Target(
        model=MeterChange,
        stage=STAGE,
        parse=_parser(fields.InstantReader(zone, author.now)),
        key=lambda values: values[:2],
        merged=lambda one, other: one if one == other else None,
        compared=_COMPARED,
        index=["site_key", "changed_at"],
        refuse=_refuse,
    )
    with db.engine.connect() as connection:
        keeping = replace(target, before_store=lambda now: _keep(now, author))
        result = load(connection, given, keeping, progress, dry_run=False)
        classify_urgent(connection, author.now)
        return result


def _parser(instant: Callable[[str | None], datetime]) -> Callable[[Row], tuple[Any, ...]]:
    def parse(row: Row) -> tuple[Any, ...]:
        site_id, changed_at, closing, opening, serial = row.values
        return (
            fields.site_id(site_id),
            _named("changed_at", "reading_date", lambda: instant(changed_at)),
            _kwh(closing, "closing"),
            _kwh(opening, "opening"),
            fields.short_text(serial, "serial", SERIAL_LENGTH),
        )

    return parse


def _kwh(text: str | None, name: str) -> Any:
    if not text:
        return None
    return from_watt_hours(_named(name, "reading_value", lambda: fields.watt_hours(text)))


def _named(name: str, usual: str, read: Callable[[], Any]) -> Any:
    """What a field of readings may hold, under another name."""
    try:
        return read()
    except fields.FieldError as error:
        raise fields.FieldError(str(error).replace(usual, name)) from error


def _refuse(connection: Connection) -> list[Rejected]:
    """Take out rows of sites that do not exist, or have no register."""
    staged = (
        select(STAGE.c.line, STAGE.c.site_id, _SITES.c.key, _SITES.c.measure)
        .outerjoin(_SITES, _SITES.c.site_id == STAGE.c.site_id)
        .where((_SITES.c.key.is_(None)) | (_SITES.c.measure == "interval"))
    )
    found = [
        Rejected(line, f"{UNKNOWN_SITE}{site_id}" if key is None else NO_INTERVALS)
        for line, site_id, key, _ in connection.execute(staged)
    ]
    if found:
        connection.execute(delete(STAGE).where(STAGE.c.line.in_([row.line for row in found])))
    return found


def _keep(connection: Connection, author: Author) -> None:
    """Keep what changes in the history of each site, and have its readings classified."""
    compared = _COMPARED.add_columns(
        STAGE.c.site_id, *(_STORED.c[name].label(f"was_{name}") for name in _TOLD)
    ).subquery()
    changed = connection.execute(select(compared).where(~compared.c.is_same)).all()
    events = [
        {
            "at": author.now,
            "who": author.name,
            "subject": "site",
            "subject_id": row.site_id,
            "field": RECORDED,
            "before": _describe(row, "was_") if row.is_stored else None,
            "after": _describe(row, ""),
        }
        for row in changed
    ]
    if events:
        connection.execute(insert(Event), events)
        mark(connection, {row.site_key for row in changed})


def _describe(row: Any, prefix: str) -> str:
    told = {name: getattr(row, prefix + name) for name in _TOLD}
    return Change(row.changed_at, **told).describe()
