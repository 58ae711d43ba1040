"""Backups: the whole database as one file, and back again, on SQLite and PostgreSQL.

A backup is a gzipped SQLite database with the program's own tables, whichever database it came from. So
it needs no client tools of a server, can be looked into with any SQLite, moves a fleet from one kind of
database to the other, and carries the length and checksum of gzip.

To back up:

1. Copy what one instant shows into a scratch file: SQLite by its online backup, PostgreSQL by
   :func:`~.snapshot.snapshot`. Whoever writes meanwhile is not kept waiting. What is of the moment, such as
   sessions, stays out.
2. Look at every value as a restore would: that it would refuse one is known now, and not when it is needed.
3. Compress it.

To restore:

1. Unpack into a scratch file; a damaged file, or one of a newer program, ends here.
2. Put its rows into a scratch database that the migrations have made (see :mod:`~.sent_backup`), and bring
   that to this program's schema.
3. Look at every value; a file that holds what the program does not write ends here, and nothing was locked.
4. In one transaction of the database: bring its schema up too, refuse it if it holds anything (unless it
   is to be replaced), take away all rows, sessions too, put in those of the file, give up the messages
   and fail the imports that came with them, set the sequences. All or nothing.
"""

import gzip
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    JSON,
    Connection,
    CursorResult,
    NullPool,
    Table,
    Text,
    create_engine,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError

from ..extensions import db
from ..models import (
    BulkAction,
    Import,
    OutboxMessage,
    ReadingTurn,
    SettingsVersion,
)
from ..models.imports import UNFINISHED
from ..models.notification import WAITING
from . import partitions, sent_backup, soundness
from .bulk_copy import bulk_copy
from .citus import is_distributed, register_anew
from .connections import foreign_keys_off, is_unavailable, revision_of, write_on
from .migrating import upgrade_on
from .pieces import pieces
from .scratch import scratch
from .sent_backup import BackupError
from .snapshot import ATTEMPTS, PATIENCE, NeverQuiet, snapshot

CHUNK, CHUNK_OF_TEXTS = 10_000, 100
"""So many rows are held at once; of a table with texts of any length no more than the second."""
FETCHED_WITH_TEXTS, FETCHED_WITH_DOCUMENTS = 10, 1
"""So many rows PostgreSQL is asked for at once, however long. A document is read as it comes, and takes forty
times its length.
"""
FILE = "jobauto.sqlite3"
Progress = Callable[[str, int], None]
"""Called with a table's name and how many of its rows are done."""


@dataclass
class Contents:
    """What a backup holds: its schema's revision, and the rows of each table.

    ``wrong`` says why a restore would refuse it.
    """

    revision: str | None
    rows: dict[str, int] = field(default_factory=dict)
    wrong: str | None = None

    def describe(self) -> str:
        """``12 tables, 3,456 rows, schema 0003``."""
        return f"{len(self.rows)} tables, {sum(self.rows.values()):,} rows, schema {self.revision}"


def back_up(target: BinaryIO, progress: Progress) -> Contents:
    """Write the database as it is at this instant. Raises NeverQuiet."""
    with scratch() as folder:
        file = folder / FILE
        with _opened(file) as copy:
            _take(copy, progress)
            rows = {table.name: _count(copy, table) for table in soundness.kept_tables()}
            contents = Contents(revision_of(copy), rows, soundness.complaint(copy))
        with file.open("rb") as plain, gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
    return contents


def restore(source: BinaryIO, progress: Progress, *, replace: bool, now: datetime) -> Contents:
    """Put the rows of a backup in place of those of the database.

    Raises BackupError, DatabaseNotReady, NeverQuiet.
    """
    with scratch() as folder, _opened(folder / FILE) as copy:
        contents = Contents(_take_sent(source, folder / "sent.sqlite3", copy))
        with db.engine.connect() as connection:
            partitions.keep_ahead(connection, now)
            with foreign_keys_off(connection), write_on(connection):
                contents.rows = _replace(copy, connection, progress, replace=replace, now=now)
    return contents


def _take_sent(source: BinaryIO, file: Path, copy: Connection) -> str:
    """Put what somebody sent into an empty database, as this program would have written it."""
    sent_backup.unpack(source, file)
    with sent_backup.opened(file) as sent:
        revision = sent_backup.revision_in(sent)
        upgrade_on(copy, revision)
        sent_backup.take_rows(sent, _sqlite(copy))
    file.unlink()  # the database needs its room
    _bring_up(copy)
    if wrong := soundness.complaint(copy):
        raise BackupError(wrong)
    return revision


def _bring_up(copy: Connection) -> None:
    try:
        upgrade_on(copy)
    except Exception as error:  # what an older file may hold has no end
        if is_unavailable(error):
            raise
        raise BackupError(
            "The backup is of an older jobauto, and its rows are not as that wrote them."
        ) from error


def _replace(
    copy: Connection, connection: Connection, progress: Progress, *, replace: bool, now: datetime
) -> dict[str, int]:
    upgrade_on(connection)
    _make_room(connection, replace=replace)
    try:
        rows = _copy(copy, connection, progress)
    except DBAPIError as error:
        if is_unavailable(error):
            raise
        raise BackupError(f"The database does not take the rows of the backup: {error.orig}") from error
    _expire_what_was_under_way(connection, now)
    if connection.dialect.name == "postgresql":
        _after_copying(connection)
    return rows


def _tables() -> list[Table]:
    return db.metadata.sorted_tables


