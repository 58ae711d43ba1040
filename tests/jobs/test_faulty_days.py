"""How long a fault has lasted, wherever a job is told of."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.models import Job
from tests.fleets import NOON, add_site, days_before
from tests.pages.reading import words
from tests.pages.test_what_was_checked import check
from tests.people import Person

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "recovered_at", "closed_at", "days"),
    [
        pytest.param(-44.9 * DAY, None, None, 44, id="open: until now, in whole days"),
        pytest.param(-44 * DAY, None, -3 * DAY, 41, id="closed: until then"),
        pytest.param(-44 * DAY, -5 * DAY, None, 39, id="recovered: until then"),
        pytest.param(-44 * DAY, -5 * DAY, -3 * DAY, 39, id="recovered, then closed"),
        pytest.param(-44 * DAY, -3 * DAY, -5 * DAY, 41, id="closed, then recovered"),
        pytest.param(None, None, None, None, id="never reported"),
        pytest.param(None, -3 * DAY, None, None, id="never reported, and recovered"),
        pytest.param(-1 * DAY, -2 * DAY, None, 0, id="never less than none"),
    ],
)
def test_how_long_a_fault_has_lasted(
    since: timedelta | None, recovered_at: timedelta | None, closed_at: timedelta | None, days: int | None
) -> None:
    def at(age: timedelta | None) -> datetime | None:
        return None if age is None else NOON + age

    job = Job(since=at(since), recovered_at=at(recovered_at), closed_at=at(closed_at))
    assert job.faulty_days(NOON) == days


def test_it_is_told_in_lists_on_the_dashboard_and_by_the_api(app: Flask, vera: Person) -> None:
    now = utcnow()
    add_site("old", {days_before(44.5, now): 1})
    add_site("never")
    check(now)
    for address in ("/", "/jobs/", "/runs/1"):
        text = words(vera.get(address))
        assert "44 days" in text, address
        assert "never reported" in text, address
    assert "Faulty 44 days" in words(vera.get("/jobs/1"))
    listed = {
        address: vera.api("GET", address).json
        for address in ("/api/jobs/", "/api/job-automation/dashboard/", "/api/job-automation/runs/1/")
    }
    for address, answer in listed.items():
        jobs = answer.get("items") or answer.get("recent_jobs") or answer["jobs"]
        assert {job["site_id"]: job["faulty_days"] for job in jobs} == {"old": 44, "never": None}, address
    assert vera.api("GET", "/api/jobs/1/").json["faulty_days"] == 44
