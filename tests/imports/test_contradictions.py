"""Rows of one file for a site and instant that are not all equal: none is right by being last."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.imports import readings, seen
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.lines import FileError
from jobauto.imports.result import ImportResult
from jobauto.imports.rows import Rows
from jobauto.models import Import
from tests.fleets import NOON, add_site
from tests.imports import importing, undoing
from tests.imports.importing import counts, stored_readings

NUMBERS = count(1)
HEADER = "site_id,reading_date,reading_value"
A, B = "2026-03-30T06:00Z", "2026-03-31T06:00Z"
AT_A = "S1", datetime(2026, 3, 30, 6, tzinfo=UTC)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 4)
    monkeypatch.setattr(readings, "DRY_BATCH", 4)


def import_readings(lines: Iterable[str]) -> ImportResult:
    """Import a file as one with a number."""
    return importing.import_readings(lines, next(NUMBERS))


def dry_run(lines: Iterable[str], header: str = HEADER) -> ImportResult:
    """What an import would do."""
    return readings.store_readings(
        source(lines, header), zone=ZoneInfo("Europe/London"), now=NOON, dry_run=True
    )


def may_be_doubtful(lines: Iterable[str]) -> bool:
    """What a first look finds."""
    return readings.may_be_doubtful(source(lines), zone=ZoneInfo("Europe/London"), now=NOON)


def source(lines: Iterable[str], header: str = HEADER) -> Rows:
    """The rows of a file."""
    return readings.from_csv(BytesIO("\n".join([header, *lines]).encode()))


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
    ("stored_before", "expected"),
    [
        pytest.param((), (8, 0, 1, 5), id="nothing"),
        pytest.param((1, 2, 3, 4), (6, 0, 3, 5), id="the same"),
        pytest.param((7,), (7, 1, 1, 5), id="another value"),
        pytest.param((7, 7, 7), (7, 1, 1, 5), id="other values"),
        pytest.param((1, 3), (7, 0, 2, 5), id="what the later row says"),
    ],
)
def test_over_more_rows_than_are_stored_at_a_time_none_is_stored_and_what_was_stays(
    app: Flask, small_batches: None, stored_before: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    add_site("S1")
    import_readings(minutes(*stored_before))
    before = stored_readings()
    lines = [*minutes(1, 2, 3, 4), *minutes(5, 6, 7, 8, start=4), *minutes(1, 3), *minutes(9, 10, start=8)]
    lines += minutes(2, 2, start=1)
    looked_at = dry_run(lines)

    result = import_readings(lines)

    why = "lines 3 and 11 give different values for the same site and time"
    assert dict(result.errors)[3] == dict(result.errors)[11] == why
    assert result.errors == looked_at.errors
    assert counts(result) == counts(looked_at) == expected
    after = stored_readings()
    for minute in (1, 2):
        at = ("S1", datetime(2026, 3, 1, 0, minute, tzinfo=UTC))
        assert after.pop(at, None) == before.get(at)
    assert [int(value) for _, value in sorted(after.items())] == [1, *range(4, 11)]


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
    assert counts(import_readings(lines)) == (8, 0, 1, 4)
    before = stored_readings()

    assert counts(import_readings(lines)) == (0, 0, 9, 4)
    assert stored_readings() == before


@pytest.mark.parametrize("seed", range(16))
def test_a_dry_run_says_the_same_as_the_import_and_both_the_same_as_a_look_at_all_rows(
    app: Flask, small_batches: None, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same each time)
    for site_id in ("S1", "S2"):
        add_site(site_id)

    def some(count: int) -> list[str]:
        return [
            f"S{chance.randint(1, 2)},2026-03-01T00:{chance.randint(0, 9):02}Z,{chance.choice([1, 1, 1, 2])}"
            for _ in range(count)
        ]

    import_readings(some(3))
    before = {(site_id, at.minute): value for (site_id, at), value in stored_readings().items()}
    lines = some(20)
    looked_at = dry_run(lines)
    result = import_readings(lines)

    assert counts(looked_at) == counts(result)
    assert looked_at.errors == result.errors
    said: dict[tuple[str, int], set[int]] = {}
    for line in lines:
        said.setdefault((line[:2], int(line[17:19])), set()).add(int(line[-1]))
    clear = {key: next(iter(values)) for key, values in said.items() if len(values) == 1}
    unclear = sum((line[:2], int(line[17:19])) not in clear for line in lines)
    assert {
        (site_id, at.minute): value for (site_id, at), value in stored_readings().items()
    } == before | clear
    new, updated, _, rejected = counts(result)
    assert (rejected, result.rows) == (unclear, len(lines))
    assert new == len(clear.keys() - before.keys())
    assert updated == sum(before.get(key, value) != value for key, value in clear.items())


@pytest.mark.parametrize("seed", range(24))
def test_estimates_and_actual_readings_come_to_the_same_in_one_batch_and_in_many(
    app: Flask, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same each time)

    def some(count: int) -> list[tuple[int, int, str]]:
        quality = ("", "", "estimated")
        return [
            (chance.randint(0, 3), chance.choice([1, 1, 2]), chance.choice(quality)) for _ in range(count)
        ]

    before, rows, ends = some(chance.randint(0, 3)), some(8), []
    for size in (2, 1000):
        for engine in (SqliteBulk, PostgresqlBulk):
            monkeypatch.setattr(engine, "BATCH", size)
        monkeypatch.setattr(readings, "DRY_BATCH", size)
        site_id = f"S{size}"
        add_site(site_id)
        former, lines = (
            [f"{site_id},2026-03-01T00:{minute:02}Z,{value},{quality}" for minute, value, quality in of]
            for of in (before, rows)
        )
        first = undoing.send(former, now=NOON - timedelta(days=1)) if former else None
        looked_at = counts(dry_run(lines, undoing.HEADER))
        number = undoing.send(lines)
        db.session.rollback()
        entry = db.session.get_one(Import, number)
        assert (entry.new, entry.updated, entry.unchanged, entry.rejected) == looked_at
        stands = undoing.standing(site_id)
        if first is not None:
            undoing.take_back(first)
        ends.append((looked_at, stands, undoing.standing(site_id)))
        undoing.take_back(number)
        assert undoing.standing(site_id) == []
    assert ends[0] == ends[1]


def test_much_is_remembered_on_disk(app: Flask, small_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "IN_MEMORY", 100)
    add_site("S1")

    assert counts(import_readings([*minutes(*range(20)), *minutes(7)])) == (19, 0, 0, 2)


def test_a_disk_without_room_for_it_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_site("S1")
    monkeypatch.setattr(seen, "IN_MEMORY", 1)
    monkeypatch.setattr(seen, "instance_folder", lambda: "/dev/full/none")

    with pytest.raises(FileError, match="no room"):
        import_readings([f"S1,{A},1"])
