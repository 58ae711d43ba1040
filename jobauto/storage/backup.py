"""Backups: the whole database as one file, and back again, on SQLite and PostgreSQL.

A backup is a gzipped SQLite database with the program's own tables, whichever database it came from. So
it needs no client tools of a server, can be looked into with any SQLite, moves a fleet from one kind of
database to the other, and carries the length and checksum of gzip.

To back up:

1. Copy what one instant shows into a scratch file: SQLite by its online backup, PostgreSQL by
   :func:`~.snapshot.snapshot`. Whoever writes meanwhile is not kept waiting.
2. Compress it.

To restore:

1. Unpack into a scratch file; a damaged file, or one of a newer program, ends here.
2. Bring the scratch file to this program's schema by its migrations.
3. In one transaction of the database: bring its schema up too, refuse it if it holds anything (unless it
   is to be replaced), take away all rows, put in those of the file, end the sessions, give up the
   messages and fail the imports that came with them, set the sequences. All or nothing.
"""

import gzip
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, NullPool, Table, create_engine, delete, func, select, update

from ..extensions import db
from ..models import Import, OutboxMessage, PendingLogin, SettingsVersion, UserSession
from ..models.notification import WAITING
from . import partitions
from .bulk_copy import bulk_copy
from .citus import is_distributed, register_anew
from .configuration import instance_folder
from .connections import DatabaseNotReady, foreign_keys_off, revision_of, write_on
from .migrating import upgrade_on
from .snapshot import snapshot

CHUNK = 10_000
Progress = Callable[[str, int], None]
"""Called with a table's name and how many of its rows are done."""


class BackupError(Exception):
    """The file or the database cannot be used; nothing was changed. Says why, in a sentence."""


NO_BACKUP = BackupError("The file holds no sound backup of jobauto.")


@dataclass
class Contents:
    """What a backup holds: its schema's revision, and the rows of each table."""

    revision: str | None
    rows: dict[str, int] = field(default_factory=dict)

    def describe(self) -> str:
        """``12 tables, 3,456 rows, schema 0003``."""
        return f"{len(self.rows)} tables, {sum(self.rows.values()):,} rows, schema {self.revision}"


def back_up(target: BinaryIO, progress: Progress) -> Contents:
    """Write the database as it is at this instant. Raises NeverQuiet."""
    with _scratch() as file:
        with _opened(file) as copy:
            _take(copy, progress)
            contents = Contents(revision_of(copy), {table.name: _count(copy, table) for table in _tables()})
        with file.open("rb") as plain, gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
    return contents


def restore(source: BinaryIO, progress: Progress, *, replace: bool, now: datetime) -> Contents:
    """Put the rows of a backup in place of those of the database. Raises BackupError, DatabaseNotReady."""
    with _scratch() as file:
        _unpack(source, file)
        with _opened(file) as copy:
            contents = Contents(_revision_in(copy))
            upgrade_on(copy)
            with db.engine.connect() as connection:
                partitions.keep_ahead(connection, now)
                with foreign_keys_off(connection), write_on(connection):
                    contents.rows = _replace(copy, connection, progress, replace=replace, now=now)
    return contents


def _replace(
    copy: Connection, connection: Connection, progress: Progress, *, replace: bool, now: datetime
) -> dict[str, int]:
    upgrade_on(connection)
    _make_room(connection, replace=replace)
    rows = _copy(copy, connection, progress)
    _expire_what_was_under_way(connection, now)
    if connection.dialect.name == "postgresql":
        _after_copying(connection)
    return rows


def _tables() -> list[Table]:
    return db.metadata.sorted_tables


@contextmanager
def _scratch() -> Iterator[Path]:
    # In the instance folder: unlike a folder for temporary files it is on a disk with room for a database.
    with tempfile.TemporaryDirectory(prefix="backup-", dir=instance_folder()) as folder:
        yield Path(folder) / "jobauto.sqlite3"


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
        return
    upgrade_on(copy)
    _clear(copy)
    with snapshot() as connection:
        _copy(connection, copy, progress)


def _sqlite(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 (for the type checker)
    return driver


def _copy(source: Connection, target: Connection, progress: Progress) -> dict[str, int]:
    rows = {}
    for table in _tables():
        done = 0
        found = source.execution_options(yield_per=CHUNK).execute(select(*table.columns))
        for chunk in found.partitions():
            bulk_copy(target, table, [tuple(row) for row in chunk])
            done += len(chunk)
            progress(table.name, done)
        rows[table.name] = done
    return rows


def _unpack(source: BinaryIO, file: Path) -> None:
    try:
        with gzip.GzipFile(fileobj=source) as packed, file.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BackupError(f"The file is damaged, cut short, or no backup of jobauto ({error}).") from error
    with closing(sqlite3.connect(file)) as plain:
        try:
            is_sound = plain.execute("PRAGMA quick_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            is_sound = False
    if not is_sound:
        raise NO_BACKUP


def _revision_in(copy: Connection) -> str:
    try:
        revision = revision_of(copy)
    except DatabaseNotReady as error:
        raise BackupError("The backup is of a newer jobauto. Install that, then restore.") from error
    if revision is None:
        raise NO_BACKUP
    return revision


def _make_room(connection: Connection, *, replace: bool) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {_names(connection)}")
    if not replace and _holds_anything(connection):
        raise BackupError("The database is not empty. To lose what it holds, add --replace.")
    _clear(connection)


def _holds_anything(connection: Connection) -> bool:
    # A new database has its first settings; whoever changes them leaves an event.
    others = [table for table in _tables() if table is not SettingsVersion.__table__]
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

    A login may have been ended since, a message sent; and the files of imports are in no backup.
    """
    connection.execute(delete(UserSession))
    connection.execute(delete(PendingLogin))
    given_up = {"status": "given_up", "settled_at": now, "error": "The database was restored from a backup."}
    connection.execute(update(OutboxMessage).where(WAITING).values(given_up))
    failed = {
        "status": "failed",
        "finished_at": now,
        "error": "The database was restored from a backup, which holds no files. Send it again.",
    }
    connection.execute(update(Import).where(Import.status.in_(["queued", "running"])).values(failed))


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