@contextmanager
def _opened(file: Path) -> Iterator[Connection]:
    """A SQLite file that only this process knows, and that need not outlive it."""
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.connect() as connection:
        driver = _sqlite(connection)
        driver.execute("PRAGMA synchronous = OFF")
        yield connection
        connection.commit()
        driver.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _take(copy: Connection, progress: Progress) -> None:
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            _sqlite(connection).backup(_sqlite(copy))
        _drop_what_is_not_ours(_sqlite(copy))
        _clear_what_is_of_the_moment(_sqlite(copy))
        return
    upgrade_on(copy)
    _clear(copy)
    with snapshot() as connection:
        _copy(connection, copy, progress)


def _drop_what_is_not_ours(copy: sqlite3.Connection) -> None:
    """Whoever has the file may have made a view in it, which a restore would refuse."""
    ours = {*db.metadata.tables, "alembic_version"}
    made = copy.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchall()
    # A virtual table takes its shadows with it.
    tables = sorted(sent_backup.kinds(copy).items(), key=lambda found: found[1] != "virtual")
    made += [("table", name) for name, kind in tables if kind != "view" and name not in ours]
    for kind, name in made:
        quoted = name.replace('"', '""')
        copy.execute(f'DROP {kind} IF EXISTS "{quoted}"')


def _clear_what_is_of_the_moment(copy: sqlite3.Connection) -> None:
    copy.execute("PRAGMA secure_delete = ON")  # or they could be read in the file all the same
    for table in soundness.OF_THE_MOMENT:
        copy.execute(f'DELETE FROM "{table}"')  # noqa: S608 (our names)


def _sqlite(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 (for the type checker)
    return driver


def _copy(source: Connection, target: Connection, progress: Progress) -> dict[str, int]:
    rows = {}
    for table in soundness.kept_tables():
        done = 0
        # SQLite hands out row by row by itself, and of PostgreSQL so many are asked for at once.
        at_once = {"yield_per": _fetched_of(table)} if source.dialect.name == "postgresql" else {}
        found = source.execution_options(**at_once).execute(select(*table.columns))
        for chunk in _chunks(found, table):
            bulk_copy(target, table, chunk)
            done += len(chunk)
            progress(table.name, done)
        rows[table.name] = done
    return rows


def _chunks(found: CursorResult[Any], table: Table) -> Iterator[list[tuple[Any, ...]]]:
    if not _has_texts(table):
        yield from ([tuple(row) for row in chunk] for chunk in found.partitions(CHUNK))
        return
    yield from pieces(found, CHUNK_OF_TEXTS)


def _fetched_of(table: Table) -> int:
    if any(isinstance(column.type, JSON) for column in table.columns):
        return FETCHED_WITH_DOCUMENTS
    return FETCHED_WITH_TEXTS if _has_texts(table) else CHUNK


def _has_texts(table: Table) -> bool:
    return any(isinstance(column.type, Text | JSON) for column in table.columns)


def _make_room(connection: Connection, *, replace: bool) -> None:
    if connection.dialect.name == "postgresql":
        _lock(connection)
    if not replace and _holds_anything(connection):
        raise BackupError("The database is not empty. To lose what it holds, add --replace.")
    _clear(connection)


def _lock(connection: Connection) -> None:
    """Lock all tables. Raises NeverQuiet.

    Who is writing may still need one that we have and hold one that we need: then ours are given back, before
    PostgreSQL takes it for a deadlock and ends either, and we try again.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    for _ in range(ATTEMPTS):
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {_names(connection)}")
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
        else:
            connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
            return
    raise NeverQuiet


def _holds_anything(connection: Connection) -> bool:
    # A new database has its first settings; whoever changes them leaves an event. Turns are nobody's.
    passed_over = (SettingsVersion.__table__, ReadingTurn.__table__)
    others = [table for table in _tables() if table not in passed_over]
    return any(connection.execute(select(table).limit(1)).first() is not None for table in others)


def _clear(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"TRUNCATE {_names(connection)}")
        return
    for table in reversed(_tables()):
        connection.execute(delete(table))


def _names(connection: Connection) -> str:
    return ", ".join(map(connection.dialect.identifier_preparer.format_table, _tables()))


def _expire_what_was_under_way(connection: Connection, now: datetime) -> None:
    """End what went on when the backup was made.

    A message may have been sent since, jobs worked; and the files of imports are in no backup.
    """
    connection.execute(update(BulkAction).where(BulkAction.finished_at.is_(None)).values(finished_at=now))
    given_up = {"status": "given_up", "settled_at": now, "error": "The database was restored from a backup."}
    connection.execute(update(OutboxMessage).where(WAITING).values(given_up))
    failed = {
        "status": "failed",
        "finished_at": now,
        "error": "The database was restored from a backup, which holds no files. Send it again.",
    }
    connection.execute(update(Import).where(Import.status.in_(UNFINISHED)).values(failed))
    connection.execute(update(Import).values(decide_until=None))


def _after_copying(connection: Connection) -> None:
    """What COPY leaves undone: numbers go on after the highest, and the planner knows what there is."""
    if is_distributed(connection):
        register_anew(connection)
    prepared = connection.dialect.identifier_preparer
    for table in _tables():
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(prepared.format_table(table), column.name)
            connection.execute(select(func.setval(sequence, func.coalesce(func.max(column), 0) + 1, False)))
    # By name: in a distributed database ANALYZE alone waits for the locks of this very transaction.
    connection.exec_driver_sql(f"ANALYZE {_names(connection)}")


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
