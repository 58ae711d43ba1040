"""Asking a rule about the fleet."""

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    case,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.schema import CreateTable, DropTable

from ..models import Site
from ..readings.classifying import all_classified
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, NOT_ASSESSABLE, VERDICT, Rule

UNJUDGED = Table(
    "unjudged",
    MetaData(),
    Column("site_key", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(50)),
    prefixes=["TEMPORARY"],
)
"""The sites that a rule does not judge, and why. Filled before the rule is asked: a site that is switched on
in between has a verdict and stands here, never the other way round."""


class Counts(NamedTuple):
    """How many sites a rule judged, flagged and could not assess."""

    checked: int
    flagged: int
    not_assessable: int


class Judgement(NamedTuple):
    """What came of asking a rule. Sites with a key beyond ``newest_site`` (None: no site) came later."""

    counts: Counts
    newest_site: int | None


def judge(connection: Connection, rule: Rule, settings: Any, moment: Moment) -> Judgement:
    """Ask a rule about the fleet and keep its answer in the connection's tables ``verdict``, ``unjudged``.

    One statement for all sites, in a transaction that writes nothing but the connection's own temporary
    table: on SQLite the write lock stays free however long it takes. It sees every site classified.
    """
    with all_classified(connection):
        for table in (UNJUDGED, VERDICT):
            connection.execute(DropTable(table, if_exists=True))
            connection.execute(CreateTable(table))
        newest_site = connection.scalar(select(func.max(Site.key)))
        connection.execute(insert(UNJUDGED).from_select(["site_key", "reason"], _unjudged(moment)))
        answer = rule.verdicts(settings, moment)
        connection.execute(
            insert(VERDICT).from_select([column.name for column in answer.selected_columns], answer)
        )
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE verdict"))  # nobody else analyses a temporary table
        return Judgement(Counts(*connection.execute(_counts(moment)).one()), newest_site)


def _unjudged(moment: Moment) -> Select[Any]:
    why = case((Site.active, "snoozed"), else_="inactive")
    return select(Site.key, why).where(~moment.sites_to_check())


def _counts(moment: Moment) -> Select[Any]:
    checked = select(func.count()).select_from(Site).where(moment.sites_to_check())
    told = [
        select(func.count()).select_from(VERDICT).where(VERDICT.c.verdict == verdict)
        for verdict in (FLAGGED, NOT_ASSESSABLE)
    ]
    return select(*(count.scalar_subquery() for count in (checked, *told)))
