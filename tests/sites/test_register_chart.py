"""What the chart of a register shows, and what the table beside it says."""

from datetime import timedelta
from typing import Any

import pytest

from jobauto.models import Event, Job
from jobauto.sites.charts import Chart, register
from jobauto.sites.scene import snoozes, start_before
from tests.fleets import NOON, days_before
from tests.sites.readings import a_day_each, ago, scene


def line(chart: Chart, series: int = 0) -> list[float | None]:
    """The values of a line; None is a break."""
    return [kwh for _, kwh in chart.data["series"][series]["points"]]


def bands(chart: Chart) -> list[tuple[str, str, str, str]]:
    return [tuple(band.values()) for band in chart.data["bands"]]


def marks(chart: Chart) -> list[tuple[str, str, str]]:
    return [tuple(mark.values()) for mark in chart.data["marks"]]


def told(chart: Chart) -> list[tuple[str, str, str]]:
    return [(row.when, "" if row.value is None else f"{row.value}", row.note) for row in chart.rows]


def test_the_axis_ends_at_now_and_not_at_the_last_reading() -> None:
    chart = register(ago({50: 1, 44: 2}), scene())
    assert (chart.data["from"], chart.data["to"]) == ("2026-01-30 12:00", "2026-03-31 13:00")


def test_the_silence_after_the_last_reading_is_shaded_named_and_told() -> None:
    chart = register(ago({45.5: 1, 44.5: 2}), scene())
    since, until = "2026-02-15 00:00", "2026-03-31 13:00"
    assert bands(chart) == [("silent", since, until, "silent for 44 days")]
    assert told(chart)[0] == (f"{since} to {until}", "", "silent for 44 days")
    assert chart.summary == "silent for 44 days"
    assert chart.key == [f"The last reading was 2 kWh at {since}."]


@pytest.mark.parametrize(
    ("sent", "drawn", "silences"),
    [
        pytest.param({2: 1, 1: 2, 0: 3}, [1, 2, 3], [], id="a reading a day"),
        pytest.param({2.4: 1, 1: 2, 0: 3}, [1, 2, 3], [], id="a daily reading that comes late"),
        pytest.param({3: 1, 1: 2, 0: 3}, [1, None, 2, 3], ["silent for 2 days"], id="a day without"),
        pytest.param({4: 1, 0.43: 2, 0: 3}, [1, None, 2, 3], ["silent for 3 days"], id="3.57 days"),
        pytest.param({30: 1, 7: 2, 0: 3}, [1, None, 2, None, 3], ["silent for 23 days", "silent for 7 days"],
                     id="two gaps"),
    ],
)  # fmt: skip
def test_a_line_breaks_where_readings_are_missing(
    sent: dict[float, int], drawn: list[float | None], silences: list[str]
) -> None:
    chart = register(ago(sent), scene())
    assert line(chart) == drawn
    assert [text for *_, text in bands(chart)] == silences


def test_a_reading_before_the_axis_begins_a_silence_and_is_not_drawn() -> None:
    chart = register(ago({70: 1, 50: 2, 49: 3}), scene(60, now=days_before(49)))
    assert line(chart) == [2, 3]
    assert bands(chart) == [("silent", "2026-01-30 12:00", "2026-02-09 12:00", "silent for 20 days")]
    assert told(chart)[-1][0] == "2026-01-20 12:00 to 2026-02-09 12:00", "the words tell all of it"


@pytest.mark.parametrize(
    ("values", "floor"),
    [([0, 0, 0.5], 0), ([5, 5], 0), ([3, -0.01, 2], None), ([-5, -3], None), ([], 0)],
)
def test_the_axis_of_a_register_goes_below_zero_only_where_the_register_does(
    values: list[float], floor: int | None
) -> None:
    assert register(a_day_each(values), scene()).data["floor"] == floor


