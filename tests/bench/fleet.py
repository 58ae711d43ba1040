"""Fleets and jobs by the million, made by the database itself, the same in every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.schema import AddConstraint, DropConstraint

from jobauto.detection import run_counts
from jobauto.extensions import Base, db
from jobauto.models.types import MICROSECOND, to_microseconds
from jobauto.rules import RULES

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
"""The ``as_of`` of every run here. The newest readings are an hour older."""
DAY = timedelta(days=1)
KEPT_FROM = 910
"""The runs after this one keep their sites."""


@dataclass(frozen=True)
class Fleet:
    """So many sites with readings of so many days, so many a day.

    Of 200 sites, ``silent`` have not reported for 5 days and ``flat`` have not moved for 6. The business
    keys are not in the order of the rows, as in life.
    """

    sites: int
    days: int = 30
    a_day: int = 1
    silent: int = 2
    flat: int = 3

    def __str__(self) -> str:
        readings = {1: "daily", 48: "half-hourly"}[self.a_day]
        return f"{self.sites:,} sites x {self.days} days of {readings} readings"


def build(fleet: Fleet) -> None:
    """Fill the current app's empty database, and leave it as an import does."""
    _fill(_SITES, last=fleet.sites)
    with _key_later():
        _fill(
            _READINGS,
            last=fleet.days * fleet.a_day,
            at=":newest - (:last - n) * :step",
            newest=to_microseconds(NOON - timedelta(hours=1)),
            step=DAY // MICROSECOND // fleet.a_day,
            silent=fleet.silent,
            faulty=fleet.silent + fleet.flat,
            silent_for=5 * fleet.a_day,
            flat_for=6 * fleet.a_day,
        )
    tidy()


def add_jobs(count: int, sites: int, now: datetime) -> None:
    """Jobs as a thousand days of runs leave them, the last one now: the newest 2 % are open.

    The last three months' runs found 5 of 200 sites silent or standing still, others each day, and are
    counted.
    """
    values = {"now": to_microseconds(now), "day": DAY // MICROSECOND}
    _fill(_RUNS, last=1000, at=":now - (:last - n) * :day", **values)
    _fill(
        _JOBS,
        last=count,
        at=":now - (:last - n) / :each * :day",
        each=max(1, count // 1000),
        sites=sites,
        **values,
    )
    for position, rule in enumerate(RULES):
        _fill(_RUN_RULES, last=1000, rule=rule.name, position=position, sites=sites, kept_from=KEPT_FROM)
    _fill(_RUN_SITES, last=sites, kept_from=KEPT_FROM)
    while run_counts.count_waiting(now):
        pass
    tidy()


@contextmanager
def _key_later() -> Iterator[None]:
    """PostgreSQL sorts many readings into an index much sooner than it keeps one up to date."""
    if db.engine.dialect.name != "postgresql":
        yield
        return
    key = Base.metadata.tables["reading"].primary_key
    with db.engine.begin() as connection:
        connection.execute(DropConstraint(key))
    yield
    with db.engine.begin() as connection:
        connection.execute(AddConstraint(key))


def tidy() -> None:
    """What an import does after many rows; on SQLite nothing."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # As by default, and not in the tests: VACUUM takes no page for visible to all before the commit
            # that wrote it, or one near it, is written to the log.
            connection.execute(text("SET synchronous_commit = on"))
            connection.execute(text("CREATE TEMPORARY TABLE written ON COMMIT DROP AS SELECT 1"))
            connection.execute(text("VACUUM (ANALYZE)"))
            connection.execute(text("RESET synchronous_commit"))


def _fill(statement: str, last: int, at: str = "0", **values: Any) -> None:
    """Insert what a statement selects from the numbers ``n`` from 1 to ``last``, with instants ``at``."""
    if db.engine.dialect.name == "postgresql":
        numbers = "generate_series(CAST(1 AS BIGINT), :last) AS number(n)"
        at = f"(to_timestamp(0) + ({at}) * interval '1 microsecond')"
    else:
        numbers = (
            "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < :last) "
            "SELECT n FROM up) AS number"
        )
    with db.engine.begin() as connection:
        connection.execute(text(statement.format(numbers=numbers, at=at)), values | {"last": last})


_SITES = """
    INSERT INTO site (key, site_id, site_name)
    SELECT n, 'S' || (n * 7919 % 1000003), 'Site ' || n FROM {numbers}
"""
_READINGS = """
    INSERT INTO reading (site_key, reading_date, reading_value)
    SELECT key, {at},
           1000000 * key + 1000 * CASE WHEN key * 37 % 200 >= :silent AND key * 37 % 200 < :faulty
                                            AND n > :last - :flat_for THEN 0 ELSE n END
    FROM site CROSS JOIN {numbers}
    WHERE key * 37 % 200 >= :silent OR n <= :last - :silent_for
"""
_RUNS = """
    INSERT INTO run (id, trigger, as_of, started_at, finished_at, heartbeat_at, status, settings_version)
    SELECT n, 'schedule', {at}, {at}, {at}, {at}, 'succeeded', 1 FROM {numbers}
"""
_RUN_RULES = """
    INSERT INTO run_rule (run_id, rule, position, status, checked, flagged, not_assessable, created, skipped,
                          covered, duration_ms, newest_site)
    SELECT n, :rule, :position, 'succeeded', :sites, 0, 0, 0, 0, 0, 0,
           CASE WHEN n > :kept_from THEN :sites END
    FROM {numbers}
"""
_RUN_SITES = """
    INSERT INTO run_site (run_id, rule, site_key, verdict, outcome)
    SELECT run.id, CASE WHEN (n * 37 + run.id) % 200 < 2 THEN 'no_coms' ELSE 'zero_reads' END,
           n, 'flagged', 'skipped'
    FROM run CROSS JOIN {numbers}
    WHERE run.id > :kept_from AND (n * 37 + run.id) % 200 < 5
"""
_JOBS = """
    INSERT INTO job (id, site_key, rule, job_type, status, priority, description, resolution, created_at,
                     closed_at, recovered_at, recovered_run_id, run_id, duplicate_checked, days, queue,
                     instructions, touched)
    SELECT n, n % :sites + 1,
           CASE WHEN n % 5 < 2 THEN 'no_coms' ELSE 'zero_reads' END,
           CASE WHEN n % 5 < 2 THEN 'no_coms' ELSE 'zero_reads' END,
           CASE WHEN n > :last * 49 / 50 THEN 'open' ELSE 'closed' END,
           'medium', 'No readings for 3 days from Site ' || (n % :sites + 1),
           CASE WHEN n > :last * 49 / 50 THEN NULL ELSE 'fixed' END,
           {at},
           CASE WHEN n > :last * 49 / 50 THEN NULL ELSE {at} END,
           CASE WHEN n > :last * 49 / 50 THEN NULL ELSE {at} END,
           CASE WHEN n > :last * 49 / 50 THEN NULL ELSE 1 END,
           1000 - (:last - n) / :each, true, 4 + n % 30, '', '', n % 3 = 0
    FROM {numbers}
"""
