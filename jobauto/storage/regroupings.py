"""How often sites have got another group or source: what was counted by those holds until the next time."""

from sqlalchemy import Connection, delete, func, insert, select

from ..models import Regrouping

FEW = 100
"""So many rows may stand before they become one."""


def regrouped(connection: Connection) -> None:
    """Say, in the transaction of the change, that sites have another group or source, or are gone."""
    connection.execute(insert(Regrouping).values(times=1))


def regroupings(connection: Connection) -> int:
    """How often that was said. Whoever counts asks before, and so never takes old groups for new ones."""
    return connection.scalar(select(func.coalesce(func.sum(Regrouping.times), 0))) or 0


def many_rows(connection: Connection) -> bool:
    """Whether it is time to make one row of them."""
    return (connection.scalar(select(func.count()).select_from(Regrouping)) or 0) > FEW


def fold(connection: Connection) -> None:
    """Make one row of all, which adds up to the same."""
    gone = connection.scalars(delete(Regrouping).returning(Regrouping.times)).all()
    if gone:
        connection.execute(insert(Regrouping).values(times=sum(gone)))
