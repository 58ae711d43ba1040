"""How often a fault has come, and what its closing leads to, in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobauto.jobs.recurrence import after_closing, ordinal, recurrence
from jobauto.models import Job
from jobauto.settings.schema import Settings

LONDON = ZoneInfo("Europe/London")


def job(number: int, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> Job:
    return Job(id=number, created_at=datetime(year, month, day, hour, minute, tzinfo=UTC))


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st")],
)
def test_a_place_is_written_as_people_do(number: int, text: str) -> None:
    assert ordinal(number) == text


@pytest.mark.parametrize(
    ("earlier", "headline"),
    [
        ([job(2, 2026, 10, 1), job(1, 2026, 9, 3)], "3rd time since September"),
        ([job(1, 2026, 11, 3)], "2nd time since 3 November"),
        ([job(1, 2025, 12, 3)], "2nd time since December 2025"),
        ([job(1, 2026, 8, 31, 23, 30)], "2nd time since September"),
    ],
    ids=["months", "this month", "last year", "the day that it was there"],
)
def test_it_is_counted_since_the_first_one(earlier: list[Job], headline: str) -> None:
    found = recurrence(job(9, 2026, 11, 26), earlier, LONDON)
    assert found
    assert (found.headline, found.former) == (headline, earlier[0])


def test_the_first_one_has_come_back_from_nowhere() -> None:
    assert recurrence(job(9, 2026, 11, 26), [], LONDON) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "The next run opens a new job."),
        (
            {"reopen_after_days": 5},
            "A new job comes 5 days after the closing, unless the site recovers in between.",
        ),
        ({"enabled": False}, "The rule is switched off, so no run opens a new job."),
    ],
    ids=["at once", "later", "off"],
)
def test_what_follows_a_closing_is_as_the_settings_say(changes: dict[str, object], says: str) -> None:
    assert after_closing(Settings().changed({"NO_COMS": changes}).rule("no_coms")) == says
