"""Each rule is one statement whose plan walks the readings' primary key, a short range a site."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import ClauseElement, Connection, Engine, Executable, Select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from jobauto.rules import RULES
from jobauto.rules.asked import Asked
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.rule import Rule
from jobauto.settings.schema import Settings
from tests.databases import POSTGRESQL, SQLITE
from tests.detection.ground import MOMENT, NOON

SITES, DAYS = 2000, 15
# What partitions make of the plans stands in tests/partitions/test_plans.py.
pytestmark = pytest.mark.parametrize("fleet_engine", [SQLITE, POSTGRESQL], indirect=True)


def populate(connection: Connection) -> None:
    """Thousands of sites with a reading a day: most grow, some stand still, some are silent."""
    connection.execute(
        text(
            """
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :sites)
            INSERT INTO site (key, site_id, site_name, active, is_demo)
            SELECT n, 'S' || (n * 7919 % 100003), 'Site ' || n, true, false FROM number
            """
        ),
        {"sites": SITES},
    )
    stamp = (
        "to_timestamp(:noon) - day * interval '1 day'"
        if connection.dialect.name == "postgresql"
        else "(:noon - day * 86400) * 1000000"
    )
    connection.execute(
        text(
            f"""
            WITH RECURSIVE number(day) AS (SELECT 0 UNION ALL SELECT day + 1 FROM number WHERE day < :last)
            INSERT INTO reading (site_key, reading_date, reading_value)
            SELECT key, {stamp}, CASE WHEN key % 40 = 0 THEN 5000 ELSE 1000 * (100 - day) END
            FROM site, number WHERE NOT (key % 40 = 1 AND day < 5) ORDER BY 1, 2
            """  # noqa: S608 (no input)
        ),
        {"noon": NOON.timestamp(), "last": DAYS - 1},
    )


@pytest.fixture(scope="module", params=["fresh statistics", "no statistics"])
def populated(request: pytest.FixtureRequest, fleet_engine: Engine) -> Iterator[Connection]:
    """A connection that sees the fleet, in a transaction that is rolled back."""
    with fleet_engine.connect() as connection, connection.begin() as transaction:
        populate(connection)
        if request.param == "fresh statistics":
            connection.execute(text("ANALYZE"))
        yield connection
        transaction.rollback()


class Explain(Executable, ClauseElement):
    """EXPLAIN of a statement, with its parameters."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(Explain)
def _explain(element: Explain, compiler: SQLCompiler, **kw: Any) -> str:
    word = "EXPLAIN" if compiler.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return f"{word} {compiler.process(element.statement, **kw)}"


def reaches_readings(step: str) -> bool:
    """Whether this step of a plan reads the table of readings, by whatever name."""
    return (
        re.search(r"(SCAN|SEARCH|Scan.* on) reading\b|(SCAN|SEARCH|Scan.* on) reading_\d", step) is not None
    )


def plan(connection: Connection, rule: Rule) -> list[str]:
    """The steps by which the database answers the rule."""
    statement = rule.verdicts(Asked([Settings().rule(rule.name)]), MOMENT)
    return [str(row[-1]) for row in connection.execute(Explain(statement))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_readings_are_reached_by_their_primary_key_only_a_range_a_site(
    populated: Connection, rule: Rule
) -> None:
    steps = plan(populated, rule)
    reached = [(step, following) for step, following in pairwise([*steps, ""]) if reaches_readings(step)]

    assert reached
    for step, following in reached:
        if populated.dialect.name == "postgresql":
            assert "Index Only Scan" in step
            assert "using pk_reading" in step
            assert "Index Cond: ((site_key = " in following
        else:
            assert step.startswith("SEARCH")
            assert "USING PRIMARY KEY (site_key=? AND reading_date" in step


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_nothing_is_sorted_or_hashed(populated: Connection, rule: Rule) -> None:
    assert [step for step in plan(populated, rule) if re.search("Sort|Hash|TEMP B-TREE", step)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_statement_finds_what_is_there(populated: Connection, rule: Rule) -> None:
    found = populated.execute(rule.verdicts(Asked([Settings().rule(rule.name)]), MOMENT)).mappings()
    kinds = Counter(row["verdict"] for row in found)

    assert kinds == (
        {"flagged": SITES // 40}
        if rule is NO_COMS
        else {"flagged": SITES // 40, "not_assessable": SITES // 40}
    )
