"""Of many readings, those that a chart can show: on both databases."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.models import Reading
from jobauto.sites.history import history, newest
from jobauto.sites.thinning import BUCKETS, edges, midnights, thinned
from tests.fleets import NOON, add_site, days_before
from tests.sites.readings import LONDON

MIDNIGHT = datetime(2026, 3, 30, 23, tzinfo=UTC)
"""The beginning of the 31st in London."""
QUARTER = timedelta(minutes=15)


def every(step: timedelta, days: float) -> dict[datetime, int]:
    """A register that goes up by one with each reading up to noon."""
    count = int(timedelta(days=days) / step)
    return {NOON - step * (count - 1 - place): 1000 + place for place in range(count)}


def test_of_each_bucket_first_last_lowest_and_highest_are_kept_with_their_instants(app: Flask) -> None:
    hours = [timedelta(hours=hour) for hour in (0, 1, 2, 3, 4, 5, 6, 24, 25)]
    values = [7, 20, 21, 3, 22, 90, 23, 24, 25]
    key = add_site(readings={MIDNIGHT + hour: kwh for hour, kwh in zip(hours, values, strict=True)})
    add_site("other", {MIDNIGHT + timedelta(hours=2): -1})
    days = [MIDNIGHT, MIDNIGHT + timedelta(days=1), MIDNIGHT + timedelta(days=2)]

    rows = db.session.execute(thinned(Reading, (Reading.site_key == key,), days)).all()

    found = [((row.reading_date - MIDNIGHT) / timedelta(hours=1), int(row.reading_value)) for row in rows]
    assert found == [(1, 20), (3, 3), (5, 90), (24, 24), (25, 25)], "what is at an edge is of the day before"
    assert [row.number for row in rows] == [7, 7, 7, 7, 1]


@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe", "America/New_York"])
@pytest.mark.parametrize("days", [1, 10, 60, 180, 360])
def test_the_edges_of_buckets_have_all_local_midnights_among_them(zone: str, days: int) -> None:
    local = ZoneInfo(zone)
    start = datetime(2026, 3, 1, tzinfo=local).astimezone(UTC)
    found = edges(start, start + timedelta(days=days), local)
    assert found == sorted(set(found))
    assert set(midnights(start, start + timedelta(days=days), local)) <= set(found)
    assert len(found) <= 2 * BUCKETS + 2


def test_over_years_a_bucket_has_several_days() -> None:
    assert len(edges(days_before(3650), NOON, LONDON)) <= 2 * BUCKETS + 2


@pytest.mark.parametrize(
    ("step", "most"), [(QUARTER, 700), (timedelta(minutes=1), 1000), (timedelta(days=1), 62)]
)
def test_a_chart_is_drawn_from_some_hundreds_of_readings_whatever_a_meter_sends(
    app: Flask, step: timedelta, most: int
) -> None:
    key = add_site(readings=every(step, days=70 if step >= QUARTER else 10))
    found = history(key, NOON, LONDON)
    assert found
    assert len(found.readings) <= most
    assert found.readings[-1].reading_date == NOON


@pytest.mark.parametrize(
    ("sent", "start", "first"),
    [
        pytest.param([70, 10, 0], "2026-01-30 00:00", 70, id="with the reading before the axis"),
        pytest.param([10, 9, 0], "2026-03-21 00:00", 10, id="from the day of the first reading"),
        pytest.param([200, 90], "2025-12-01 00:00", 200, id="longer where nothing came for long"),
        pytest.param([-1, 10], "2026-03-21 00:00", 10, id="without what is to come"),
    ],
)
def test_how_far_back_the_readings_of_a_chart_go(
    app: Flask, sent: Sequence[float], start: str, first: float
) -> None:
    found = history(add_site(readings={days_before(days): 1 for days in sent}), NOON, LONDON)
    assert found
    assert f"{found.start.astimezone(LONDON):%Y-%m-%d %H:%M}" == start
    assert found.readings[0].reading_date == days_before(first)


def test_a_site_that_never_reported_has_no_history(app: Flask) -> None:
    assert history(add_site(), NOON, LONDON) is None


@pytest.mark.parametrize(
    ("step", "found"),
    [
        pytest.param(timedelta(days=1), [None] * 10, id="daily"),
        pytest.param(QUARTER, [52, 96, 92, *[96] * 7], id="quarter-hourly, over a clock change"),
    ],
)
def test_the_newest_readings_are_told_by_day_where_there_are_many_a_day(
    app: Flask, step: timedelta, found: list[int | None]
) -> None:
    key = add_site(readings=every(step, days=20))
    rows = newest((Reading.site_key == key,), 10, LONDON)
    assert [getattr(row, "number", None) for row in rows] == found
    assert rows[0].reading_date == NOON
