"""Asking a rule about the fleet."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, insert, select, text
from sqlalchemy.schema import CreateTable, DropTable

from ..models import Site
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, NOT_ASSESSABLE, VERDICT, Rule


class Counts(NamedTuple):
    """How many sites a rule judged, flagged and could not assess."""

    checked: int
    flagged: int
    not_assessable: int


def judge(connection: Connection, rule: Rule, settings: Any, moment: Moment) -> Counts:
    """Ask a rule about the fleet and keep its answer in the connection's ``verdict`` table.

    One statement for all sites, in a transaction that writes nothing but the connection's own temporary
    table: on SQLite the write lock stays free however long it takes.
    """
    with connection.begin():
        connection.execute(DropTable(VERDICT, if_exists=True))
        connection.execute(CreateTable(VERDICT))
        answer = rule.verdicts(settings, moment)
        connection.execute(
            insert(VERDICT).from_select([column.name for column in answer.selected_columns], answer)
        )
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE verdict"))  # nobody else analyses a temporary table
        return Counts(*connection.execute(_counts(moment)).one())


def _counts(moment: Moment) -> Select[Any]:
    checked = select(func.count()).select_from(Site).where(moment.sites_to_check())
    told = [
        select(func.count()).select_from(VERDICT).where(VERDICT.c.verdict == verdict)
        for verdict in (FLAGGED, NOT_ASSESSABLE)
    ]
    return select(*(count.scalar_subquery() for count in (checked, *told)))
