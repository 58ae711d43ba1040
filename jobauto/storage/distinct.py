"""The different values of a column, found by leaping through its index."""

from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from ..extensions import db
from .citus import is_distributed

MOST = 1_000
"""So many of them: pages offer each, and whoever brings sites may give each a group of its own."""


def distinct_values(column: InstrumentedAttribute[str]) -> Select[Any]:
    """The first values of an indexed column, in order, without the empty one.

    SELECT DISTINCT reads every row; this seeks the least value, then the least above it, and so on: one
    seek a value, however many rows have it. Distributed tables cannot be leapt through: there each machine
    reads its part.
    """
    if is_distributed(db.session.connection()):
        return select(column).where(column > "").distinct().order_by(column).limit(MOST)
    return _leap(column).limit(MOST)


@cache  # each list of jobs or sites asks twice or more, and to make it takes longer than to do it
def _leap(column: InstrumentedAttribute[str]) -> Select[Any]:
    least = select(func.min(column).label("value")).where(column > "").cte("leap", recursive=True)
    table = aliased(column.class_)
    next_column = getattr(table, column.key)
    above = select(func.min(next_column)).where(next_column > least.c.value).scalar_subquery()
    values = least.union_all(select(above).where(least.c.value.is_not(None)))
    return select(values.c.value).where(values.c.value.is_not(None))
