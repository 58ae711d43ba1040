"""Asking a rule about the fleet."""

from datetime import datetime
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
    literal,
    select,
    text,
)
from sqlalchemy.schema import CreateTable, DropTable

from ..models import Site
from ..readings.classifying import all_classified
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, NOT_ASSESSABLE, VERDICT, Rule
from ..settings.policies import Policies
from .combinations import Combination, Question, question

SWITCHED_OFF = "switched off"
"""Why a site is not judged for which a policy has switched the rule off."""

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
    """What came of asking a rule, by which ``combinations`` of settings. Sites with a key beyond
    ``newest_site`` (None: no site) came later."""

    counts: Counts
    newest_site: int | None
    combinations: list[Combination]


def judge(
    connection: Connection, rule: Rule, policies: Policies, moment: Moment, now: datetime
) -> Judgement | None:
    """Ask a rule about the fleet and keep its answer in the connection's tables ``verdict``, ``unjudged``.

    None where it is off for all sites. One statement for all of them, in a transaction that writes nothing
    but the connection's own temporary tables: on SQLite the write lock stays free however long it takes. It
    sees every site classified, and one instant: a site that moves to another group between two statements
    would stand in both tables, or in none.
    """
    with all_classified(connection, now):
        asked = question(connection, rule, policies)
        if asked is None:
            return None
        for table in (UNJUDGED, VERDICT):
            connection.execute(DropTable(table, if_exists=True))
            connection.execute(CreateTable(table))
        newest_site = connection.scalar(select(func.max(Site.key)))
        connection.execute(insert(UNJUDGED).from_select(["site_key", "reason"], _unjudged(moment)))
        if asked.off is not None:
            off = select(Site.key, literal(SWITCHED_OFF, String)).where(moment.sites_to_check(), asked.off)
            connection.execute(insert(UNJUDGED).from_select(["site_key", "reason"], off))
        _judge(connection, rule, asked, moment)
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE verdict"))  # nobody else analyses a temporary table
        counts = Counts(*connection.execute(_counts(moment)).one())
        return Judgement(counts, newest_site, asked.combinations)


def _judge(connection: Connection, rule: Rule, question: Question, moment: Moment) -> None:
    answer = rule.verdicts(question.asked, question.about(moment))
    names = [*(column.name for column in answer.selected_columns), "combination"]
    first, *others = question.combinations
    if others:
        said = answer.cte("said")
        cases = ((one.sites, literal(one.number)) for one in others if one.sites is not None)
        number = case(*cases, else_=first.number)
        numbered = select(*said.c, number).join(Site, Site.key == said.c.site_key)
    else:
        numbered = answer.add_columns(literal(first.number))
    connection.execute(insert(VERDICT).from_select(names, numbered))


def _unjudged(moment: Moment) -> Select[Any]:
    why = case((Site.active, "snoozed"), else_="inactive")
    return select(Site.key, why).where(~moment.sites_to_check())


def _counts(moment: Moment) -> Select[Any]:
    watched = select(func.count()).select_from(Site).where(moment.sites_to_check()).scalar_subquery()
    off = select(func.count()).select_from(UNJUDGED).where(UNJUDGED.c.reason == SWITCHED_OFF)
    told = [
        select(func.count()).select_from(VERDICT).where(VERDICT.c.verdict == verdict)
        for verdict in (FLAGGED, NOT_ASSESSABLE)
    ]
    return select(watched - off.scalar_subquery(), *(count.scalar_subquery() for count in told))
