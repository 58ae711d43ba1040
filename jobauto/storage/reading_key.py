"""The primary key of readings on PostgreSQL, made anew where a former version made it, while all goes on.

Its index includes all that a rule looks at, so that a rule reads nothing else. With an index that does not,
every answer is the same, and takes longer.

1. Beside the old index of each table, a new one is made CONCURRENTLY, which keeps nobody waiting.
2. When all are there, they take the place of the old ones, in one transaction that writes to the catalogue
   alone. It has everybody wait for a moment, and gives up where it would have to wait for long.

It may be interrupted at any time: what was finished is found, and what was begun is made again.
"""

from sqlalchemy import Connection, func, select, text

from ..extensions import db
from ..models.reading import INCLUDED
from . import partitions
from .connections import write_on

KEY = "pk_reading"
_LOCK = 0x6A6F6278
"""Of all who would make the indexes, one does. (Their number among advisory locks: "jobx".)"""
PATIENCE = "1s"
"""So long, at most, everybody waits for whoever is at the readings when the new indexes take their place."""
_COLUMNS = f"(site_key, reading_date) INCLUDE ({', '.join(INCLUDED)})"


def renew() -> bool:
    """Make the key anew if a former version made it; whether that was done. Needs an app context.

    Raises a DatabaseError, and changes nothing, where something is at the readings for long, or a partition
    was made meanwhile: another time will do.
    """
    if db.engine.dialect.name != "postgresql":
        return False
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if _includes(connection, KEY) == INCLUDED or not connection.scalar(
            select(func.pg_try_advisory_lock(_LOCK))
        ):
            return False
        try:
            for table in partitions.tables(connection):
                _make(connection, table)
            _replace()
            return True
        finally:
            connection.execute(select(func.pg_advisory_unlock(_LOCK)))


def _make(connection: Connection, table: str) -> None:
    name = _new(table)
    if _includes(connection, name) == INCLUDED:
        return
    _do(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # one that was begun is not valid
    _do(connection, f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {_COLUMNS}")


def _replace() -> None:
    """Put the new indexes in the place of the old ones, all or none."""
    with db.engine.connect() as connection, write_on(connection):
        _do(connection, f"SET LOCAL lock_timeout = '{PATIENCE}'")
        partitions.be_alone(connection)
        _do(connection, f"ALTER TABLE reading DROP CONSTRAINT {KEY}")
        for table in partitions.tables(connection):
            # Renamed first: Citus takes no index for a constraint of another name.
            key = KEY if table == "reading" else f"{table}_pkey"
            _do(connection, f"ALTER INDEX {_new(table)} RENAME TO {key}")
            _do(connection, f"ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY USING INDEX {key}")
        if partitions.is_partitioned(connection):
            # It takes the keys of the partitions for its own, and makes none.
            _do(connection, f"ALTER TABLE reading ADD CONSTRAINT {KEY} PRIMARY KEY {_COLUMNS}")


def _new(table: str) -> str:
    return f"{table}_made_anew"


def _includes(connection: Connection, index: str) -> list[str]:
    """The columns that an index includes beside those of the key; none where there is no valid one."""
    columns = text(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indexrelid "
        "WHERE indexrelid = to_regclass(:index) AND indisvalid AND attnum > indnkeyatts ORDER BY attnum"
    )
    return list(connection.scalars(columns, {"index": index}))


def _do(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
