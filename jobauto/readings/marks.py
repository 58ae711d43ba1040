"""Which sites are to be classified; and of all who change readings of a site at once, one does.

1. Whoever stores readings locks their sites, says in the same transaction which of them cannot be told to be
   in line at once, and commits.
2. Whoever classifies locks the sites, reads all their readings, stores qualities and takes the marks away.

So a site whose readings are not classified always has a mark, whoever dies in between.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, delete, func, select, text

from ..models import ToClassify
from ..storage.connections import insert

STRIPES = 64
"""Sites are locked by the remainder of their keys: so many locks at most, however many sites."""
_LOCK = 0x6A6F6272
"""Their number among the advisory locks of PostgreSQL: "jobr"."""


def lock(connection: Connection, site_keys: Collection[int]) -> None:
    """Until the transaction ends, be the only one who changes readings of these sites.

    A write transaction of SQLite is that by itself.
    """
    if connection.dialect.name == "postgresql" and site_keys:
        stripes = sorted({key % STRIPES for key in site_keys})
        # Always in the same order, so that two who lock the same wait for each other and do not dead-lock.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:lock, stripe) FROM unnest(CAST(:stripes AS integer[])) stripe"),
            {"lock": _LOCK, "stripes": stripes},
        )


def mark(connection: Connection, site_keys: Iterable[int]) -> None:
    """Have sites classified before any run or page looks at them."""
    rows = [{"site_key": key, "urgent": True} for key in sorted(site_keys)]
    if rows:
        statement = insert(connection, ToClassify)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["site_key"], set_={"urgent": True}, where=~ToClassify.urgent
            ),
            rows,
        )


def mark_selected(connection: Connection, site_keys: Select[int], *, urgent: bool) -> None:
    """The same of all sites of a query; those that are not ``urgent`` stand as they are until then."""
    of_sites = site_keys.add_columns(text("true" if urgent else "false")).order_by(text("1"))
    statement = insert(connection, ToClassify).from_select(["site_key", "urgent"], of_sites)
    if urgent:
        statement = statement.on_conflict_do_update(
            index_elements=["site_key"], set_={"urgent": True}, where=~ToClassify.urgent
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=["site_key"])
    connection.execute(statement)


def unmark(connection: Connection, site_keys: Collection[int]) -> None:
    """These are classified."""
    connection.execute(delete(ToClassify).where(ToClassify.site_key.in_(site_keys)))


def marked(connection: Connection, limit: int, *, urgent: bool) -> list[int]:
    """Some of the sites that are to be classified, lowest first."""
    query = select(ToClassify.site_key).order_by(ToClassify.site_key).limit(limit)
    return list(connection.scalars(query.where(ToClassify.urgent) if urgent else query))


def remaining(connection: Connection) -> int:
    """How many sites are still to be classified, urgent or not."""
    return connection.scalar(select(func.count()).select_from(ToClassify)) or 0
