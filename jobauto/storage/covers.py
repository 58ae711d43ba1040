"""A site has an open No Coms job of its own, or an incident covers it: not both.

That is two tables, so no constraint can say it. Who opens jobs or covers sites of a whole fleet does not wait
for others who do, for unique indexes decide between them. Who reopens a job looks and acts while none of them
is at it. On SQLite there is one writer at a time.
"""

from sqlalchemy import Connection, func, select

_LOCK = 0x6A6F6263
"""Their number among advisory locks: "jobc"."""


def let_nobody_reopen(connection: Connection) -> None:
    """Until the transaction ends, nobody reopens a job; asked before it locks a job or an incident."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def be_alone_in_reopening(connection: Connection) -> None:
    """Until the transaction ends, nobody else does, nor covers sites or opens jobs; asked as early."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
