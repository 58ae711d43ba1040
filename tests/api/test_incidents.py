"""Incidents through the API."""

import pytest
from flask import Flask

from jobauto.clock import utcnow
from tests.api.fleet import JOB, has_shape
from tests.fleets import add_readings, add_site, days_before
from tests.people import Person


@pytest.fixture
def keys(app: Flask) -> dict[str, int]:
    """Six sites behind one gateway, silent for four days; their keys."""
    silent = {days_before(4, utcnow()): 7}
    return {name: add_site(name, silent, source="gw-A") for name in ("S1", "S2", "S3", "S4", "S5", "S6")}


def test_an_incident_tells_whom_it_covers_and_a_site_by_what(oscar: Person, keys: dict[str, int]) -> None:
    told = oscar.api("POST", "/api/job-automation/run-manual/").json
    figures = {name: told["rules"]["no_coms"][name] for name in ("flagged", "created", "skipped", "covered")}
    assert figures == {"flagged": 6, "created": 1, "skipped": 0, "covered": 5}
    (incident,) = oscar.api("GET", "/api/jobs/").json["items"]
    assert has_shape(incident, JOB)
    assert (incident["site_id"], incident["covers"]) == ("S1", 5)
    for site_id in keys:
        (listed,) = oscar.api("GET", f"/api/jobs/?site_id={site_id}").json["items"]
        assert listed["id"] == incident["id"]
        assert oscar.api("GET", f"/api/sites/{site_id}/").json["covered_by"] == incident["id"]

    back = utcnow()
    add_readings(keys["S3"], {back: 8})
    oscar.api("POST", "/api/job-automation/run-manual/")
    sites = oscar.api("GET", f"/api/jobs/{incident['id']}/").json["covered_sites"]
    assert [site["site_id"] for site in sites] == ["S2", "S3", "S4", "S5", "S6"]
    assert [site["recovered_at"] is not None for site in sites] == [False, True, False, False, False]
    assert sites[1]["last_reading"].startswith(back.strftime("%Y-%m-%dT%H:%M:%S"))
    assert sites[0]["site_name"] == "Site S2"
    assert oscar.api("GET", "/api/sites/S3/").json["covered_by"] is None
    assert oscar.api("GET", "/api/jobs/?site_id=S3").json["items"] == []


def test_an_ordinary_job_covers_nobody(oscar: Person) -> None:
    add_site("S1", {days_before(4, utcnow()): 7}, source="gw-A")
    oscar.api("POST", "/api/job-automation/run-manual/")
    (job,) = oscar.api("GET", "/api/jobs/").json["items"]
    assert job["covers"] is None
    assert oscar.api("GET", f"/api/jobs/{job['id']}/").json["covered_sites"] == []
    assert oscar.api("GET", "/api/sites/S1/").json["covered_by"] is None


def test_reopening_beside_it_is_refused(oscar: Person, keys: dict[str, int]) -> None:
    for _ in range(2):
        oscar.api("POST", "/api/job-automation/run-manual/")
        (incident,) = oscar.api("GET", "/api/jobs/?status=open").json["items"]
        oscar.api("PATCH", f"/api/jobs/{incident['id']}/", json={"status": "closed"})
    oscar.api("POST", "/api/job-automation/run-manual/")
    answer = oscar.api("PATCH", f"/api/jobs/{incident['id']}/", json={"status": "open"})
    assert (answer.status_code, list(answer.json["fields"])) == (409, ["status"])
