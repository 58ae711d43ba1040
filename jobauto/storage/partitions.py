"""The readings as a partition a month, on PostgreSQL: made from a plain table, made ahead, dropped when old.

Months are those of UTC. They follow one another without a gap, from the first one that was made to some
months ahead of now, and what is older than the first lies in ``reading_older``. So whatever may be imported
has a partition before it arrives, and there is no DEFAULT partition: one would stand in the way of each new
month that it holds rows of.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from sqlalchemy import Connection, func, select, text

from ..models import Reading
from ..models.reading import INCLUDED
from .citus import is_distributed
from .connections import write_on

AHEAD = 3
"""So many months are made before they begin: nobody needs to look every day."""
BACK = 24
"""A fresh table begins so many months ago, so that history which is imported later is in months too."""
FURTHEST = 120
"""No partition for a month before that: a query without a lower limit opens them all."""
OLDER = "reading_older"
PREFIX = "reading_"

_LOCK = 0x6A6F6261
"""Of all who would make or drop partitions at once, one does. (Their number among advisory locks: "joba".)"""
_PATIENCE = "3s"
"""Dropping waits so long for a run or an import that is reading, and holds up what comes after no longer."""


class CannotPartition(Exception):
    """Why the readings cannot be partitioned."""


def is_partitioned(connection: Connection) -> bool:
    """Whether the table of readings consists of partitions."""
    if connection.dialect.name != "postgresql":
        return False
    kind = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('reading')")
    return bool(connection.scalar(kind))


def partition(connection: Connection, now: datetime) -> bool:
    """Turn the plain table into a partitioned one, all or nothing; its rows stay. False: it is one already.

    Nobody reads or writes readings meanwhile. Raises CannotPartition.
    """
    if connection.dialect.name != "postgresql":
        raise CannotPartition("Only PostgreSQL has partitions. On SQLite the table stays as it is.")
    with write_on(connection):
        _do(connection, "LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        if is_partitioned(connection):
            return False
        if is_distributed(connection):
            raise CannotPartition("The database is distributed. Partition a fresh one, then distribute it.")
        months = _first_months(connection, now)
        _do(connection, "ALTER TABLE reading RENAME TO reading_plain")
        _do(
            connection,
            "CREATE TABLE reading (LIKE reading_plain INCLUDING DEFAULTS) PARTITION BY RANGE (reading_date)",
        )
        _attach(connection, OLDER, "MINVALUE", _limit(months[0]))
        for month in months:
            _attach_month(connection, month)
        _do(connection, "INSERT INTO reading SELECT * FROM reading_plain")
        _do(connection, "DROP TABLE reading_plain")
        _do(
            connection,
            "ALTER TABLE reading ADD CONSTRAINT pk_reading "
            f"PRIMARY KEY (site_key, reading_date) INCLUDE ({', '.join(INCLUDED)})",
        )
    return True


def _first_months(connection: Connection, now: datetime) -> list[date]:
    this_month = month_of(now)
    oldest, newest = connection.execute(
        select(func.min(Reading.reading_date), func.max(Reading.reading_date))
    ).one()
    first, last = months_after(this_month, -BACK), months_after(this_month, AHEAD)
    if oldest is not None:
        first = max(min(first, month_of(oldest)), months_after(this_month, -FURTHEST))
        last = max(last, month_of(newest))
    return list(_months_from(first, last))


def keep_ahead(connection: Connection, now: datetime) -> list[str]:
    """Make the months that are missing up to some ahead of now; returns their partitions.

    Any number may do so at once, while runs and imports go on. A plain table stays as it is.
    """
    last = months_after(month_of(now), AHEAD)
    with connection.begin():
        if not is_partitioned(connection) or _months(connection)[-1] >= last:
            return []
    with write_on(connection):
        be_alone(connection)
        newest = _months(connection)[-1]
        return [_attach_month(connection, month) for month in _months_from(months_after(newest, 1), last)]


def drop_old(connection: Connection, now: datetime, keep_months: int) -> list[str]:
    """Drop the partitions that lie wholly before so many months before this one; returns their names.

    0 keeps everything. A plain table stays as it is. Raises OperationalError, and drops nothing, where
    something has been reading for seconds: another time will do.
    """
    if not keep_months:
        return []
    limit = months_after(month_of(now), -keep_months)
    with connection.begin():
        if not is_partitioned(connection) or not _droppable(connection, limit):
            return []
    with write_on(connection):
        _do(connection, f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        be_alone(connection)
        dropped = _droppable(connection, limit)
        for name in dropped:
            _do(connection, f"DROP TABLE {name}")
        if OLDER in dropped:
            _attach(connection, OLDER, "MINVALUE", _limit(_months(connection)[0]))
        return dropped


def _droppable(connection: Connection, limit: date) -> list[str]:
    months = _months(connection)
    old = [_name(month) for month in months[:-1] if months_after(month, 1) <= limit]
    # An import may have brought such readings again: the partition of what is older is there for them.
    brought = text(f"SELECT 1 FROM {OLDER} LIMIT 1")  # noqa: S608 (our names)
    if old or (months[0] <= limit and connection.scalar(brought)):
        return [OLDER, *old]
    return []


def changed(connection: Connection) -> list[str]:
    """The partitions that an import has changed, or may have: for VACUUM, which need not walk the others."""
    counted = text(
        "SELECT relname FROM pg_stat_all_tables JOIN pg_inherits ON inhrelid = relid "
        "WHERE inhparent = 'reading'::regclass AND n_mod_since_analyze > 0"
    )
    # The statistics lag behind by a second or more, and it is the newest readings that the rules walk.
    newest = [_name(month) for month in _months(connection)[-AHEAD - 2 : -AHEAD + 1]]
    return sorted({*newest, *connection.scalars(counted)})


def tables(connection: Connection) -> list[str]:
    """The tables that hold the readings: the plain one, or all partitions."""
    if not is_partitioned(connection):
        return ["reading"]
    return [OLDER, *map(_name, _months(connection))]


def month_of(instant: datetime) -> date:
    """The first day of the month in UTC."""
    return instant.astimezone(UTC).date().replace(day=1)


def months_after(month: date, count: int) -> date:
    """The month so many months later, or before."""
    year, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(year, index + 1, 1)


def _months_from(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = months_after(first, 1)


def _months(connection: Connection) -> list[date]:
    names = connection.scalars(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
            "WHERE inhparent = 'reading'::regclass AND relname <> :older"
        ),
        {"older": OLDER},
    )
    return sorted(date.fromisoformat(f"{name.removeprefix(PREFIX).replace('_', '-')}-01") for name in names)


def _name(month: date) -> str:
    return f"{PREFIX}{month:%Y_%m}"


def _limit(month: date) -> str:
    return f"'{month} 00:00:00+00'"


def _attach_month(connection: Connection, month: date) -> str:
    return _attach(connection, _name(month), _limit(month), _limit(months_after(month, 1)))


def _attach(connection: Connection, name: str, start: str, end: str) -> str:
    # Created and then attached, a partition does not keep anybody waiting who reads or writes the others;
    # CREATE TABLE ... PARTITION OF would wait for a run, and everybody else for it.
    _do(connection, f"CREATE TABLE {name} (LIKE reading INCLUDING DEFAULTS)")
    _do(connection, f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
    return name


def be_alone(connection: Connection) -> None:
    """Until the transaction ends, nobody else makes or drops partitions."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _do(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
