"""What the chart of the daily yield shows of each day, and what the table beside it says."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from jobauto.models import Job, MeterChange, Reading
from jobauto.sites.charts import Chart, daily_yield
from jobauto.sites.days import Meters, yields
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
        "Hatched: no reading to go by on that day or the day before.",
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


ZERO_AND_BACK = [(1_215_327_400, 0, 0), (1_215_327_432, 0, 0), (0, 2, 0), (1_215_345_392, 0, 0)]
CHANGE = days_before(1.5)


def told_apart(values: Sequence[tuple[float, int, int]]) -> list[Reading]:
    """A reading a day up to yesterday of (kWh, quality, meter)."""
    days_ago = range(len(values), 0, -1)
    return [
        reading(days_before(days), kwh, quality=quality, meter=meter)
        for days, (kwh, quality, meter) in zip(days_ago, values, strict=True)
    ]


def test_a_day_of_which_every_reading_is_set_aside_is_hatched_and_no_bar() -> None:
    chart = daily_yield(told_apart(ZERO_AND_BACK), scene())
    assert days(chart) == [("known", 32), ("unknown", None)]
    assert hatched(chart) == [("2026-03-29 00:00", "2026-03-31 00:00", "no good reading")]


def test_a_silence_that_a_doubtful_reading_breaks_is_none() -> None:
    chart = daily_yield(told_apart([(5, 0, 0), (6, 0, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0)]), scene())
    assert [text for *_, text in hatched(chart)] == ["no good reading"]


@pytest.mark.parametrize(
    ("closing", "opening", "day"),
    [
        pytest.param("45212.50", "1.00", ("known", 4.27), id="both are known"),
        pytest.param("45212.50", None, ("changed", None), id="the opening is not"),
        pytest.param(None, "1.00", ("changed", None), id="the closing is not"),
        pytest.param("40000.00", "1.00", ("changed", None), id="it would be negative"),
    ],
)
def test_the_yield_over_a_meter_change(
    closing: str | None, opening: str | None, day: tuple[str, float | None]
) -> None:
    kwh = [None if given is None else Decimal(given) for given in (closing, opening)]
    changes = [MeterChange(changed_at=CHANGE, closing=kwh[0], opening=kwh[1], serial="A1")]
    sent = told_apart([(45200, 0, 0), (45210.33, 0, 0), (3.10, 0, 1)])

    chart = daily_yield(sent, scene(meters=Meters(changes=changes)))

    assert days(chart) == [("known", 10.33), day]
    assert [mark["text"] for mark in chart.data["marks"]] == ["meter changed to A1"]
    explained = "A triangle: the meter was changed, and what it made then is not known."
    assert (explained in chart.key) == (day[0] == "changed")


def test_a_meter_that_was_changed_at_noon_counts_with_both_parts_of_the_day() -> None:
    changes = [MeterChange(changed_at=days_before(1), closing=Decimal(107), opening=Decimal(2), serial="")]
    sent = [
        *ago({2.6: 100, 1.6: 104, 1.1: 106}),
        *(reading(each.reading_date, each.reading_value, meter=1) for each in ago({0.9: 3, 0.6: 5})),
    ]
    chart = daily_yield(sent, scene(meters=Meters(changes=changes)))
    assert days(chart)[-1] == ("known", 6), "107 - 104 of the old meter and 5 - 2 of the new one"


def test_of_two_changes_between_two_readings_both_count() -> None:
    changes = [
        MeterChange(changed_at=days_before(days), closing=Decimal(closing), opening=Decimal(0), serial="")
        for days, closing in ((1.7, 110), (1.3, 4))
    ]
    sent = told_apart([(100, 0, 0), (108, 0, 0), (3, 0, 1)])
    assert days(daily_yield(sent, scene(meters=Meters(changes=changes))))[-1] == ("known", 9)


def test_a_new_meter_that_only_its_readings_tell_of_has_no_yield_that_day() -> None:
    chart = daily_yield(told_apart([(100, 0, 0), (108, 0, 0), (3, 0, 1), (7, 0, 1)]), scene())
    assert days(chart) == [("known", 8), ("changed", None), ("known", 4)]
    assert [mark["text"] for mark in chart.data["marks"]] == ["new meter, by its readings"]


def test_a_yield_is_never_negative() -> None:
    chart = daily_yield(told_apart([(100, 0, 0), (99.5, 0, 0)]), scene())
    assert days(chart) == [("known", 0)]
    assert told(chart)[0][2] == "the register fell by 0.5 kWh"


def test_a_site_that_counts_down_makes_what_its_register_loses() -> None:
    chart = daily_yield(told_apart([(100, 0, 0), (90, 0, 0)]), scene(meters=Meters(counts_down=True)))
    assert days(chart) == [("known", 10)]


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
