"""Importing the inventory of sites."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    true,
)

from ..audit.service import Author
from ..extensions import db
from ..models import Event, Site
from ..models.site import GROUP_LENGTH
from ..models.types import Instant
from . import fields
from .result import ImportResult, Progress, unwatched
from .rows import Rejected, Row
from .staging import Target, load

REQUIRED = ("site_id", "site_name")
OPTIONAL = ("monitored_from", "active", "group")

STAGE = Table(
    "staged_site",
    MetaData(),
    Column("line", Integer),
    Column("site_id", String),
    Column("site_name", String),
    Column("monitored_from", Date),
    Column("says_monitored_from", Boolean),
    Column("active", Boolean),
    Column("group_name", String),
    prefixes=["TEMPORARY"],
)

# A column that a file lacks changes nothing: what is not said stays as it is.
_COMPARED_COLUMNS = {
    "site_id": STAGE.c.site_id,
    "site_name": STAGE.c.site_name,
    "monitored_from": case((STAGE.c.says_monitored_from, STAGE.c.monitored_from), else_=Site.monitored_from),
    "active": func.coalesce(STAGE.c.active, Site.active, true()),
    "group": func.coalesce(STAGE.c.group_name, Site.group, ""),
}
_COMPARED = select(
    STAGE.c.line,
    Site.key.is_not(None).label("is_stored"),
    and_(
        Site.key.is_not(None),
        *(getattr(Site, name).is_not_distinct_from(value) for name, value in _COMPARED_COLUMNS.items()),
    ).label("is_same"),
    *(value.label(name) for name, value in _COMPARED_COLUMNS.items()),
).outerjoin(Site, Site.site_id == STAGE.c.site_id)


def _parse(row: Row) -> tuple[Any, ...]:
    site_id, site_name, monitored_from, active, group = row.values
    name = fields.short_text(site_name, "site_name")
    if not name:
        raise fields.FieldError("site_name is empty")
    return (
        fields.site_id(site_id),
        name,
        fields.local_date(monitored_from, "monitored_from"),
        monitored_from is not None,
        None if active is None else fields.boolean(active, "active"),
        None if group is None else fields.short_text(group, "group", GROUP_LENGTH),
    )


_TARGET = Target(
    model=Site,
    stage=STAGE,
    parse=_parse,
    key=lambda values: values[0],
    unknown=None,
    compared=_COMPARED,
    index=["site_id"],
)


def _record_changes(connection: Connection, author: Author) -> None:
    """Keep each change of a known site, with who and when; a statement a field, however many sites."""
    for name, value in _COMPARED_COLUMNS.items():
        before = getattr(Site, name)
        changed = (
            select(
                literal(author.now, Instant),
                literal(author.name, String),
                literal("site"),
                Site.site_id,
                literal(name),
                _as_text(before),
                _as_text(value),
            )
            .join(STAGE, STAGE.c.site_id == Site.site_id)
            .where(before.is_distinct_from(value))
        )
        columns = ["at", "who", "subject", "subject_id", "field", "before", "after"]
        connection.execute(insert(Event).from_select(columns, changed))


def _as_text(value: ColumnElement[Any]) -> ColumnElement[str]:
    if isinstance(value.type, Boolean):
        return case((value, "true"), else_="false")
    return cast(value, String)


def import_sites(
    rows: Iterable[Row | Rejected],
    *,
    author: Author | None = None,
    progress: Progress = unwatched,
    dry_run: bool = False,
) -> ImportResult:
    """Store sites, new ones and changes to known ones. Safe to repeat; no site is ever taken away.

    With an ``author``, changes to known sites are kept in the history of each. A dry run stores nothing.
    """
    target = _TARGET
    if author is not None:
        target = replace(_TARGET, before_store=lambda connection: _record_changes(connection, author))
    db.session.rollback()
    with db.engine.connect() as connection:
        return load(connection, rows, target, progress, dry_run=dry_run)
