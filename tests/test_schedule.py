"""Which local date's run is owed, when the next one is due, and what a changed schedule owes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from jobauto.settings.schedule import due_at, next_due, owed_from_after_change, owed_slot
from jobauto.settings.schema import ScheduleSettings

row = pytest.param

EVER = datetime(2026, 1, 1, tzinfo=UTC)
LONDON, HAVANA, NUUK = "Europe/London", "America/Havana", "America/Nuuk"
LA = "America/Los_Angeles"


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(f"{text}+00:00")


def schedule(run_time: str = "06:00", timezone: str = LONDON, enabled: bool = True) -> ScheduleSettings:
    """A schedule."""
    return ScheduleSettings(run_time=run_time, timezone=timezone, schedule_enabled=enabled)


OFF = schedule(enabled=False)


@pytest.mark.parametrize(
    ("day", "run_time", "zone", "expected"),
    [
        row("2026-02-10", "06:00", LONDON, "2026-02-10T06:00", id="winter"),
        row("2026-07-10", "06:00", LONDON, "2026-07-10T05:00", id="summer"),
        row("2026-03-29", "00:59", LONDON, "2026-03-29T00:59", id="before the gap"),
        row("2026-03-29", "01:30", LONDON, "2026-03-29T01:00", id="in the gap: its end"),
        row("2026-03-29", "01:00", LONDON, "2026-03-29T01:00", id="the gap's first minute"),
        row("2026-03-29", "02:00", LONDON, "2026-03-29T01:00", id="after the gap"),
        row("2026-10-25", "01:30", LONDON, "2026-10-25T00:30", id="twice: the first counts"),
        row("2026-10-25", "02:00", LONDON, "2026-10-25T02:00", id="after the doubled hour"),
        row("2026-03-08", "00:30", HAVANA, "2026-03-08T05:00", id="no midnight: 01:00 on the clocks"),
        row("2027-03-27", "22:59", NUUK, "2027-03-28T00:59", id="before the gap at the end of a date"),
        row("2027-03-27", "23:30", NUUK, "2027-03-28T01:00", id="in it: midnight, the next date"),
        row("2027-03-28", "23:30", NUUK, "2027-03-29T00:30", id="the date after"),
        row("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03T15:30", id="a gap of half an hour"),
        row("2026-03-29", "02:30", "Antarctica/Troll", "2026-03-29T01:00", id="a gap of two hours"),
        row("2026-11-01", "00:30", HAVANA, "2026-11-01T04:30", id="two midnights: the first counts"),
        row("2026-02-10", "06:00", "Pacific/Kiritimati", "2026-02-09T16:00", id="the day before"),
        row("2026-02-10", "23:59", "Pacific/Midway", "2026-02-11T10:59", id="the day after"),
    ],
)
def test_each_date_has_one_instant(day: str, run_time: str, zone: str, expected: str) -> None:
    assert due_at(schedule(run_time, zone), date.fromisoformat(day)) == at(expected)


@pytest.mark.parametrize(
    ("plan", "owed_from", "now", "expected"),
    [
        row(schedule(), EVER, "2026-02-10T05:59:59.999999", None, id="a microsecond early"),
        row(schedule(), EVER, "2026-02-10T06:00", "2026-02-10", id="on time"),
        row(schedule(), EVER, "2026-02-10T06:00:20", "2026-02-10", id="a tick late"),
        row(schedule(), EVER, "2026-02-10T09:00", "2026-02-10", id="started at nine"),
        row(schedule(), EVER, "2026-02-10T23:59:59", "2026-02-10", id="the date's last second"),
        row(schedule(), EVER, "2026-02-11T00:00", None, id="a missed day is not made up"),
        row(schedule(), EVER, "2026-02-20T07:00", "2026-02-20", id="one after ten days down"),
        row(OFF, EVER, "2026-02-10T06:00", None, id="switched off"),
        row(schedule(), at("2026-02-10T14:00"), "2026-02-10T14:01", None, id="made in the afternoon"),
        row(schedule(), at("2026-02-10T14:00"), "2026-02-11T06:00", "2026-02-11", id="and next day"),
        row(schedule(), at("2026-02-10T06:00"), "2026-02-10T06:01", "2026-02-10", id="made on time"),
        row(schedule(), at("2026-02-10T06:00:01"), "2026-02-10T06:02", None, id="a second too late"),
        row(schedule("23:59"), EVER, "2026-02-10T23:59:30", "2026-02-10", id="the last minute"),
        row(schedule("00:00"), EVER, "2026-02-10T00:00", "2026-02-10", id="midnight"),
        row(schedule("01:30"), EVER, "2026-03-29T00:59:59", None, id="the skipped hour, before"),
        row(schedule("01:30"), EVER, "2026-03-29T01:00", "2026-03-29", id="the skipped hour"),
        row(schedule("01:30"), EVER, "2026-10-25T00:30", "2026-10-25", id="the doubled, first"),
        row(schedule("01:30"), EVER, "2026-10-25T01:30", "2026-10-25", id="the doubled, again"),
        row(schedule("00:30", HAVANA), EVER, "2026-03-08T04:59", "2026-03-07", id="Havana, before the gap"),
        row(schedule("00:30", HAVANA), EVER, "2026-03-08T05:00", "2026-03-08", id="Havana, spring"),
        row(schedule("23:30", NUUK), EVER, "2027-03-28T00:59:59", None, id="Nuuk, before the gap"),
        row(schedule("23:30", NUUK), EVER, "2027-03-28T01:00", "2027-03-27", id="Nuuk, at its end"),
        row(schedule("23:30", NUUK), EVER, "2027-03-29T00:29:59", "2027-03-27", id="caught up all day"),
        row(schedule("23:30", NUUK), EVER, "2027-03-29T00:30", "2027-03-28", id="until the next is due"),
        row(schedule("23:30", NUUK), at("2027-03-28T01:01"), "2027-03-28T02:00", None, id="made after it"),
        row(schedule("22:00", NUUK), EVER, "2027-03-28T01:00", None, id="no gap: a missed day"),
        row(schedule("00:30", HAVANA), EVER, "2026-11-01T04:30", "2026-11-01", id="Havana, autumn"),
        row(schedule("00:30", HAVANA), EVER, "2026-11-01T05:30", "2026-11-01", id="and the 2nd time"),
        row(
            schedule(timezone="Pacific/Kiritimati"), EVER, "2026-02-09T16:00", "2026-02-10", id="a zone ahead"
        ),
        row(schedule(timezone="Pacific/Midway"), EVER, "2026-02-10T10:00", "2026-02-09", id="a zone behind"),
    ],
)
def test_the_owed_slot(plan: ScheduleSettings, owed_from: datetime, now: str, expected: str | None) -> None:
    slot = owed_slot(plan, owed_from, at(now))

    assert (slot.isoformat() if slot else None) == expected


@pytest.mark.parametrize(
    ("plan", "owed_from", "now", "done", "expected"),
    [
        row(schedule(), EVER, "2026-02-10T05:00", [], "2026-02-10T06:00", id="to come today"),
        row(schedule(), EVER, "2026-02-10T08:00", [], "2026-02-10T06:00", id="overdue"),
        row(schedule(), EVER, "2026-02-10T08:00", [0], "2026-02-11T06:00", id="done"),
        row(schedule(), EVER, "2026-02-10T05:00", [0], "2026-02-11T06:00", id="done, then moved"),
        row(schedule(), EVER, "2026-02-10T08:00", [1], "2026-02-10T06:00", id="tomorrow's done, not today's"),
        row(schedule(), EVER, "2026-02-10T08:00", [0, 1, 2], "2026-02-13T06:00", id="three done"),
        row(OFF, EVER, "2026-02-10T05:00", [], None, id="off"),
        row(schedule(), at("2026-02-10T14:00"), "2026-02-10T14:01", [], "2026-02-11T06:00", id="not owed"),
        row(
            schedule(), at("2026-02-20T14:00"), "2026-02-10T14:01", [], "2026-02-21T06:00", id="nor for days"
        ),
        row(schedule(), EVER, "2026-03-28T12:00", [0], "2026-03-29T05:00", id="over the change"),
        row(schedule("00:30", HAVANA), EVER, "2026-03-08T04:00", [-1, 0], "2026-03-09T04:30", id="gap, done"),
        row(schedule("00:30", HAVANA), EVER, "2026-03-08T05:10", [], "2026-03-08T05:00", id="gap, overdue"),
        row(schedule("23:30", NUUK), EVER, "2027-03-28T00:30", [], "2027-03-28T01:00", id="to come"),
        row(
            schedule("23:30", NUUK), EVER, "2027-03-28T01:30", [], "2027-03-28T01:00", id="overdue, next date"
        ),
        row(schedule("23:30", NUUK), EVER, "2027-03-28T01:30", [-1], "2027-03-29T00:30", id="done then"),
        # 06:00 of the 27th has been done in Auckland, and it is the 26th in Los Angeles
        row(schedule(timezone=LA), EVER, "2026-11-26T18:00", [0, 1], "2026-11-28T14:00", id="moved west"),
        row(schedule(timezone=LA), EVER, "2026-11-26T13:00", [1], "2026-11-26T14:00", id="and still to come"),
    ],
)
def test_the_next_run_is_due(
    plan: ScheduleSettings, owed_from: datetime, now: str, done: list[int], expected: str | None
) -> None:
    """``done`` are days after the one that it is in UTC."""
    days = {at(now).date() + timedelta(days=ahead) for ahead in done}
    assert next_due(plan, owed_from, at(now), days) == (at(expected) if expected else None)


MADE = at("2026-02-10T14:00")
"""The database was made in the afternoon: the run of six o'clock is not owed."""
KIRITIMATI, HONOLULU = "Pacific/Kiritimati", "Pacific/Honolulu"


