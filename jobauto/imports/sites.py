"""Importing the inventory of sites.

An optional column is an entry of ``OPTIONAL_COLUMNS`` and an attribute of ``Site`` of the same name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, BinaryIO

from sqlalchemy import (
    BigInteger,
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
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from ..audit.service import Author
from ..extensions import db
from ..models import Event, Reading, Site
from ..models.folding import fold, fold_texts
from ..models.site import COUNTS, GROUP_LENGTH, GROUPED_BY, MEASURES, SOURCE_LENGTH
from ..models.types import WATT_HOURS, Instant, Kwp
from ..readings.classifying import classify_urgent
from ..readings.turns import take_turns
from ..storage.citus import REGISTRY, is_distributed
from ..storage.connections import insert as insert_or
from ..storage.marks import mark_selected
from ..storage.regroupings import regrouped, regroupings
from . import fields, rows
from .result import ImportResult, Progress, unwatched
from .rows import Rejected, Row, Rows, Source
from .staging import Target, load


@dataclass(frozen=True)
class OptionalColumn:
    """A column that a list of sites may lack. What a row does not say stays as it is stored.

    ``parse`` makes a value of a text, and raises FieldError; of an empty text, by which JSON's ``null``
    clears, it makes the ``default``, which new sites have whose row does not say.
    """

    name: str
    type: TypeEngine[Any]
    parse: Callable[[str], Any]
    default: Any

    @property
    def is_said(self) -> str:
        """The staged column that tells whether a row says it."""
        return f"says_{self.name}"


OPTIONAL_COLUMNS = (
    OptionalColumn("monitored_from", Date(), lambda text: fields.local_date(text, "monitored_from"), None),
    OptionalColumn("active", Boolean(), lambda text: fields.boolean(text, "active"), True),
    OptionalColumn("group", String(), lambda text: fields.short_text(text, "group", GROUP_LENGTH), ""),
    OptionalColumn("source", String(), lambda text: fields.short_text(text, "source", SOURCE_LENGTH), ""),
    OptionalColumn("capacity_kwp", Kwp(), lambda text: fields.capacity(text, "capacity_kwp"), None),
    OptionalColumn("measure", String(), lambda text: fields.choice(text, "measure", MEASURES), None),
    OptionalColumn("counts", String(), lambda text: fields.choice(text, "counts", COUNTS) or "up", "up"),
)
CLASSIFIED_BY = ("capacity_kwp", "measure", "counts")
"""What the qualities of a site's readings rest on."""
REQUIRED = ("site_id", "site_name")
OPTIONAL = tuple(column.name for column in OPTIONAL_COLUMNS)

_FOLLOWING = (
    OptionalColumn("search_text", String(), fold, ""),
    OptionalColumn("search_group", String(), fold, ""),
)
"""What is stored with a site and follows from the rest."""
_STAGED = (*OPTIONAL_COLUMNS, *_FOLLOWING)
NOT_SAID = tuple(column.name for column in _FOLLOWING)

STAGE = Table(
    "staged_site",
    MetaData(),
    Column("line", Integer),
    Column("site_id", String),
    Column("site_name", String),
    *(
        staged
        for column in _STAGED
        for staged in (Column(column.is_said, Boolean), Column(column.name, column.type))
    ),
    prefixes=["TEMPORARY"],
)


def from_csv(stream: BinaryIO) -> Rows:
    """The rows of a list of sites. Raises FileError."""
    return rows.from_csv(stream, REQUIRED, OPTIONAL)


def from_json(body: bytes) -> Source:
    """The rows of a list of sites in JSON. Raises FileError."""
    return rows.from_json(body, REQUIRED, OPTIONAL)


def _wanted(known: FromClause) -> dict[str, ColumnElement[Any]]:
    """What staged rows make of sites."""
    optional = {
        column.name: case(
            (STAGE.c[column.is_said], STAGE.c[column.name]),
            else_=func.coalesce(known.c[column.name], literal(column.default, column.type)),
        )
        for column in _STAGED
    }
    return {"site_id": STAGE.c.site_id, "site_name": STAGE.c.site_name, **optional}


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


def read(row: Row) -> tuple[str, str, dict[str, Any]]:
    """A site's id and name, and what the row says of each optional column. Raises FieldError."""
    site_id, site_name, *optional = row.values
    name = fields.short_text(site_name, "site_name")
    if not name:
        raise fields.FieldError("site_name is empty")
    columns = zip(OPTIONAL_COLUMNS, optional, strict=True)
    return (
        fields.new_site_id(site_id),
        name,
        {column.name: column.parse(text) for column, text in columns if text is not None},
    )


def _parse(row: Row) -> tuple[Any, ...]:
    site_id, name, said = read(row)
    said |= {"search_text": fold_texts(site_id, name)}
    if "group" in said:
        said |= {"search_group": fold(said["group"])}
    pairs = ((column.name in said, said.get(column.name)) for column in _STAGED)
    return (site_id, name, *chain.from_iterable(pairs))


