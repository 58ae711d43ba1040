"""Which sites are to be classified.

1. Whoever stores readings takes the turns of their sites (``readings/turns.py``), says in the same
   transaction which of them cannot be told to be in line at once, and commits.
2. Whoever classifies takes their turns, takes the marks away, reads all their readings and stores qualities.

So a site whose readings are not classified always has a mark, whoever dies in between.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Select, delete, func, select, text

from ..models import ToClassify
from .among import is_among
from .connections import insert


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


def unmark(connection: Connection, site_keys: Collection[int]) -> set[int]:
    """These are classified; returns those that were urgent: their readings may have changed, or gone."""
    theirs = delete(ToClassify).where(is_among(connection, ToClassify.site_key, site_keys))
    marks = connection.execute(theirs.returning(ToClassify.site_key, ToClassify.urgent))
    return {site_key for site_key, urgent in marks if urgent}


def marked(connection: Connection, limit: int, *, urgent: bool) -> list[int]:
    """Some of the sites that are to be classified, lowest first."""
    query = select(ToClassify.site_key).order_by(ToClassify.site_key).limit(limit)
    return list(connection.scalars(query.where(ToClassify.urgent) if urgent else query))


def remaining(connection: Connection) -> int:
    """How many sites are still to be classified, urgent or not."""
    return connection.scalar(select(func.count()).select_from(ToClassify)) or 0
