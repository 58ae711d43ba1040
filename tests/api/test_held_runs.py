"""Held runs through the API and the numbers for Prometheus."""

import pytest
from flask import Flask

from jobauto.clock import utcnow
from tests.api.fleet import ERROR, has_shape
from tests.fleets import add_site, days_before
from tests.people import Person
from tests.test_metrics import numbers

RUNS = "/api/job-automation/runs"


@pytest.fixture(autouse=True)
def _silent_fleet(app: Flask) -> None:
    for number in range(25):
        add_site(f"S{number}", {days_before(4, utcnow()): 7})


def test_a_run_that_is_asked_for_answers_that_it_is_held(oscar: Person) -> None:
    answer = oscar.api("POST", "/api/job-automation/run-manual/")
    told = answer.json
    assert answer.status_code == 200
    assert (told["success"], told["status"], told["created_jobs"], told["held_jobs"]) == (True, "held", 0, 25)
    assert told["rules"]["no_coms"]["status"] == "held"
    (run,) = oscar.api("GET", f"{RUNS}/").json["items"]
    assert (run["status"], run["created_jobs"]) == ("held", 0)


@pytest.mark.parametrize(
    ("decision", "status", "opened"), [("release", "succeeded", 25), ("discard", "held", 0)]
)
def test_it_is_decided_once(oscar: Person, decision: str, status: str, opened: int) -> None:
    run_id = oscar.api("POST", "/api/job-automation/run-manual/").json["run_id"]
    assert numbers(oscar.api("GET", "/metrics").text)["jobauto_held_jobs"] == 25
    answer = oscar.api("POST", f"{RUNS}/{run_id}/{decision}/")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["created_jobs"]) == (status, opened)
    assert answer.json["hold"]["decided_by"] == "oscar"
    again = oscar.api("POST", f"{RUNS}/{run_id}/release/")
    assert (again.status_code, has_shape(again.json, ERROR)) == (409, True)
    assert len(oscar.api("GET", f"{RUNS}/{run_id}/").json["jobs"]) == opened
    assert numbers(oscar.api("GET", "/metrics").text)["jobauto_held_jobs"] == 0


@pytest.mark.parametrize("decision", ["release", "discard"])
def test_a_viewer_decides_nothing(oscar: Person, vera: Person, decision: str) -> None:
    run_id = oscar.api("POST", "/api/job-automation/run-manual/").json["run_id"]
    assert vera.api("POST", f"{RUNS}/{run_id}/{decision}/").status_code == 403


def test_without_the_guard_a_run_opens_them(ada: Person) -> None:
    ada.api("PUT", "/api/job-automation/settings/", json={"GUARD": {"guard_enabled": False}})
    assert ada.api("POST", "/api/job-automation/run-manual/").json["created_jobs"] == 25


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guard_share", 0),
        ("guard_share", 101),
        ("guard_min_sites", 0),
        ("guard_min_sites", 1_000_001),
        ("incident_share", 0),
        ("incident_share", 101),
        ("incident_min_sites", 1),
        ("incident_min_sites", 1_000_001),
    ],
)
def test_their_limits(ada: Person, field: str, value: int) -> None:
    answer = ada.api("PUT", "/api/job-automation/settings/", json={"GUARD": {field: value}})
    assert (answer.status_code, list(answer.json["fields"])) == (422, [f"GUARD.{field}"])
