"""Taking back what an import of readings did. What stands then is what the others would have left.

1. Somebody claims the import, for as long as a process proves that it is at it. Where that dies, the next
   tick goes on, as it does with an import.
2. Some of its sites at a time, in a transaction that has taken their turns, so that other imports may go on:
   readings that a later file had as well become that file's; values that were replaced come back; what the
   import added goes. What it kept of these sites goes with it, so no site is done twice.
3. The sites are classified anew. Only then is it undone, and the history says so.

A site that took its measure from an import, and has no readings any more, has none again. One that took its
source from it has what the others would have given it (:mod:`.sources`).
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from ..audit.service import Author, record
from ..clock import Clock, utcnow
from ..extensions import db
from ..logs import LogEvent
from ..models import Import, ImportSite, Reading, ReplacedReading, Site
from ..models.imports import UNFINISHED
from ..readings.classifying import classify_urgent
from ..readings.turns import take_turns
from ..storage.connections import insert, write, write_on
from ..storage.leases import is_stale
from ..storage.vacuum import vacuum_analyze_after
from . import sources
from .taking_back import Part, Undone

log = logging.getLogger("job_automation")

KEPT_FOR = timedelta(days=14)
STALE_AFTER = timedelta(minutes=2)
SMALLEST, LARGEST = 8, 512
"""Sites that are taken back in one transaction: more where the import has few readings of them."""
READINGS = 20_000
"""So many readings are taken back in a transaction, about."""


class UnknownImport(LookupError):
    """There is no such import."""


class CannotUndo(Exception):
    """Why an import cannot be taken back."""


def undo(import_id: int, author: Author, clock: Clock = utcnow) -> Undone:
    """Take an import back. Raises UnknownImport and CannotUndo."""
    claim(import_id, author)
    return go_on(import_id, clock)


def claim(import_id: int, author: Author) -> None:
    """Have an import taken back by whoever calls :func:`go_on`. Raises UnknownImport and CannotUndo."""
    with write() as session:
        entry = session.get(Import, import_id, with_for_update=True, populate_existing=True)
        if entry is None:
            raise UnknownImport(f"There is no import {import_id}.")
        if why := why_not(entry, author.now):
            raise CannotUndo(why)
        entry.undo_by, entry.undo_heartbeat_at = author.name, author.now


def may_undo(entry: Import, now: datetime) -> bool:
    """Whether an import can be taken back now."""
    return why_not(entry, now) is None


def is_too_old(entry: Import, now: datetime) -> bool:
    """Whether nothing but its age keeps an import from being taken back."""
    until = entry.undo_until
    return until is not None and until <= now and may_undo(entry, until - KEPT_FOR)


def is_under_way(entry: Import) -> bool:
    """Whether it is being taken back."""
    return entry.undo_heartbeat_at is not None and entry.undone_at is None


def _is_under_way() -> ColumnElement[bool]:
    return and_(Import.undo_heartbeat_at.is_not(None), Import.undone_at.is_(None))


def why_not(entry: Import, now: datetime) -> str | None:
    """Why an import cannot be taken back, in a sentence; None where it can be."""
    if entry.kind != "readings":
        return "Only imports of readings can be undone."
    if entry.undone_at is not None:
        return f"Import {entry.id} is undone already."
    if is_under_way(entry):
        return f"Import {entry.id} is being undone."
    is_empty = entry.status == "canceled" and entry.undo_until is None
    if entry.dry_run or entry.status == "discarded" or is_empty:
        return f"Import {entry.id} has stored nothing."
    if entry.status in UNFINISHED:
        return f"Import {entry.id} is under way."
    if entry.undo_until is None:
        return f"Import {entry.id} is of a former version, which kept nothing for it."
    if entry.undo_until <= now:
        return f"Import {entry.id} is older than {KEPT_FOR.days} days."
    return None


def go_on(import_id: int, clock: Clock = utcnow) -> Undone:
    """Take back what is left of an import that somebody has claimed; returns what came of all of it."""
    db.session.rollback()
    with db.engine.connect() as connection:
        with write_on(connection):
            _find_sites(connection, import_id)
        size = SMALLEST
        while (done := _take_back_some(connection, import_id, size, clock())) is not None:
            size = min(LARGEST, size * 2) if done < READINGS else max(SMALLEST, size // 2)
        classify_urgent(connection, clock())
    undone = _finish(import_id, clock())
    vacuum_analyze_after(undone.removed + undone.restored)
    return undone


def go_on_with_stale(clock: Clock = utcnow) -> None:
    """Go on with what a process has left that died."""
    stale = select(Import.id).where(
        Import.undone_at.is_(None), is_stale(Import.undo_heartbeat_at, clock(), STALE_AFTER)
    )
    for import_id in db.session.scalars(stale).all():
        mine = (Import.id == import_id, is_stale(Import.undo_heartbeat_at, clock(), STALE_AFTER))
        with write() as session:
            won = session.execute(
                update(Import).where(*mine).values(undo_heartbeat_at=clock()).returning(Import.id)
            ).one_or_none()
        if won:
            go_on(import_id, clock)


def expire(now: datetime) -> None:
    """Forget what was kept to undo imports of more than 14 days ago, but not while one is being undone."""
    under_way = select(Import.id).where(_is_under_way()).limit(1)
    if db.session.scalar(under_way) is not None:
        return
    over = ReplacedReading.replaced_at < now - KEPT_FOR - timedelta(days=1)
    if db.session.scalar(select(ReplacedReading.site_key).where(over).limit(1)) is not None:
        with write() as session:
            session.execute(delete(ReplacedReading).where(over))
    while (oldest := db.session.scalar(select(func.min(ImportSite.import_id)))) is not None:
        kept_for = (Import.status.in_(UNFINISHED), Import.undo_until > now)
        needed = select(Import.id).where(Import.id == oldest, or_(*kept_for))
        if db.session.scalar(needed) is not None:
            return
        with write() as session:
            session.execute(delete(ImportSite).where(ImportSite.import_id == oldest))


def _find_sites(connection: Connection, import_id: int) -> None:
    """Where the process of an import was killed it could not keep them: then all readings are looked at."""
    knows = select(Import.first_at.is_not(None)).where(Import.id == import_id)
    if connection.scalar(knows):
        return
    for table in (Reading, ReplacedReading):
        spans = (
            select(
                literal(import_id),
                table.site_key,
                func.min(table.reading_date),
                func.max(table.reading_date),
                func.max(table.received),
                literal(False),
                literal(False),
            )
            .where(table.import_id == import_id)
            .group_by(table.site_key)
        )
        columns = [column.name for column in ImportSite.__table__.columns if column.name != "source_given_at"]
        statement = insert(connection, ImportSite).from_select(columns, spans)
        later = case(
            (statement.excluded.last_at > ImportSite.last_at, statement.excluded.last_at),
            else_=ImportSite.last_at,
        )
        key = ["import_id", "site_key", "first_at"]
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_={"last_at": later}))


def _take_back_some(connection: Connection, import_id: int, size: int, now: datetime) -> int | None:
    """Take back an import at some of its sites; how many readings were. None: at all of them it is."""
    with write_on(connection):
        own = ImportSite.import_id == import_id
        keys = list(
            connection.scalars(
                select(ImportSite.site_key).where(own).distinct().order_by(ImportSite.site_key).limit(size)
            )
        )
        if not keys:
            return None
        take_turns(connection, keys)
        found = select(
            func.min(ImportSite.first_at), func.max(ImportSite.last_at), func.max(ImportSite.received)
        ).where(own, ImportSite.site_key.in_(keys))
        first, last, received = connection.execute(found).one()
        done = (
            Undone(0, 0, 0)
            if first is None
            else Part(connection, import_id, keys, first, last, received, now).take_back()
        )
        _give_measures_back(connection, import_id, keys)
        undone_by = connection.scalar(select(Import.undo_by).where(Import.id == import_id))
        sources.take_back(connection, import_id, keys, Author(undone_by, now))
        connection.execute(delete(ImportSite).where(own, ImportSite.site_key.in_(keys)))
        connection.execute(
            update(Import)
            .where(Import.id == import_id)
            .values(
                removed=Import.removed + done.removed,
                restored=Import.restored + done.restored,
                left=Import.left + done.left,
                undo_heartbeat_at=now,
            )
        )
    return sum(done)


def _give_measures_back(connection: Connection, import_id: int, keys: Collection[int]) -> None:
    """A site that an import gave its measure, and that has no readings any more, has none."""
    claimed = list(
        connection.scalars(
            select(ImportSite.site_key).where(ImportSite.site_key.in_(keys), ImportSite.claimed).distinct()
        )
    )
    if not claimed:
        return
    has_readings = exists().where(Reading.site_key == Site.key)
    connection.execute(update(Site).where(Site.key.in_(claimed), ~has_readings).values(measure=None))
    others = (ImportSite.site_key.in_(claimed), ImportSite.import_id != import_id)
    connection.execute(update(ImportSite).where(*others).values(claimed=True))


def _finish(import_id: int, now: datetime) -> Undone:
    with write() as session:
        entry = session.get_one(Import, import_id)
        stored = entry.new + entry.updated
        # What is in partitions that were dropped does not come back.
        entry.left = max(entry.left, stored - entry.removed - entry.restored)
        undone = Undone(entry.removed, entry.restored, entry.left)
        if entry.undone_at is None:
            entry.undone_at = now
            author = Author(entry.undo_by, now)
            record(session, author, "import", import_id, [("undone", None, undone.describe())])
            log.info(LogEvent("import-undone", **{"import": import_id}, **undone._asdict()))
    return undone
