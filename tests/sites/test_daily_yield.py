"""What the chart of the daily yield shows of each day, and what the table beside it says."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobauto.models import Job
from jobauto.sites.charts import Chart, daily_yield
from jobauto.sites.days import yields
from jobauto.sites.falls import steps_of_falls
from jobauto.sites.thinning import day_of
from tests.fleets import NOON, days_before
from tests.sites.readings import LONDON, a_day_each, ago, reading, readings, scene


def days(chart: Chart) -> list[tuple[str, float | None]]:
    """(kind, kWh) of each day."""
    return [(kind, kwh) for _, kind, kwh, _ in chart.data["series"][0]["days"]]


def hatched(chart: Chart) -> list[tuple[str, str, str]]:
    return [(band["from"], band["to"], band["text"]) for band in chart.data["bands"]]


def told(chart: Chart) -> list[tuple[str, str, str]]:
    return [(row.when, "" if row.value is None else f"{row.value}", row.note) for row in chart.rows]


def test_a_day_of_zero_is_no_day_without_a_reading() -> None:
    chart = daily_yield(a_day_each([10, 12, 12, None, 14, 15], last=days_before(1)), scene())
    assert days(chart) == [("known", 2), ("known", 0), ("unknown", None), ("known", 1)]
    assert hatched(chart) == [("2026-03-28 00:00", "2026-03-30 00:00", "no reading")]
    assert told(chart) == [
        ("2026-03-30", "1", ""),
        ("2026-03-29", "", "no reading on the day before: 2 kWh in 2 days"),
        ("2026-03-28", "", "no reading"),
        ("2026-03-27", "0", ""),
        ("2026-03-26", "2", ""),
    ]
    assert chart.key == [
        "How far the register went up each day.",
        "Hatched: no reading on that day or the day before.",
        "A tick on the line: a day of 0.00 kWh.",
    ]


def test_a_silence_is_hatched_to_now_and_named() -> None:
    chart = daily_yield(a_day_each([1, 2], last=days_before(44)), scene())
    assert hatched(chart) == [("2026-02-16 00:00", "2026-03-31 13:00", "silent for 44 days")]
    assert told(chart)[0] == ("2026-02-16 to 2026-03-31", "", "silent for 44 days")


@pytest.mark.parametrize(
    ("hours", "is_missing"),
    [
        pytest.param(1, False, id="today"),
        pytest.param(35, False, id="late"),
        pytest.param(37, True, id="a gap"),
    ],
)
def test_a_day_whose_reading_may_be_on_its_way_is_not_missing(hours: int, is_missing: bool) -> None:
    last = NOON - timedelta(hours=hours)
    assert bool(hatched(daily_yield(a_day_each([1, 2], last=last), scene()))) == is_missing


def test_today_is_told_apart_from_days_that_are_over_and_has_its_place() -> None:
    chart = daily_yield(ago({2: 10, 1: 15, 0.25: 16}), scene())
    assert days(chart) == [("known", 5), ("so_far", 1)]
    assert told(chart)[0] == ("2026-03-31", "1", "so far, until 07:00")
    assert chart.data["to"] == "2026-04-01 00:00"
    assert chart.key[-1] == "Pale: today so far."


def test_a_reading_at_midnight_counts_for_the_day_that_ends() -> None:
    midnights = [datetime(2026, 3, day, tzinfo=LONDON).astimezone(UTC) for day in (27, 28, 29, 30, 31)]
    sent = readings(dict(zip(midnights, (10, 12, 15, 19, 24), strict=True)))
    found = {day.day: day.value for day in yields(sent, NOON, LONDON)}
    assert found == {date(2026, 3, 27): 2, date(2026, 3, 28): 3, date(2026, 3, 29): 4, date(2026, 3, 30): 5}


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        pytest.param("2026-03-31T00:00:00+01:00", "Europe/London", "2026-03-30", id="midnight"),
        pytest.param("2026-03-31T00:00:01+01:00", "Europe/London", "2026-03-31", id="a second later"),
        pytest.param("2026-03-31T00:00:00+00:00", "Europe/London", "2026-03-31", id="midnight elsewhere"),
        pytest.param("2026-03-31T00:00:00+13:45", "Pacific/Chatham", "2026-03-30", id="odd offset"),
        pytest.param("2026-04-24T01:00:00+03:00", "Africa/Cairo", "2026-04-23", id="clocks skip midnight"),
    ],
)
def test_the_day_of_a_reading(instant: str, zone: str, day: str) -> None:
    assert str(day_of(datetime.fromisoformat(instant), ZoneInfo(zone))) == day


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        pytest.param([100, 105, 108], {}, id="rises"),
        pytest.param([100, 105, 104.5, 108], {}, id="creeps back at night"),
        pytest.param([100, 105, 0, 108, 112], {2: "fell", 3: "came_back"}, id="a zero between"),
        pytest.param([100, 105, 0, 0, 0, 114], {2: "fell", 5: "came_back"}, id="zeroes between"),
        pytest.param([100, 105, 0, 3, 6, 9], {2: "fell"}, id="a new meter"),
        pytest.param([8, 10, 0, 3, 6, 9, 12, 15], {2: "fell"}, id="a new meter that passes the old one"),
        pytest.param([100, 105, 999_999, 110, 113], {2: "leapt", 3: "fell"}, id="a leap between"),
        pytest.param([100, 90, 80], {1: "fell", 2: "fell"}, id="runs backwards"),
        pytest.param([100, 0, 100, 0, 100], {1: "fell", 2: "came_back", 3: "fell", 4: "came_back"},
                     id="to and fro"),
        pytest.param([], {}, id="nothing"),
    ],
)  # fmt: skip
def test_which_steps_of_a_register_are_no_yield(values: list[float], steps: dict[int, str]) -> None:
    assert steps_of_falls([each.reading_value for each in a_day_each(values)]) == steps


def test_a_fall_and_its_return_are_marks_and_no_bars() -> None:
    real = [1_215_327_400, 1_215_327_432, 0, 1_215_345_392, 1_215_345_400]
    chart = daily_yield(a_day_each(real, last=days_before(1)), scene())
    assert days(chart) == [("known", 32), ("fell", None), ("came_back", None), ("known", 8)]
    notes = [note for *_, note in told(chart)]
    assert notes[1:3] == [
        "the register came back from 0 to 1,215,345,392 kWh",
        "the register fell from 1,215,327,432 to 0 kWh",
    ]
    assert "A triangle: the register fell, leapt or came back, which is no yield." in chart.key


def test_the_first_day_is_compared_with_the_reading_before_the_axis() -> None:
    chart = daily_yield(a_day_each([1, 3, 6], last=days_before(1)), scene(days=2.5))
    assert days(chart) == [("known", 2), ("known", 3)]


def test_jobs_and_snoozes_stand_beside_the_yield_too() -> None:
    job = Job(id=7, created_at=days_before(1.5))
    snoozed = [(days_before(1), NOON)]
    chart = daily_yield(a_day_each([1, 2]), scene(jobs=[job], snoozes=snoozed, days_threshold=0))
    assert [mark["text"] for mark in chart.data["marks"]] == ["job 7 opened"]
    assert [band["kind"] for band in chart.data["bands"]] == ["snoozed"]


@pytest.mark.parametrize("sent", [[], [reading(NOON, 5)]], ids=["nothing", "a single reading"])
def test_without_two_days_there_is_no_yield(sent: Sequence[object]) -> None:
    assert daily_yield(sent, scene()).data["series"][0]["days"] == []  # type: ignore[arg-type]
