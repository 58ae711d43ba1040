"""Who changes many jobs in one transaction is the only one who does.

A statement locks its jobs in whatever order it comes upon them, and a run has several of them. Two at once
would wait for each other in a circle, and PostgreSQL ends one: a rule of the run, or somebody's hand-over.
Whoever changes a single job need not ask. On SQLite there is one writer at a time.
"""

from sqlalchemy import Connection, func, select

_LOCK = 0x6A6F626A
"""Their number among advisory locks: "jobj"."""


def be_alone_in_changing_many(connection: Connection) -> None:
    """Until the transaction ends, nobody else changes many; asked before the first of them is locked."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
