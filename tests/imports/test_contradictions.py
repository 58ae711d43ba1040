"""Rows of one file for a site and instant that are not all equal: none is right by being last."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.imports import readings, seen
from jobauto.imports.bulk import PostgresqlBulk, SqliteBulk
from jobauto.imports.lines import FileError
from jobauto.imports.result import ImportResult
from jobauto.imports.rows import Rows
from tests.fleets import NOON, add_site
from tests.imports.importing import counts, import_readings, stored_readings

A, B = "2026-03-30T06:00Z", "2026-03-31T06:00Z"
AT_A = "S1", datetime(2026, 3, 30, 6, tzinfo=UTC)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 4)
    monkeypatch.setattr(readings, "DRY_BATCH", 4)


def dry_run(lines: Iterable[str]) -> ImportResult:
    """What an import would do."""
    return readings.store_readings(source(lines), zone=ZoneInfo("Europe/London"), now=NOON, dry_run=True)


def may_be_doubtful(lines: Iterable[str]) -> bool:
    """What a first look finds."""
    return readings.may_be_doubtful(source(lines), zone=ZoneInfo("Europe/London"), now=NOON)


def source(lines: Iterable[str]) -> Rows:
    """The rows of a file."""
    return readings.from_csv(BytesIO("\n".join(["site_id,reading_date,reading_value", *lines]).encode()))


@pytest.mark.parametrize(
    ("lines", "expected", "named"),
    [
        pytest.param([f"S1,{A},1", f"S1,{A},2"], (0, 0, 0, 2), "lines 2 and 3", id="two"),
        pytest.param([f"S1,{A},2", f"S1,{A},1", f"S1,{A},2"], (0, 0, 0, 3), "lines 2, 3 and 4", id="three"),
        pytest.param(
            [f"S1,{A},1", f"S1,{B},5", "S1,2026-03-30T07:00,2"],
            (1, 0, 0, 2),
            "lines 2 and 4",
            id="one instant",
        ),
        pytest.param(
            [f"S1,{A},1", f"S1,{B},5", f"S1,{B},5", f"S1,{A},2"],
            (1, 0, 1, 2),
            "lines 2 and 5",
            id="equal ones beside",
        ),
        pytest.param(
            [f"S1,{A},{value}" for value in range(9)],
            (0, 0, 0, 9),
            "lines 2, 3, 4, 5, 6 and 4 more",
            id="many",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_all_rejected(
    app: Flask, lines: list[str], expected: tuple[int, ...], named: str
) -> None:
    add_site("S1")
    looked_at = dry_run(lines)
    result = import_readings(lines)

    assert counts(result) == counts(looked_at) == expected
    assert result.errors == looked_at.errors
    assert {why for _, why in result.errors} == {f"{named} give different values for the same site and time"}
    assert AT_A not in stored_readings()


def test_what_was_stored_before_stays(app: Flask) -> None:
    add_site("S1")
    import_readings([f"S1,{A},7"])

    assert counts(import_readings([f"S1,{A},7", f"S1,{A},8"])) == (0, 0, 0, 2)
    assert counts(import_readings([f"S1,{A},8", f"S1,{A},9", f"S1,{B},1"])) == (1, 0, 0, 2)
    assert stored_readings()[AT_A] == 7


def minutes(*values: int, start: int = 0) -> list[str]:
    """A line a minute."""
    return [f"S1,2026-03-01T00:{start + place:02}Z,{value}" for place, value in enumerate(values)]


@pytest.mark.parametrize(
    "stored_before", [(), (1, 2, 3, 4), (7,)], ids=["nothing", "the same", "another value"]
)
def test_over_more_rows_than_are_stored_at_a_time_the_first_stays(
    app: Flask, small_batches: None, stored_before: tuple[int, ...]
) -> None:
    add_site("S1")
    import_readings(minutes(*stored_before))
    lines = [*minutes(1, 2, 3, 4), *minutes(5, 6, 7, 8, start=4), *minutes(9, 2), *minutes(9, 10, start=8)]
    lines += minutes(1)
    looked_at = dry_run(lines)

    result = import_readings(lines)

    assert (
        result.errors
        == looked_at.errors
        == [(10, "lines 2 and 10 give different values for the same site and time; line 2 stays")]
    )
    assert counts(result) == counts(looked_at)
    assert [int(value) for _, value in sorted(stored_readings().items())] == list(range(1, 11))


def test_rows_that_were_all_rejected_are_not_let_in_by_a_later_one(app: Flask, small_batches: None) -> None:
    add_site("S1")
    lines = [*minutes(1), *minutes(2), *minutes(3, 4, start=1), *minutes(5, 6, 7, start=3), *minutes(1)]
    looked_at = dry_run(lines)

    result = import_readings(lines)

    assert counts(result) == counts(looked_at) == (5, 0, 0, 3)
    assert dict(result.errors)[9] == "lines 2 and 9 give different values for the same site and time"
    assert [int(value) for _, value in sorted(stored_readings().items())] == [3, 4, 5, 6, 7]


def test_a_long_file_that_contradicts_itself_changes_nothing_the_second_time(
    app: Flask, small_batches: None
) -> None:
    add_site("S1")
    lines = [*minutes(*range(10)), *minutes(20), *minutes(1, 30, start=1)]
    assert counts(import_readings(lines)) == (10, 0, 1, 2)

    assert counts(import_readings(lines)) == (0, 0, 11, 2)


@pytest.mark.parametrize("seed", range(12))
def test_a_dry_run_says_the_same_as_the_import(app: Flask, small_batches: None, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same each time)
    for site_id in ("S1", "S2"):
        add_site(site_id)

    def some(count: int) -> list[str]:
        return [
            f"S{chance.randint(1, 2)},2026-03-01T00:{chance.randint(0, 9):02}Z,{chance.choice([1, 1, 1, 2])}"
            for _ in range(count)
        ]

    import_readings(some(3))
    lines = some(20)
    looked_at = dry_run(lines)
    result = import_readings(lines)

    assert counts(looked_at) == counts(result)
    assert looked_at.errors == result.errors
    assert result.rows == len(lines)


def test_much_is_remembered_on_disk(app: Flask, small_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "IN_MEMORY", 100)
    add_site("S1")

    assert counts(import_readings([*minutes(*range(20)), *minutes(7)])) == (20, 0, 0, 1)


def test_a_disk_without_room_for_it_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_site("S1")
    monkeypatch.setattr(seen, "IN_MEMORY", 1)
    monkeypatch.setattr(seen, "instance_folder", lambda: "/dev/full/none")

    with pytest.raises(FileError, match="no room"):
        import_readings([f"S1,{A},1"])
