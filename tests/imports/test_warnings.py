"""Values that were taken and may have been meant otherwise."""

import pytest
from flask import Flask

from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from tests.fleets import add_site
from tests.imports.importing import counts, import_readings
from tests.imports.test_contradictions import dry_run, may_be_doubtful

DECIMALS = "every value has exactly three decimals: MWh, or a dot for thousands?"
FALLS = "at least half of the steps fall: energy of intervals instead of a register?"
FOLD = "a value is 1,000 times the newest one before: Wh instead of kWh?"
PART = "a value is a thousandth of the newest one before: MWh, or a dot for thousands?"


def days(*values: str, site_id: str = "S1") -> list[str]:
    """A line a day with each of the values."""
    return [f"{site_id},2026-03-{day:02}T06:00Z,{value}" for day, value in enumerate(values, start=2)]


@pytest.mark.parametrize(
    ("before", "values", "expected"),
    [
        pytest.param("1204.45", ["1.204", "1.227", "1.253"], [DECIMALS, PART], id="a dot for thousands"),
        pytest.param(None, ["1.204", "1.227", "1.253"], [DECIMALS], id="of a new site"),
        pytest.param(None, ["1.204", "1.227"], [], id="two rows are too few"),
        pytest.param(None, ["1.204", "1.227", "1.25"], [], id="two decimals once"),
        pytest.param(None, ["1.204", "1.227", "1.2531"], [], id="four decimals once"),
        pytest.param(None, ["1.204", "1.227", "2", "1.5"], [], id="none at all once"),
        pytest.param("100.00", ["101.00", "102.5", "103"], [], id="as it should be"),
        pytest.param("1000.00", ["1000100", "1000200"], [FOLD], id="watt-hours"),
        pytest.param("1000.00", ["1001", "1000200", "1000300"], [FOLD], id="one of them"),
        pytest.param("1000.00", ["499000", "2001000"], [], id="less and more than that"),
        pytest.param("0.50", ["500", "510"], [], id="a new meter"),
        pytest.param("0.00", ["0", "1"], [], id="nothing yet"),
        pytest.param(None, ["1.9", "2.4", "2.2", "0"], [FALLS], id="intervals"),
        pytest.param(None, ["1", "2", "1"], [FALLS], id="half of the steps"),
        pytest.param(None, ["1", "2", "1", "2"], [], id="a third"),
        pytest.param(None, ["5", "5", "5"], [], id="flat"),
    ],
)
def test_values_are_wondered_at(
    app: Flask, before: str | None, values: list[str], expected: list[str]
) -> None:
    add_site("S1")
    if before:
        import_readings([f"S1,2026-03-01T06:00Z,{before}"])

    warnings = [f"S1: {what}" for what in expected]
    assert may_be_doubtful(days(*values)) == bool(expected)
    assert dry_run(days(*values)).warnings == warnings
    result = import_readings(days(*values))
    assert result.warnings == warnings
    assert counts(result) == (len(values), 0, 0, 0)


def test_each_site_is_judged_by_all_its_rows_and_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 7)
    for number in range(1, 10):
        add_site(f"S{number}")
    wrong = [line for number in range(1, 8) for line in days("1.204", "1.227", "1.253", site_id=f"S{number}")]
    late = days("1.0", "1.001", "1.002", "1.003", site_id="S8")
    result = import_readings([*wrong, *late, *days("7", "6", "5", "8", site_id="S9")])

    assert result.warnings == [f"S1, S2, S3, S4, S5 and 2 more: {DECIMALS}", f"S9: {FALLS}"]


def test_files_by_day_and_newest_first_are_judged_alike(app: Flask) -> None:
    for number in range(1, 4):
        add_site(f"S{number}")
    lines = [
        *days("1", "2", "3", site_id="S1"),
        *days("3", "2", "4", "1", site_id="S2"),
        *days("5", site_id="S3"),
    ]

    assert import_readings(sorted(lines, key=lambda line: line.split(",")[1])).warnings == [f"S2: {FALLS}"]
    assert import_readings(sorted(lines, reverse=True)).warnings == [f"S2: {FALLS}"]


def test_rows_that_are_rejected_take_no_part_in_it(app: Flask) -> None:
    add_site("S1")
    add_site("S2")
    bad = ["S2,31/03/2026 06:00,1.400", "S2,2026-03-06T06:00Z,x", "S2,2026-03-07T06:00Z,1.5.0"]
    good = days("1.204", "1.227", "1.253", site_id="S2")

    assert import_readings([*bad, *good]).warnings == [f"S2: {DECIMALS}"]
    lines = [*days("1.204", "1.227"), "S9,2026-03-05T06:00Z,1.300", "S1,2026-03-06,1.301"]

    assert import_readings(lines).warnings == []