@pytest.mark.parametrize(
    ("last", "days_threshold", "at"),
    [
        pytest.param(44, 3, "2026-02-18 12:00", id="in the silence"),
        pytest.param(44, None, None, id="the site is not judged"),
        pytest.param(2, 3, None, id="not yet"),
        pytest.param(3, 3, "2026-03-31 13:00", id="just now"),
    ],
)
def test_the_threshold_is_marked_once_it_has_passed(
    last: float, days_threshold: int | None, at: str | None
) -> None:
    chart = register(ago({last: 1}), scene(days_threshold=days_threshold))
    assert marks(chart) == ([("threshold", at, "flagged after 3 days")] if at else [])
    assert [row for row in told(chart) if "flagged" in row[2]] == (
        [(at, "", "flagged after 3 days")] if at else []
    )


def test_jobs_are_marked_when_they_were_opened_recovered_and_closed() -> None:
    job = Job(id=7, created_at=days_before(9), recovered_at=days_before(5), closed_at=days_before(4))
    older = Job(id=3, created_at=days_before(90), closed_at=days_before(80))
    chart = register(a_day_each([1]), scene(jobs=[job, older]))
    assert marks(chart) == [
        ("opened", "2026-03-22 12:00", "job 7 opened"),
        ("recovered", "2026-03-26 12:00", "job 7 recovered"),
        ("closed", "2026-03-27 12:00", "job 7 closed"),
    ]
    assert [note for *_, note in told(chart)] == ["", "job 7 closed", "job 7 recovered", "job 7 opened"]


def test_a_register_that_stands_still_is_told_apart_up_to_its_last_reading() -> None:
    chart = register(ago({6: 4, 5: 5, 1: 5}), scene(flat_since=days_before(5)))
    assert bands(chart)[1] == ("flat", "2026-03-26 12:00", "2026-03-30 13:00", "no increase for 5 days")


def _event(days: float, until: float | None, field: str = "snoozed_until") -> Event:
    after = None if until is None else days_before(until).isoformat()
    return Event(at=days_before(days), field=field, after=after)


@pytest.mark.parametrize(
    ("events", "snoozed"),
    [
        pytest.param([(20, 10)], [(20, 10)], id="ended by itself"),
        pytest.param([(20, -10)], [(20, 0)], id="lasts"),
        pytest.param([(20, 10), (15, None)], [(20, 15)], id="woken early"),
        pytest.param([(20, 10), (15, 5)], [(20, 15), (15, 5)], id="for longer"),
        pytest.param([], [], id="never"),
    ],
)
def test_snoozes_are_read_from_the_history(
    events: list[tuple[float, float | None]], snoozed: list[tuple[float, float]]
) -> None:
    history = [_event(50, 3, field="group"), *(_event(*event) for event in events)]
    found = snoozes(history, NOON)
    assert found == [(days_before(since), days_before(until)) for since, until in snoozed]
    drawn = register(a_day_each([1, 2]), scene(snoozes=found))
    assert [kind for kind, *_ in bands(drawn)] == ["snoozed"] * len(snoozed)


def test_the_table_has_the_last_reading_of_each_day_newest_first() -> None:
    chart = register(ago({1.25: 1, 1: 2, 0.25: 3, 0: 4}), scene())
    assert told(chart) == [("2026-03-31 13:00", "4", ""), ("2026-03-30 13:00", "2", "")]
    assert line(chart) == [1, 2, 3, 4]


def test_what_a_job_was_opened_on_is_a_line_of_its_own() -> None:
    then = a_day_each([5, 5], last=days_before(1))
    job = Job(id=7, rule="zero_reads", created_at=days_before(1))
    chart = register(a_day_each([5, 6, 7]), scene(jobs=[job]), then)
    assert (line(chart), line(chart, 1)) == ([5, 6, 7], [5, 5])
    assert [series.get("colour") for series in chart.data["series"]] == [None, "orange"]


@pytest.mark.parametrize(
    ("silence", "days_shown"),
    [(0, 60), (44, 60), (60, 80), (274, 274 + 274 / 3), (3650, 3650 + 120)],
)
def test_however_long_a_silence_is_the_axis_has_room_for_the_readings_before_it(
    silence: float, days_shown: float
) -> None:
    shown = NOON - start_before(days_before(silence), NOON)
    assert shown / timedelta(days=1) == pytest.approx(days_shown)


def test_the_first_line_of_the_table_may_be_all_there_is() -> None:
    empty: dict[str, Any] = register([], scene(days_threshold=3)).data
    assert (empty["series"][0]["points"], empty["bands"], empty["marks"]) == ([], [], [])
