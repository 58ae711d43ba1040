"""A site that never reported is new, not silent, while it is monitored for less than the threshold."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from jobauto.rules.moment import Moment
from jobauto.rules.no_coms import NO_COMS, NoComsSettings
from tests.detection.ground import DAY, LONDON, MOMENT, NEW_SITE, NOON, OK, Ground, Verdict, before

FLAGGED = Verdict("flagged")
HAVANA = ZoneInfo("America/Havana")
"""Here the clocks change at midnight: on 2026-03-08 the day begins at 01:00."""
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


@pytest.mark.parametrize(
    ("monitored_from", "expected"),
    [
        pytest.param(None, FLAGGED, id="no date means long ago"),
        pytest.param(date(2016, 2, 10), FLAGGED, id="ten years"),
        pytest.param(date(2026, 2, 6), FLAGGED, id="four days"),
        pytest.param(date(2026, 2, 7), FLAGGED, id="three and a half days"),
        pytest.param(date(2026, 2, 8), NEW_SITE, id="two and a half days"),
        pytest.param(date(2026, 2, 10), NEW_SITE, id="since today"),
        pytest.param(date(2026, 2, 11), NEW_SITE, id="from tomorrow"),
    ],
)
def test_only_a_site_older_than_the_threshold_is_flagged(
    ground: Ground, monitored_from: date | None, expected: Verdict
) -> None:
    ground.site(monitored_from=monitored_from)

    assert ground.verdict(NO_COMS, NoComsSettings()) == expected


@pytest.mark.parametrize(
    ("as_of", "zone", "monitored_from", "expected"),
    [
        pytest.param("2026-02-10T00:00Z", LONDON, "2026-02-07", FLAGGED, id="72 hours"),
        pytest.param("2026-02-09T23:59:59.999999Z", LONDON, "2026-02-07", NEW_SITE, id="a microsecond less"),
        # the night of 29 March has 23 hours
        pytest.param("2026-03-30T23:00Z", LONDON, "2026-03-28", NEW_SITE, id="spring, 3 dates but 71 hours"),
        pytest.param("2026-03-31T00:00Z", LONDON, "2026-03-28", FLAGGED, id="spring, 72 hours"),
        # that of 25 October has 25
        pytest.param("2026-10-26T23:00Z", LONDON, "2026-10-24", FLAGGED, id="autumn, 72 hours"),
        pytest.param("2026-10-26T22:59:59.999999Z", LONDON, "2026-10-24", NEW_SITE, id="autumn, just less"),
        pytest.param("2026-03-11T05:00Z", HAVANA, "2026-03-08", FLAGGED, id="no midnight, 72 hours"),
        pytest.param("2026-03-11T04:59:59.999999Z", HAVANA, "2026-03-08", NEW_SITE, id="no midnight, less"),
        pytest.param(
            "2026-11-04T04:00Z", HAVANA, "2026-11-01", FLAGGED, id="two midnights, the first counts"
        ),
        pytest.param("2026-11-04T03:59:59Z", HAVANA, "2026-11-01", NEW_SITE, id="two midnights, less"),
        pytest.param("2026-02-09T10:00Z", KIRITIMATI, "2026-02-07", FLAGGED, id="14 hours ahead, 72 hours"),
        pytest.param("2026-02-09T09:59:59Z", KIRITIMATI, "2026-02-07", NEW_SITE, id="14 hours ahead, less"),
    ],
)
def test_the_date_begins_in_the_schedules_zone_and_days_have_24_hours(
    ground: Ground, as_of: str, zone: ZoneInfo, monitored_from: str, expected: Verdict
) -> None:
    ground.site(monitored_from=date.fromisoformat(monitored_from))

    moment = Moment(datetime.fromisoformat(as_of), zone)
    assert ground.verdict(NO_COMS, NoComsSettings(), moment) == expected


def test_a_new_site_with_only_a_reading_in_the_future_is_still_new(ground: Ground) -> None:
    ground.site(before(-DAY), monitored_from=date(2026, 2, 9))

    assert ground.verdict(NO_COMS, NoComsSettings()) == NEW_SITE


def test_a_young_site_that_reported_once_and_fell_silent_is_flagged(ground: Ground) -> None:
    ground.site(before(5 * DAY), monitored_from=date(2026, 2, 9))

    assert ground.verdict(NO_COMS, NoComsSettings(), MOMENT) == Verdict(
        "flagged", since=NOON - 5 * DAY, days=5
    )


def test_a_site_that_reports_before_its_date_is_ok(ground: Ground) -> None:
    ground.site(before(DAY), monitored_from=date(2026, 2, 20))

    assert ground.verdict(NO_COMS, NoComsSettings()) == OK
