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
    FromClause,
    Integer,
    MetaData,
    Select,
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
from ..models.folding import fold, fold_texts
from ..models.site import GROUP_LENGTH
from ..models.types import Instant
from ..storage.citus import REGISTRY, is_distributed
from ..storage.connections import insert as insert_or
from . import fields
from .result import ImportResult, Progress, unwatched
from .rows import Rejected, Row
from .staging import Target, load

REQUIRED = ("site_id", "site_name")
OPTIONAL = ("monitored_from", "active", "group")

NOT_SAID = ("search_text", "search_group")
"""What is stored with a site and follows from the rest."""

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
    Column("search_text", String),
    Column("search_group", String),
    prefixes=["TEMPORARY"],
)


def _wanted(known: FromClause) -> dict[str, ColumnElement[Any]]:
    """What staged rows make of sites. A column that a file lacks changes nothing: it stays as it is known."""
    is_said = STAGE.c.says_monitored_from
    return {
        "site_id": STAGE.c.site_id,
        "site_name": STAGE.c.site_name,
        "monitored_from": case((is_said, STAGE.c.monitored_from), else_=known.c.monitored_from),
        "active": func.coalesce(STAGE.c.active, known.c.active, true()),
        "group": func.coalesce(STAGE.c.group_name, known.c.group, ""),
        "search_text": STAGE.c.search_text,
        "search_group": func.coalesce(STAGE.c.search_group, known.c.search_group, ""),
    }


def _compared(known: FromClause) -> Select[Any]:
    wanted = _wanted(known)
    is_stored = known.c.key.is_not(None)
    same = (known.c[name].is_not_distinct_from(value) for name, value in wanted.items())
    return select(
        STAGE.c.line,
        is_stored.label("is_stored"),
        and_(is_stored, *same).label("is_same"),
        *(value.label(name) for name, value in wanted.items()),
    ).outerjoin(known, known.c.site_id == STAGE.c.site_id)


def _parse(row: Row) -> tuple[Any, ...]:
    site_id, site_name, monitored_from, active, group = row.values
    name = fields.short_text(site_name, "site_name")
    if not name:
        raise fields.FieldError("site_name is empty")
    if group is not None:
        group = fields.short_text(group, "group", GROUP_LENGTH)
    return (
        fields.site_id(site_id),
        name,
        fields.local_date(monitored_from, "monitored_from"),
        monitored_from is not None,
        None if active is None else fields.boolean(active, "active"),
        group,
        fold_texts(site_id or "", name),
        None if group is None else fold(group),
    )


_SITES = Site.__table__
_TARGET = Target(
    model=Site,
    stage=STAGE,
    parse=_parse,
    key=lambda values: values[0],
    compared=_compared(_SITES),
    index=["site_id"],
)
# Where sites are distributed, those of the batch are fetched first, and the registry hands out the keys.
_FETCHED = select(_SITES).where(_SITES.c.site_id.in_(select(STAGE.c.site_id))).cte("known")
_DISTRIBUTED_TARGET = replace(
    _TARGET,
    compared=_compared(_FETCHED)
    .add_columns(REGISTRY.c.key)
    .outerjoin(REGISTRY, REGISTRY.c.site_id == STAGE.c.site_id),
    index=["key"],
)


def _register(connection: Connection) -> None:
    """Give each site of the batch its key; of two imports that meet, the database lets one do so."""
    new = select(STAGE.c.site_id).order_by(STAGE.c.site_id)
    register = insert_or(connection, REGISTRY).from_select(["site_id"], new)
    connection.execute(register.on_conflict_do_nothing(index_elements=["site_id"]))


def _record_changes(connection: Connection, author: Author) -> None:
    """Keep each change of a known site, with who and when; a statement a field, however many sites."""
    for name, value in _wanted(_SITES).items():
        if name in NOT_SAID:
            continue
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

    def before_store(connection: Connection) -> None:
        if target is _DISTRIBUTED_TARGET:
            _register(connection)
        if author is not None:
            _record_changes(connection, author)

    db.session.rollback()
    with db.engine.connect() as connection:
        with connection.begin():
            target = _DISTRIBUTED_TARGET if is_distributed(connection) else _TARGET
        target_now = replace(target, before_store=before_store)
        return load(connection, rows, target_now, progress, dry_run=dry_run)
