"""What an import of readings counts and stores: new, updated, unchanged, rejected."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.result import NAMED
from tests.fleets import add_site
from tests.imports.importing import Counts, counts, import_readings, import_sites, stored_readings

BATCH = 100
A, B = "2026-03-30T06:00Z", "2026-03-31T06:00Z"


@pytest.mark.parametrize(
    ("lines", "expected", "value"),
    [
        pytest.param([f"S1,{A},1"], (1, 0, 0, 0), "1", id="one"),
        pytest.param([f"S1,{A},1", f"S1,{A},1"], (1, 0, 1, 0), "1", id="the same twice"),
        pytest.param([f"S1,{A},1.004", f"S1,{A},1.00"], (1, 0, 1, 0), "1", id="equal once rounded"),
        pytest.param([f"S1,{A},1", f"S1,{A},x"], (1, 0, 0, 1), "1", id="a bad last one loses nothing"),
        pytest.param([f"S9,{A},1", f"S1,{A},1", f"S9,{A},2"], (1, 0, 0, 2), "1", id="an unknown site twice"),
        pytest.param([f"S1,{A},1", f" S1 ,{A},1.000"], (1, 0, 1, 0), "1", id="equal but for spaces"),
    ],
)
def test_within_a_file_equal_rows_count_once_and_every_row_is_counted(
    app: Flask, lines: list[str], expected: Counts, value: str
) -> None:
    add_site("S1")

    assert counts(import_readings(lines)) == expected
    assert stored_readings() == {("S1", datetime(2026, 3, 30, 6, 0, tzinfo=UTC)): Decimal(value)}


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many rows each, on both engines."""
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", BATCH)


def test_a_later_import_adds_replaces_and_leaves(app: Flask) -> None:
    add_site("S1")
    add_site("S2")
    import_readings([f"S1,{A},1", f"S1,{B},2", f"S2,{A},3"])

    result = import_readings([f"S1,{A},1.00", f"S1,{B},5", f"S2,{B},6", f"S3,{A},7"])

    assert counts(result) == (1, 1, 1, 1)
    assert result.errors == [(5, "unknown site: S3")]
    assert sorted(stored_readings().values()) == [1, 3, 5, 6]


def spread_over_batches() -> list[str]:
    """More rows than fit into one batch, one a minute, the first instant again at the end."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    minutes = [start + timedelta(minutes=minute) for minute in range(BATCH)]
    return [f"S1,{instant:%Y-%m-%dT%H:%MZ},1" for instant in [*minutes, start]]


def test_line_numbers_and_counts_go_on_across_batches(app: Flask, batches: None) -> None:
    add_site("S1")
    lines = [*spread_over_batches(), "S1,x,1", "S8,2026-01-01T00:00Z,1"]
    lines[4] = "S9,2026-01-01T00:00Z,1"

    result = import_readings(lines)

    assert counts(result) == (BATCH - 1, 0, 1, 3)
    assert [line for line, _ in result.errors] == [6, BATCH + 3, BATCH + 4]


def row_versions() -> Callable[[], object]:
    """Something that changes with any write to the readings, seen from outside the import."""
    if db.engine.dialect.name == "postgresql":
        query = text("SELECT xmin::text, xmax::text, ctid::text FROM reading ORDER BY site_key, reading_date")
        return lambda: [tuple(row) for row in db.session.execute(query)]
    watcher = db.engine.raw_connection()
    return lambda: watcher.execute("PRAGMA data_version").fetchone()


def test_the_same_file_twice_is_all_unchanged_and_writes_nothing(app: Flask) -> None:
    add_site("S1")
    lines = [
        f"S1,{A},1",
        f"S1,{B},2",
        f"S1,{A},1",
        f"S1,{B},2",
        "S1,2026-03-29T06:00Z,1",
        "S1,2026-03-29T06:00Z,2",
    ]
    import_readings(lines)
    version = row_versions()
    before = version()

    assert counts(import_readings(lines)) == (0, 0, 4, 2)
    db.session.rollback()
    assert version() == before


def test_a_change_of_one_reading_is_seen_as_a_write(app: Flask) -> None:
    add_site("S1")
    import_readings([f"S1,{A},1"])
    version = row_versions()
    before = version()

    import_readings([f"S1,{A},2"])
    db.session.rollback()
    assert version() != before


def test_the_first_thousand_rejected_rows_are_named_and_all_are_counted(app: Flask) -> None:
    result = import_readings([f"S9,{A},1"] * (NAMED + 5))

    assert counts(result) == (0, 0, 0, NAMED + 5)
    assert [line for line, _ in result.errors] == list(range(2, NAMED + 2))


def test_two_imports_of_the_same_rows_at_once_both_succeed(app: Flask) -> None:
    """In opposite orders: unless both write in the same order, each waits for the other on PostgreSQL."""
    import_sites("site_id,site_name", *(f"S{number},x" for number in range(200)))
    stamps = [f"2026-03-{day:02}T{hour:02}:00Z" for day in range(1, 26) for hour in (6, 18)]
    lines = [f"S{number},{stamp},{number}" for number in range(200) for stamp in stamps]
    together, results, failures = threading.Barrier(2), [], []

    def import_them(order: list[str]) -> None:
        with app.app_context():
            try:
                together.wait(timeout=30)
                results.append(import_readings(order))
            except Exception as error:
                failures.append(error)

    threads = [
        threading.Thread(target=import_them, args=[order], daemon=True) for order in (lines, lines[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    assert [result.rejected + result.updated for result in results] == [0, 0]
    assert [result.rows for result in results] == [len(lines)] * 2
    assert len(stored_readings()) == len(lines)
