"""The charts of a site's and a job's page, and the tables that say the same."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.sites.thinning import midnight
from tests.fleets import add_readings, add_site, daily, days_before
from tests.pages.reading import words
from tests.people import Person
from tests.sites.readings import LONDON

QUARTER = timedelta(minutes=15)


def charts(page: TestResponse) -> dict[str, Any]:
    """The data of each chart, by its name."""
    found = re.findall(r'<script type="application/json" id="(\w+)-data">(.*?)</script>', page.text)
    return {name: json.loads(data) for name, data in found}


def test_the_register_and_the_daily_yield_are_drawn_and_told_in_tables(vera: Person) -> None:
    add_site("S1", daily([10, 12.5, 12.5], utcnow()))
    page = vera.get("/sites/S1")
    drawn = charts(page)
    assert [kwh for _, kwh in drawn["register"]["series"][0]["points"]] == [10, 12.5, 12.5]
    assert [kwh for _, _, kwh, _ in drawn["daily_yield"]["series"][0]["days"]] == [2.5, 0]
    assert "Daily yield, kWh, newest first" in words(page)


def test_a_job_of_a_site_that_had_never_reported_draws_what_it_reports_now(vera: Person) -> None:
    key = add_site("S1", {})
    run(RunParameters("cli"), utcnow)
    add_readings(key, daily([10, 12, 14], utcnow()))
    assert [kwh for _, kwh in charts(vera.get("/jobs/1"))["register"]["series"][0]["points"]] == [10, 12, 14]


def test_a_site_that_is_silent_for_longer_than_its_charts_reach_shows_what_there_is(vera: Person) -> None:
    add_site("S1", daily([10, 12, 14], days_before(274, utcnow())))
    page = vera.get("/sites/S1")
    assert [kwh for _, kwh in charts(page)["register"]["series"][0]["points"]] == [10, 12, 14]
    assert words(page).count("Silent for 274 days") == 2, "both tables say so"
    assert "The last reading was 14.00 kWh at" in words(page)
    assert "to now: silent for 274 days. The table below has the same numbers." in page.text


def test_a_site_that_never_reported_has_no_charts(vera: Person) -> None:
    add_site("S1")
    page = vera.get("/sites/S1")
    assert charts(page) == {}
    assert "chart.umd" not in page.text


def test_a_snoozed_silence_is_marked_as_such_and_not_as_flagged(oscar: Person) -> None:
    add_site("S1", daily([1, 2], days_before(9, utcnow())))
    assert [mark["kind"] for mark in charts(oscar.get("/sites/S1"))["register"]["marks"]] == ["threshold"]
    oscar.post("/sites/S1", action="snooze", last_day=utcnow().date().isoformat(), reason="Roof work")
    drawn = charts(oscar.get("/sites/S1"))["register"]
    assert [band["kind"] for band in drawn["bands"]] == ["silent", "snoozed"]
    assert drawn["marks"] == []


def test_the_page_of_a_quarter_hourly_meter_is_small_and_its_newest_readings_are_days(vera: Person) -> None:
    last = midnight(utcnow().astimezone(LONDON).date(), LONDON)
    add_site("S1", {last - QUARTER * number: 9000 - number for number in range(96 * 61)})
    page = vera.get("/sites/S1")
    assert len(page.data) < 80_000
    newest = words(page).split("Last of each day")[1]
    assert newest.count(" readings ") >= 9


def test_what_a_job_was_opened_on_is_drawn_over_the_register_of_now(vera: Person, run_id: int) -> None:
    page = vera.get("/jobs/2")
    register, evidence = charts(page)["register"]["series"]
    assert [kwh for _, kwh in evidence["points"]] == [1234.0] * 5
    assert (evidence["title"], evidence["colour"]) == ("When the job was opened, kWh", "orange")
    assert len(register["points"]) == 5
    assert words(page).count("1,234.00") >= 10
    assert [mark["text"] for mark in charts(page)["register"]["marks"]] == ["job 2 opened"]


def test_the_chart_of_a_silent_site_s_job_runs_to_now(vera: Person) -> None:
    add_site("S1", daily([1, 2, 3], days_before(44, utcnow())))
    run(RunParameters(trigger="manual"), lambda: days_before(40, utcnow()))
    drawn = charts(vera.get("/jobs/1"))["register"]
    assert [(band["kind"], band["text"]) for band in drawn["bands"]] == [("silent", "silent for 44 days")]
    assert [mark["text"] for mark in drawn["marks"]] == ["flagged after 3 days", "job 1 opened"]


def test_all_readings_since_a_job_was_opened_are_counted_and_drawn(vera: Person) -> None:
    now = utcnow()
    key = add_site("S1", daily([7] * 5, days_before(5, now)))
    run(RunParameters(trigger="manual"), lambda: days_before(5, now))
    add_readings(key, {now - QUARTER * number: 1000 - number for number in range(439)})
    page = vera.get("/jobs/1")
    assert "439 readings since the job was opened, the last one at" in words(page)
    points = charts(page)["register"]["series"][0]["points"]
    assert (points[5][1], points[-1][1]) == (562, 1000), "the first of them and the last"
    assert "Last of each day" in words(page)


def test_a_late_reading_inside_the_window_that_lets_a_job_recover_is_named(vera: Person) -> None:
    now = utcnow()
    key = add_site("S1", {days_before(days, now): 7 for days in (6, 3, 2, 1, 0.1)})
    run(RunParameters(trigger="manual"), utcnow)
    late = days_before(1.5, now)
    add_readings(key, {late: 8})
    later = run(RunParameters(trigger="manual"), utcnow).run_id
    text = words(vera.get("/jobs/1"))
    assert f"Recovered Run {later} saw at" in text
    assert f"The reading of {late.astimezone(LONDON):%Y-%m-%d %H:%M} came in late, with 8.00 kWh." in text
    assert "No reading has come in since" not in text


@pytest.mark.parametrize(("as_of", "is_named"), [(None, False), (10, True)])
def test_a_job_of_a_back_dated_run_names_the_instant_that_it_looked_at(
    vera: Person, as_of: float | None, is_named: bool
) -> None:
    now = utcnow()
    add_site("S1", daily([7] * 5, days_before(10.1, now)) | daily([7] * 5, now))
    asked = None if as_of is None else days_before(as_of, now)
    run(RunParameters(trigger="cli", as_of=asked), lambda: now)
    text = words(vera.get("/jobs/1"))
    named = f"as of {days_before(10, now).astimezone(LONDON):%Y-%m-%d %H:%M}"
    assert (named in text) == is_named
    assert ("As of" in text) == is_named
