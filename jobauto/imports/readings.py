"""Importing readings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    false,
    func,
    literal,
    select,
    text,
)

from .. import partitions
from ..extensions import db
from ..models import Reading, Site
from ..models.types import Instant
from . import fields
from .result import ImportResult, Progress, unwatched
from .rows import Rejected, Row
from .staging import Target, load

COLUMNS = ("site_id", "reading_date", "reading_value")
WORTH_ANALYSING = 1000

STAGE = Table(
    "staged_reading",
    MetaData(),
    Column("line", Integer),
    Column("site_id", String),
    Column("reading_date", Instant),
    Column("watt_hours", BigInteger),
    prefixes=["TEMPORARY"],
)

_KNOWN = select(Site.site_id).where(Site.site_id.in_(select(STAGE.c.site_id))).cte("known")
_UNKNOWN = (
    select(STAGE.c.line, literal("unknown site") + ": " + STAGE.c.site_id)
    .outerjoin(_KNOWN, _KNOWN.c.site_id == STAGE.c.site_id)
    .where(_KNOWN.c.site_id.is_(None))
)
_COMPARED = (
    select(
        STAGE.c.line,
        Reading.site_key.is_not(None).label("is_stored"),
        func.coalesce(Reading.reading_value == STAGE.c.watt_hours, false()).label("is_same"),
        Site.key.label("site_key"),
        STAGE.c.reading_date,
        STAGE.c.watt_hours.label("reading_value"),
    )
    .join(Site, Site.site_id == STAGE.c.site_id)
    .outerjoin(Reading, (Reading.site_key == Site.key) & (Reading.reading_date == STAGE.c.reading_date))
)


def import_readings(
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
    instant = fields.InstantReader(zone, now)

    def parse(row: Row) -> tuple[Any, ...]:
        site_id, reading_date, reading_value = row.values
        return fields.site_id(site_id), instant(reading_date), fields.watt_hours(reading_value)

    target = Target(
        model=Reading,
        stage=STAGE,
        parse=parse,
        key=lambda values: values[:2],
        unknown=_UNKNOWN,
        compared=_COMPARED,
        index=["site_key", "reading_date"],
    )
    db.session.rollback()
    with db.engine.connect() as connection:
        if not dry_run:
            partitions.keep_ahead(connection, now)
        result = load(connection, rows, target, progress, dry_run=dry_run)
    if (
        not dry_run
        and result.new + result.updated >= WORTH_ANALYSING
        and db.engine.dialect.name == "postgresql"
    ):
        tell_the_planner()
    return result


def tell_the_planner(*, everything: bool = False) -> None:
    """Let PostgreSQL look at what has been imported; with ``everything``, at all partitions."""
    # Statistics older than a large import made a rule 300 times slower; pages not yet marked all-visible
    # make an index-only scan read the table as well.
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        in_parts = not everything and partitions.is_partitioned(connection)
        tables = partitions.changed(connection) if in_parts else ["reading"]
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(tables)}"))