def _merged(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What two rows of a site say together; None where they contradict each other."""
    if one[:2] != other[:2]:
        return None
    values = list(one)
    for at in range(2, len(values), 2):
        (says, value), (also_says, another) = one[at : at + 2], other[at : at + 2]
        if says and also_says and value != another:
            return None
        values[at : at + 2] = (says, value) if says else (also_says, another)
    return tuple(values)


_SITES = Site.__table__
_TARGET = Target(
    model=Site,
    stage=STAGE,
    parse=_parse,
    key=lambda values: values[0],
    merged=_merged,
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
                literal(author.token, String),
                literal("site"),
                Site.site_id,
                literal(name),
                _as_text(before),
                _as_text(value),
            )
            .join(STAGE, STAGE.c.site_id == Site.site_id)
            .where(before.is_distinct_from(value))
        )
        columns = ["at", "who", "token", "subject", "subject_id", "field", "before", "after"]
        connection.execute(insert(Event).from_select(columns, changed))


_OF_SITES = STAGE.c.site_id == Site.site_id


def _changes_measure() -> ColumnElement[bool]:
    wanted, stored = (func.coalesce(measure, "register") for measure in (STAGE.c.measure, Site.measure))
    return STAGE.c.says_measure & (wanted != stored)


def _take_turns(connection: Connection) -> None:
    """While an import stores a site's first reading, nobody else has the site's turn."""
    sites = select(Site.key).join(STAGE, _OF_SITES).where(_changes_measure())
    take_turns(connection, list(connection.scalars(sites)))


def _lock(connection: Connection) -> None:
    """Nobody changes known sites between what is kept of the changes and the changes themselves."""
    known = select(Site.key).join(STAGE, _OF_SITES).order_by(Site.key)
    connection.execute(known.with_for_update(of=Site, key_share=True))


def _refuse(connection: Connection) -> list[Rejected]:
    """Take out rows that would change the measure of sites that have readings."""
    has_readings = exists(select(Reading.site_key).where(Reading.site_key == Site.key))
    lines = select(STAGE.c.line).join(Site, _OF_SITES).where(_changes_measure(), has_readings)
    found = list(connection.scalars(lines))
    if found:
        connection.execute(delete(STAGE).where(STAGE.c.line.in_(found)))
    return [Rejected(line, "measure can be changed only while a site has no readings") for line in found]


def _mark(connection: Connection) -> None:
    """What the qualities of readings rest on changes for these sites."""
    wanted = _wanted(_SITES)
    changed = or_(*(getattr(Site, name).is_distinct_from(wanted[name]) for name in CLASSIFIED_BY))
    sites = select(Site.key).join(STAGE, STAGE.c.site_id == Site.site_id).where(changed)
    mark_selected(connection, sites, urgent=True)


def _regroups(connection: Connection) -> bool:
    """Whether known sites get another group or source."""
    wanted = _wanted(_SITES)
    moves = or_(*(getattr(Site, name).is_distinct_from(wanted[name]) for name in GROUPED_BY))
    moved = select(Site.key).join(STAGE, _OF_SITES).where(moves).limit(1)
    return connection.scalar(moved) is not None


def _as_text(value: ColumnElement[Any]) -> ColumnElement[str]:
    if isinstance(value.type, Boolean):
        return case((value, "true"), else_="false")
    if isinstance(value.type, Kwp):
        watts = type_coerce(value, BigInteger)
        decimals = func.substr(cast(watts - watts // WATT_HOURS * WATT_HOURS + WATT_HOURS, String), 2, 2)
        return cast(watts // WATT_HOURS, String) + literal(".") + decimals
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

    before, regroups = 0, False

    def before_look(connection: Connection) -> None:
        _take_turns(connection)
        if target is not _DISTRIBUTED_TARGET:  # that locks one site at a time
            _lock(connection)

    def before_store(connection: Connection) -> None:
        nonlocal before, regroups
        if target is _DISTRIBUTED_TARGET:
            _register(connection)
        if author is not None:
            _record_changes(connection, author)
        _mark(connection)
        before, regroups = regroupings(connection), _regroups(connection)

    def after_store(connection: Connection) -> None:
        # Somebody may have regrouped a site after it was looked at, and just got their change overwritten.
        if regroups or regroupings(connection) != before:
            regrouped(connection)

    db.session.rollback()
    with db.engine.connect() as connection:
        with connection.begin():
            target = _DISTRIBUTED_TARGET if is_distributed(connection) else _TARGET
        target_now = replace(
            target,
            before_look=before_look,
            before_store=before_store,
            after_store=after_store,
            refuse=_refuse,
        )
        result = load(connection, rows, target_now, progress, dry_run=dry_run)
        if result.updated and author is not None and not dry_run:
            classify_urgent(connection, author.now)
        return result
