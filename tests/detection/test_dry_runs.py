"""A dry run tells the findings and writes nothing."""

from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select

from jobauto.clock import utcnow
from jobauto.detection.service import Finding, RunParameters, dry_run
from jobauto.extensions import Base, db
from jobauto.models import Run
from jobauto.rules.no_coms import NO_COMS
from tests.detection.running import later, run_at, save
from tests.fleets import NOON, add_site, daily


def a_fleet() -> None:
    """A stuck site, a silent one, one never heard of, a new one, one that works, an inactive one."""
    add_site("stuck", daily([5] * 6))
    add_site("silent", daily([1, 2, 3], last=later(-24 * 8)))
    add_site("never")
    add_site("new", monitored_from=NOON.date())
    add_site("works", daily([1, 2, 3, 4]))
    add_site("inactive", active=False)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    db.session.rollback()
    tables = Base.metadata.sorted_tables
    return {table.name: [tuple(row) for row in db.session.execute(select(table))] for table in tables}


def test_a_dry_run_lists_each_finding_with_its_days_and_writes_nothing(app: Flask) -> None:
    a_fleet()
    before = contents()

    result = dry_run(RunParameters("cli"), lambda: NOON)

    assert result.run_id is None
    assert result.findings == [
        Finding("no_coms", "never", None),
        Finding("no_coms", "silent", 8),
        Finding("zero_reads", "stuck", 5),
    ]
    assert contents() == before


def test_a_dry_run_counts_as_the_run_after_it_does(app: Flask) -> None:
    a_fleet()

    dry = dry_run(RunParameters("cli"), lambda: NOON)
    wet = run_at()

    def counts(name: str) -> list[tuple[str, int, int, int]]:
        rules = (dry.rules[name], wet.rules[name])
        return [(rule.status, rule.checked, rule.flagged, rule.not_assessable) for rule in rules]

    assert counts("no_coms") == [("succeeded", 5, 2, 1)] * 2
    assert counts("zero_reads") == [("succeeded", 5, 1, 3)] * 2
    assert (dry.created_jobs, wet.created_jobs) == (0, 3)


def test_a_dry_run_may_look_into_the_future(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3, 4]))

    result = dry_run(RunParameters("cli", as_of=later(24 * 3), rules=(NO_COMS,)), lambda: NOON)

    assert result.findings == [Finding("no_coms", "S1", 3)]


def test_a_dry_run_skips_a_disabled_rule(app: Flask) -> None:
    a_fleet()
    save(no_coms={"enabled": False})

    result = dry_run(RunParameters("cli"), lambda: NOON)

    assert [rule.status for rule in result.rules.values()] == ["skipped", "succeeded"]
    assert [finding.rule for finding in result.findings] == ["zero_reads"]


def test_a_run_under_way_does_not_stand_in_its_way(app: Flask) -> None:
    a_fleet()
    now = utcnow()
    with db.engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                trigger="cli",
                as_of=now,
                started_at=now,
                heartbeat_at=now,
                status="running",
                settings_version=1,
            )
        )

    assert len(dry_run(RunParameters("cli"), lambda: NOON).findings) == 3
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1
