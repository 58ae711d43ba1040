"""No Coms: a site is flagged when no reading lies in the last days before the check."""

from datetime import timedelta

import pytest

from jobauto.rules.no_coms import NO_COMS, NoComsSettings
from tests.detection.ground import DAY, HOUR, MICROSECOND, NOON, OK, Ground, Verdict, before

NEVER = Verdict("flagged")


def silent(since: timedelta, days: int) -> Verdict:
    """Flagged, with the age of the last reading and the whole days since."""
    return Verdict("flagged", since=NOON - since, days=days)


def row(word: str, ages: list[timedelta], expected: Verdict, days_threshold: int = 3) -> object:
    """A row of the table."""
    return pytest.param(ages, days_threshold, expected, id=word)


TABLE = [
    row("a reading at the very instant", [0 * DAY], OK),
    row("a reading a microsecond ago", [MICROSECOND], OK),
    row("a microsecond less than 3 days old", [3 * DAY - MICROSECOND], OK),
    row("exactly 3 days old", [3 * DAY], silent(3 * DAY, 3)),
    row("a microsecond more than 3 days old", [3 * DAY + MICROSECOND], silent(3 * DAY + MICROSECOND, 3)),
    row("a microsecond less than 4 days old", [4 * DAY - MICROSECOND], silent(4 * DAY - MICROSECOND, 3)),
    row("exactly 4 days old", [4 * DAY], silent(4 * DAY, 4)),
    row("ten years old", [3650 * DAY], silent(3650 * DAY, 3650)),
    row("the newest of many counts", [30 * DAY, 9 * DAY, 5 * DAY], silent(5 * DAY, 5)),
    row("old ones beside a new one", [30 * DAY, 9 * DAY, HOUR], OK),
    row("no reading at all", [], NEVER),
    row("only a reading in the future", [-MICROSECOND], NEVER),
    row("an old one and one in the future", [-HOUR, 7 * DAY], silent(7 * DAY, 7)),
    row("threshold 1, a microsecond less than a day", [DAY - MICROSECOND], OK, 1),
    row("threshold 1, exactly a day", [DAY], silent(DAY, 1), 1),
    row("threshold 30, a microsecond less than 30 days", [30 * DAY - MICROSECOND], OK, 30),
    row("threshold 30, exactly 30 days", [30 * DAY], silent(30 * DAY, 30), 30),
]


@pytest.mark.parametrize(("ages", "days_threshold", "expected"), TABLE)
def test_silence_is_judged_to_the_microsecond(
    ground: Ground, ages: list[timedelta], days_threshold: int, expected: Verdict
) -> None:
    ground.site(before(*ages))

    assert ground.verdict(NO_COMS, NoComsSettings(days_threshold=days_threshold)) == expected


@pytest.mark.parametrize("ages", [[], [9 * DAY]], ids=["never reported", "silent"])
def test_an_inactive_site_gets_no_verdict(ground: Ground, ages: list[timedelta]) -> None:
    ground.site(before(*ages), active=False)

    assert ground.verdicts(NO_COMS, NoComsSettings()) == {}


def test_a_sites_own_readings_count_and_nobody_elses(ground: Ground) -> None:
    silent_one, _ = ground.site(before(8 * DAY)), ground.site(before(HOUR))
    forgotten = ground.site()

    assert ground.verdicts(NO_COMS, NoComsSettings()) == {silent_one: silent(8 * DAY, 8), forgotten: NEVER}
