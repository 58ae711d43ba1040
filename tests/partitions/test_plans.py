"""What the rules' statements execute: their window's partitions, and older ones only for a site at fault."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import ClauseElement, Connection, Executable, Select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from jobauto.extensions import db
from jobauto.rules import RULES
from jobauto.rules.asked import Asked
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.rule import Rule
from jobauto.rules.zero_reads import ZERO_READS
from jobauto.settings.schema import Settings
from tests.detection.ground import MOMENT, NOON

pytestmark = pytest.mark.postgresql

SITES, DAYS = 300, 100
WINDOW = {"reading_2026_02"}
"""Of both rules, with the default settings, at noon on 10 February."""
SILENT, FLAT = 7, 8
A_SITE = 4
"""So many seeks at most for a site: its ``since``, sought from both ends, is wanted twice."""


class Analyse(Executable, ClauseElement):
    """A statement, executed; its plan with how often each step was."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(Analyse)
def _analyse(element: Analyse, compiler: SQLCompiler, **kw: Any) -> str:
    return f"EXPLAIN (ANALYZE, FORMAT JSON) {compiler.process(element.statement, **kw)}"


@pytest.fixture(params=["with statistics", "without statistics"])
def fleet(request: pytest.FixtureRequest, partitioned_app: Flask) -> Iterator[Connection]:
    """Sites that are well, with a reading a day for a hundred days, in a transaction that is rolled back."""
    with db.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(
            text(
                "INSERT INTO site (key, site_id, site_name, active) "
                "SELECT n, 'S' || n, 'Site ' || n, true FROM generate_series(1, :sites) n"
            ),
            {"sites": SITES},
        )
        connection.execute(
            text(
                "INSERT INTO reading SELECT key, :noon - day * interval '1 day', 1000 * (500 - day) "
                "FROM site, generate_series(0, :days - 1) day"
            ),
            {"noon": NOON, "days": DAYS},
        )
        if request.param == "with statistics":
            connection.execute(text("ANALYZE"))
        yield connection
        transaction.rollback()


def executed(connection: Connection, rule: Rule) -> dict[str, int]:
    """How often the rule's statement has looked into each partition."""
    statement = rule.verdicts(Asked([Settings().rule(rule.name)]), MOMENT)
    (plan,) = connection.execute(Analyse(statement)).scalar_one()
    looks: dict[str, int] = {}
    for step in _steps(plan["Plan"]):
        name, loops = step.get("Relation Name", ""), step["Actual Loops"]
        if name.startswith("reading_") and loops:
            looks[name] = looks.get(name, 0) + loops
    return looks


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for below in step.get("Plans", []):
        yield from _steps(below)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_for_sites_that_are_well_no_other_partition_is_executed(fleet: Connection, rule: Rule) -> None:
    assert set(executed(fleet, rule)) == WINDOW


def test_the_last_reading_of_a_silent_site_is_sought_from_the_newest_partition_on(fleet: Connection) -> None:
    since = {"key": SILENT, "date": "2025-12-24 12:00+00"}
    fleet.execute(text("DELETE FROM reading WHERE site_key = :key AND reading_date > :date"), since)

    looks = executed(fleet, NO_COMS)
    assert set(looks) == {"reading_2026_02", "reading_2026_01", "reading_2025_12"}
    assert looks["reading_2026_01"] == looks["reading_2025_12"] <= A_SITE


def test_the_start_of_a_flat_run_is_sought_from_the_newest_partition_on(fleet: Connection) -> None:
    since = {"key": FLAT, "date": "2025-12-24 12:00+00"}
    flat = "UPDATE reading SET reading_value = 452000 WHERE site_key = :key AND reading_date > :date"
    fleet.execute(text(flat), since)  # as it stood then

    looks = executed(fleet, ZERO_READS)
    assert set(looks) == {"reading_2026_02", "reading_2026_01", "reading_2025_12"}
    assert max(looks["reading_2026_01"], looks["reading_2025_12"]) <= A_SITE


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_partition_is_reached_by_its_key(fleet: Connection, rule: Rule) -> None:
    statement = rule.verdicts(Asked([Settings().rule(rule.name)]), MOMENT)
    (plan,) = fleet.execute(Analyse(statement)).scalar_one()
    steps = (step for step in _steps(plan["Plan"]) if step["Actual Loops"])
    scans = [step for step in steps if step.get("Relation Name", "").startswith("reading_")]

    assert scans
    assert "Seq Scan" not in {step["Node Type"] for step in scans}
