"""A backup as somebody sent it: a file that may have been made to harm.

Its schema is never used. It is unpacked to no more than it says it has, looked at, and then only the plain
columns of plain tables are read from it, on a connection of their own, and put into tables that the
migrations have made. So no view, trigger, condition or index of the file is ever run.
"""

import gzip
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from .connections import is_unavailable, revisions
from .soundness import OF_THE_MOMENT

PIECE = 1 << 20
TABLES = 2
"""So many times the size of the file its rows may take in tables of ours, whose pages may be less full.

A file can be made so that they take far more: SQLite makes up what a row lacks out of the default of its
column, and a file may lack indexes.
"""
COPIES = 1 + TABLES
"""The file as it was sent, and the tables that its rows are put into."""
LONGEST_VALUE = 8 << 20
"""In bytes, also of a row: none of ours is so long. A document takes forty times that where it is read."""
SECONDS = 600.0
"""So long, and a second more for each megabyte, it may take to read a file."""
HEADER = 100
MAGIC = b"SQLite format 3\0"


class BackupError(Exception):
    """The file or the database cannot be used; nothing was changed. Says why, in a sentence."""


NO_BACKUP = BackupError("The file holds no sound backup of jobauto.")
NOT_TO_ITS_END = BackupError("The file was not read to its end: that took too long, or was stopped.")


def unpack(source: BinaryIO, file: Path) -> None:
    """Write the database inside a gzip. Raises BackupError, also where there is no room for it."""
    try:
        with gzip.GzipFile(fileobj=source) as packed, file.open("wb") as plain:
            piece = packed.read(HEADER)
            size = _size_said(piece)
            _require_room(size, file.parent)
            while piece:
                plain.write(piece)
                if plain.tell() > size:
                    raise NO_BACKUP
                piece = packed.read(PIECE)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BackupError(f"The file is damaged, cut short, or no backup of jobauto ({error}).") from error


def _size_said(header: bytes) -> int:
    """What a SQLite file says that it holds: so many pages of so many bytes."""
    if len(header) < HEADER or not header.startswith(MAGIC):
        raise NO_BACKUP
    page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    return (page if page > 1 else 65_536) * pages


def _require_room(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size * COPIES > free:
        raise BackupError(
            f"The backup unpacks to {size / 1e9:,.1f} GB, and needs {COPIES} times that to be looked at. "
            f"In {folder.parent} there are {free / 1e9:,.1f} GB free."
        )


@contextmanager
def opened(file: Path, seconds: float | None = None) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, trusts nothing that the file says, and ends after a time."""
    end = time.monotonic() + (SECONDS + file.stat().st_size / 1e6 if seconds is None else seconds)
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as sent:
        sent.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        sent.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        sent.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        for pragma in ("trusted_schema = OFF", "ignore_check_constraints = ON", "cell_size_check = ON"):
            sent.execute(f"PRAGMA {pragma}")
        yield sent


def revision_in(sent: sqlite3.Connection) -> str:
    """The schema of a file that is a sound database. Raises BackupError."""
    try:
        # First: a view may stand in a table's place, and the check would work out generated columns.
        _require_plain_tables(sent)
        is_sound = sent.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        found = sent.execute("SELECT version_num FROM alembic_version NOT INDEXED").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the second: what SQLite quotes is not UTF-8
        raise NOT_TO_ITS_END if _was_stopped(error) else NO_BACKUP from error
    if not is_sound or len(found) != 1 or not isinstance(found[0][0], str):
        raise NO_BACKUP
    if found[0][0] not in revisions():
        raise BackupError("The backup is of a newer jobauto. Install that, then restore.")
    return found[0][0]


def _require_plain_tables(sent: sqlite3.Connection) -> None:
    said = sent.execute("SELECT name, type FROM sqlite_master WHERE type <> 'index'").fetchall()
    for name, kind in (*said, *kinds(sent).items()):
        if kind != "table":
            raise _not_ours(name, kind)
    for name in kinds(sent):
        if any(hidden for _, hidden in _columns(sent, name)):
            raise _other_columns(name)


def _not_ours(name: str, kind: str) -> BackupError:
    return BackupError(f"The file holds {name} ({kind}), which is not of this program.")


def _other_columns(table: str) -> BackupError:
    return BackupError(f"The columns of the table {table} are not those of this program.")


def kinds(connection: sqlite3.Connection) -> dict[str, str]:
    """Each table: ``table``, ``view``, ``virtual`` or ``shadow``, by what SQLite took it for."""
    found = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
    return {name: kind for name, kind in found if not name.startswith("sqlite_")}


def take_rows(sent: sqlite3.Connection, into: sqlite3.Connection) -> None:
    """Put the rows of the tables that a backup keeps into those that the migrations have made.

    Raises BackupError where a table is not as the program makes it, a row not as a table takes it, or where
    the rows take far more room than the file.
    """
    with _no_larger_than(into, TABLES * _size_of(sent)):
        _take_all(sent, into)


@contextmanager
def _no_larger_than(into: sqlite3.Connection, size: int) -> Iterator[None]:
    (before,) = into.execute("PRAGMA max_page_count").fetchone()
    (page,) = into.execute("PRAGMA page_size").fetchone()
    into.execute(f"PRAGMA max_page_count = {size // page}")
    yield
    into.execute(f"PRAGMA max_page_count = {before}")  # what brings it up may need more


def _size_of(connection: sqlite3.Connection) -> int:
    (size,) = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    return int(size)


def _take_all(sent: sqlite3.Connection, into: sqlite3.Connection) -> None:
    expected, found = kinds(into), kinds(sent)
    for name in found.keys() - expected.keys():
        raise _not_ours(name, "table")
    for table in expected.keys() - {"alembic_version"}:
        if table not in found:
            raise BackupError(f"The table {table} is missing.")
        columns = _columns(into, table)
        if _columns(sent, table) != columns:
            raise _other_columns(table)
        if table not in OF_THE_MOMENT:
            _take(sent, into, table, sorted(columns))


def _columns(connection: sqlite3.Connection, table: str) -> set[tuple[str, int]]:
    """Name and kind (0: a plain one) of each column."""
    return set(connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,)))


def _take(
    sent: sqlite3.Connection, into: sqlite3.Connection, table: str, columns: list[tuple[str, int]]
) -> None:
    names = ", ".join(f'"{name}"' for name, _ in columns)
    marks = ", ".join("?" * len(columns))
    try:
        into.execute(f'DELETE FROM "{table}"')  # noqa: S608 (names of the migrations)
        rows = sent.execute(f'SELECT {names} FROM "{table}" NOT INDEXED')  # noqa: S608
        into.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608
    except sqlite3.Error as error:
        if _was_stopped(error):
            raise NOT_TO_ITS_END from error
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            raise BackupError(
                f"The rows of the table {table} take more room than the file, or the disk is full."
            ) from error
        if is_unavailable(error):
            raise OSError(str(error)) from error
        raise BackupError(f"The rows of the table {table} are not as this program writes them.") from error


def _was_stopped(error: Exception) -> bool:
    # By the time of `opened`, or by a signal: Python raises what that means where SQLite looks at the time.
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
