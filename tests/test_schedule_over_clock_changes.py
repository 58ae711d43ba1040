"""Over every odd change of the clocks each date has one run, and what a page promises happens."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobauto.settings.schedule import due_at, next_due, owed_slot, slots_open
from jobauto.settings.schema import ScheduleSettings, time_zones

EVER = datetime(1990, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
QUARTER = 15 * MINUTE
FIRST, LAST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)


@cache
def changes(zone: str) -> list[datetime]:
    """The instants, to the minute, at which a zone's clocks change."""
    return [
        _when(zone, *days) for days in pairwise(_days()) if _offset(zone, days[0]) != _offset(zone, days[1])
    ]


@cache
def _days() -> list[datetime]:
    return [FIRST + 5 * number * DAY for number in range((LAST - FIRST) // (5 * DAY))]


def _offset(zone: str, instant: datetime) -> timedelta | None:
    return instant.astimezone(ZoneInfo(zone)).utcoffset()


def _when(zone: str, before: datetime, after: datetime) -> datetime:
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        before, after = (
            (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
        )
    return after


@st.composite
def schedules(draw: st.DrawFn) -> tuple[ScheduleSettings, datetime]:
    """A schedule in any zone, and an instant: mostly near a change of its clocks, and its time near, too."""
    zone = draw(st.sampled_from(sorted(time_zones())))
    near = draw(st.sampled_from(changes(zone))) if changes(zone) else FIRST
    shown = near.astimezone(ZoneInfo(zone)) + draw(st.integers(-130, 130)) * MINUTE
    clock = draw(st.sampled_from([shown.strftime("%H:%M"), "00:00", "23:59", "06:00"]))
    now = near + draw(st.integers(-48 * 60, 48 * 60)) * MINUTE
    return ScheduleSettings(run_time=clock, timezone=zone), now


@given(planned=schedules(), done=st.sets(st.integers(-2, 3)), owed=st.integers(-72, 72))
def test_what_is_promised_happens_where_nothing_else_does(
    planned: tuple[ScheduleSettings, datetime], done: set[int], owed: int
) -> None:
    plan, now = planned
    owed_from = now + owed * timedelta(hours=1)
    taken = {now.astimezone(plan.zone).date() + ahead * DAY for ahead in done}
    promised = next_due(plan, owed_from, now, taken)
    assert promised
    at = max(now, promised)
    slot = owed_slot(plan, owed_from, at)
    assert slot is not None
    assert slot not in taken
    assert due_at(plan, slot) == promised
    before = owed_slot(plan, owed_from, promised - MINUTE)
    assert before != slot, "no sooner"


@given(planned=schedules())
def test_each_date_has_one_run_at_its_time(planned: tuple[ScheduleSettings, datetime]) -> None:
    assert_each_date_has_one_run(*planned)


@pytest.mark.parametrize(
    ("zone", "near"),
    [
        pytest.param("America/Nuuk", "2027-03-28", id="a gap at the end of a date"),
        pytest.param("America/Nuuk", "2027-10-31", id="the last hour of a date twice"),
        pytest.param("America/Scoresbysund", "2027-03-28", id="the same, one hour east"),
        pytest.param("America/Havana", "2026-03-08", id="a gap at midnight"),
        pytest.param("America/Havana", "2026-11-01", id="the first hour of a date twice"),
        pytest.param("Asia/Beirut", "2027-03-28", id="a gap at midnight further east"),
        pytest.param("Australia/Lord_Howe", "2026-10-03", id="a gap of half an hour"),
        pytest.param("Antarctica/Troll", "2026-03-29", id="a gap of two hours"),
        pytest.param("Africa/Casablanca", "2026-02-15", id="the clocks of Ramadan"),
        pytest.param("Pacific/Apia", "2011-12-30", id="a date that never was"),
        pytest.param("Pacific/Kwajalein", "1993-08-21", id="another"),
        pytest.param("Asia/Pyongyang", "2018-05-04", id="a gap of half an hour at the end of a date"),
        pytest.param("America/Caracas", "2016-05-01", id="a gap of half an hour in the night"),
        pytest.param("America/St_Johns", "2010-11-07", id="a date that ends twice"),
    ],
)
@pytest.mark.parametrize(
    "clock",
    [
        "00:00",
        "00:01",
        "00:15",
        "00:30",
        "01:30",
        "02:00",
        "02:15",
        "06:00",
        "23:00",
        "23:30",
        "23:45",
        "23:59",
    ],
)
def test_each_date_has_one_run_over_the_oddest_changes(zone: str, near: str, clock: str) -> None:
    middle = datetime.fromisoformat(near).replace(hour=12, tzinfo=UTC)
    assert_each_date_has_one_run(ScheduleSettings(run_time=clock, timezone=zone), middle)


def assert_each_date_has_one_run(plan: ScheduleSettings, middle: datetime) -> None:
    started = {}
    for tick in _ticks(plan, middle, 3 * DAY):
        slot = owed_slot(plan, EVER, tick)
        if slot is not None and slot not in started:
            started[slot] = tick
    shown = sorted({tick.astimezone(plan.zone).date() for tick in _ticks(plan, middle, 2 * DAY)})
    assert [day for day in sorted(started) if shown[0] <= day <= shown[-1]] == shown
    assert {day: started[day] for day in shown[1:-1]} == {day: due_at(plan, day) for day in shown[1:-1]}


def _ticks(plan: ScheduleSettings, middle: datetime, around: timedelta) -> Iterator[datetime]:
    """The minutes at which clocks may show the plan's time, or change: at a quarter or a minute after it."""
    minutes = sorted({0, 1, int(plan.run_time[-2:]) % 15})
    first = (middle - around).replace(minute=0)
    for quarter in range(2 * around // QUARTER):
        for minute in minutes:
            yield first + quarter * QUARTER + minute * MINUTE


@given(planned=schedules())
def test_today_may_always_be_done_and_at_most_one_date_before_it(
    planned: tuple[ScheduleSettings, datetime],
) -> None:
    plan, now = planned
    today: date = now.astimezone(plan.zone).date()
    *before, last = slots_open(plan, now)
    assert last == today
    assert before in ([], [today - DAY])