@pytest.mark.parametrize(
    ("before", "after", "owed_from", "now", "expected"),
    [
        row(OFF, schedule(), EVER, "2026-02-10T09:00", None, id="on after the time"),
        row(OFF, schedule(), EVER, "2026-02-10T05:00", None, id="on before the time: later"),
        row(OFF, schedule("10:00"), EVER, "2026-02-10T10:00", "2026-02-10", id="on at the time"),
        row(OFF, schedule("08:00"), EVER, "2026-02-10T09:00", None, id="on, and moved to earlier"),
        row(schedule(), OFF, EVER, "2026-02-10T09:00", None, id="off while overdue"),
        row(OFF, OFF, EVER, "2026-02-10T09:00", None, id="off it stays"),
        row(schedule("18:00"), schedule("09:00"), EVER, "2026-02-10T12:00", "2026-02-10", id="earlier"),
        row(schedule("18:00"), schedule("09:00"), MADE, "2026-02-10T15:00", "2026-02-10", id="before made"),
        row(schedule("18:00"), schedule("15:00"), MADE, "2026-02-10T15:00", "2026-02-10", id="to now"),
        row(schedule("18:00"), schedule("16:00"), MADE, "2026-02-10T15:00", None, id="not yet due"),
        row(schedule("06:00"), schedule("10:00"), MADE, "2026-02-10T15:00", None, id="not owed, not made so"),
        row(schedule("06:00"), schedule("05:00"), EVER, "2026-02-10T07:00", "2026-02-10", id="overdue"),
        row(schedule("06:00"), schedule("20:00"), EVER, "2026-02-10T07:00", None, id="to later"),
        row(schedule(), schedule(), MADE, "2026-02-10T15:00", None, id="nothing of it changed"),
        # the run of this date was to come in Honolulu, and is past in London
        row(schedule(timezone=HONOLULU), schedule(), EVER, "2026-02-10T12:00", "2026-02-10", id="zone ahead"),
        row(schedule(), schedule(timezone=HONOLULU), EVER, "2026-02-10T12:00", None, id="zone behind"),
        # 15:00 in London is 05:00 of the next date in Kiritimati
        row(
            schedule(),
            schedule("04:00", KIRITIMATI),
            MADE,
            "2026-02-10T15:00",
            "2026-02-11",
            id="next date, owed",
        ),
        row(
            schedule(),
            schedule("03:00", KIRITIMATI),
            MADE,
            "2026-02-10T15:00",
            None,
            id="next date, not owed",
        ),
        # ... and 15:00 of the date before, whose run was due before the database was made
        row(
            schedule("06:00", KIRITIMATI),
            schedule(),
            MADE,
            "2026-02-10T15:00",
            None,
            id="back a date, not owed",
        ),
    ],
)
def test_a_change_owes_at_once(
    before: ScheduleSettings, after: ScheduleSettings, owed_from: datetime, now: str, expected: str | None
) -> None:
    bound = owed_from_after_change(before, after, owed_from, at(now))
    slot = owed_slot(after, bound, at(now))

    assert (slot.isoformat() if slot else None) == expected


def test_after_switching_on_before_the_time_the_run_of_that_date_is_owed() -> None:
    bound = owed_from_after_change(OFF, schedule(), EVER, at("2026-02-10T05:00"))

    assert owed_slot(schedule(), bound, at("2026-02-10T06:00")) == date(2026, 2, 10)


def test_there_and_back_again_owes_at_once() -> None:
    """Made at two, moved from six to eight in the evening at three, and at four to noon."""
    evening, noon = schedule("20:00"), schedule("12:00")
    bound = owed_from_after_change(schedule(), evening, MADE, at("2026-02-10T15:00"))
    bound = owed_from_after_change(evening, noon, bound, at("2026-02-10T16:00"))

    assert owed_slot(noon, bound, at("2026-02-10T16:00")) == date(2026, 2, 10)
