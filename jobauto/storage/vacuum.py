"""Letting PostgreSQL look at readings that have come, for the sake of its planner.

Statistics older than a large import made a rule 300 times slower; pages that are not yet marked
all-visible make an index-only scan read the table as well. Whoever imports a file looks at its end. What
comes in by the API is looked at by the tick: VACUUM waits for minutes where another one is at work. Over many
machines, each one's autovacuum does so.
"""

import logging

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from ..extensions import db
from ..logs import LogEvent
from . import partitions

log = logging.getLogger("job_automation")

WORTH_IT = 1000
"""Rows that have changed. Fewer are left to autovacuum."""
_DUE = text(
    f"""
    SELECT relid::regclass::text FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid
    WHERE relkind = 'r' AND (relid = to_regclass('reading') OR relid IN
        (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('reading')))
    AND greatest(n_mod_since_analyze, n_ins_since_vacuum) >= {WORTH_IT}
    AND coalesce(greatest(last_vacuum, last_autovacuum) < now() - interval '5 minutes', true)
    ORDER BY relid"""  # noqa: S608 (our number)
)


def vacuum_analyze_after(changed: int) -> None:
    """Look at the readings after so many have changed, if that is worth it: on large tables for minutes.

    Raises nothing: the readings are stored, and PostgreSQL looks by itself a little later.
    """
    if changed < WORTH_IT or db.engine.dialect.name != "postgresql":
        return
    try:
        vacuum_analyze()
    except DatabaseError as error:  # a partition was dropped meanwhile, say
        log.warning(LogEvent("vacuum-failed", error=error.orig))


def vacuum_analyze(*, everything: bool = False) -> None:
    """Look at the readings that have come; with ``everything``, at all partitions."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        in_parts = not everything and partitions.is_partitioned(connection)
        tables = partitions.changed(connection) if in_parts else ["reading"]
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(tables)}"))


def vacuum_changed() -> None:
    """Look at what has changed and was not looked at for five minutes, unless somebody is at it."""
    if db.engine.dialect.name != "postgresql":
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if tables := list(connection.scalars(_DUE)):
            connection.execute(text(f"VACUUM (SKIP_LOCKED, ANALYZE) {', '.join(tables)}"))
            log.info(LogEvent("vacuum", tables=" ".join(tables)))
