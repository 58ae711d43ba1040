"""Which way a connection's engine has."""

from contextlib import nullcontext

from sqlalchemy import Connection

from ...storage.citus import is_distributed
from .postgresql import DistributedBulk, PostgresqlBulk
from .sqlite import SqliteBulk
from .way import UNSTAMPED, Bulk, Stamp


def bulk_of(connection: Connection, stamp: Stamp = UNSTAMPED) -> Bulk:
    """The way of a connection's engine."""
    if connection.dialect.name != "postgresql":
        return SqliteBulk(connection, stamp)
    with nullcontext() if connection.in_transaction() else connection.begin():
        bulk = DistributedBulk if is_distributed(connection) else PostgresqlBulk
        return bulk(connection, stamp)
