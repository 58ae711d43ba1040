"""Lists of jobs and runs: their fields, filters and order."""

import pytest
from flask import Flask

from tests.api.fleet import ERROR, JOB, PAGE, RULE_RESULT, RUN, has_shape, job_of
from tests.people import Person


@pytest.fixture
def vera(people: dict[str | None, Person]) -> Person:
    return people["vera"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param("", ["flat", "silent"], id="all"),
        pytest.param("?rule=no_coms", ["silent"], id="of a rule"),
        pytest.param("?rule=zero_reads", ["flat"], id="of the other"),
        pytest.param("?status=open", ["flat", "silent"], id="open"),
        pytest.param("?status=closed", [], id="closed: none"),
        pytest.param("?site_id=flat", ["flat"], id="of a site"),
        pytest.param("?site_id=FLAT", [], id="site ids are case-sensitive"),
        pytest.param("?site_id=nobody", [], id="of no site"),
        pytest.param("?site_id=flat&rule=no_coms", [], id="both must hold"),
        pytest.param("?status=&rule=&site_id=", ["flat", "silent"], id="empty means all"),
    ],
)
def test_which_jobs_are_listed(vera: Person, asked: str, found: list[str]) -> None:
    answer = vera.api("GET", f"/api/jobs/{asked}").json
    assert has_shape(answer, PAGE)
    assert sorted(job["site_id"] for job in answer["items"]) == found
    assert answer["total"] == len(found)
    assert all(has_shape(job, JOB) for job in answer["items"])


@pytest.mark.parametrize("asked", ["status=done", "status=Open", "rule=none", "rule=%00", "status=open%20"])
def test_a_filter_that_names_no_such_thing_is_refused(vera: Person, asked: str) -> None:
    response = vera.api("GET", f"/api/jobs/?{asked}")
    assert response.status_code == 400
    assert has_shape(response.json, ERROR)
    assert list(response.json["fields"]) == [asked.split("=")[0]]


def test_a_filter_given_twice_is_refused(vera: Person) -> None:
    response = vera.api("GET", "/api/jobs/?rule=no_coms&rule=zero_reads")
    assert (response.status_code, list(response.json["fields"])) == (400, ["rule"])


def test_a_filter_in_a_body_counts_for_nothing(vera: Person) -> None:
    wanted = vera.api("GET", "/api/jobs/?rule=no_coms", data={"rule": "zero_reads"}).json
    assert [job["rule"] for job in wanted["items"]] == ["no_coms"]


def test_a_search_with_nul_finds_nothing_or_is_refused(vera: Person) -> None:
    for address in ("/api/jobs/?site_id=a%00", "/api/sites/?q=a%00"):
        response = vera.api("GET", address)
        assert response.status_code == 400 or response.json["total"] == 0


def test_a_job_of_each_rule_says_its_own_days(vera: Person) -> None:
    silent = vera.api("GET", f"/api/jobs/{job_of('no_coms')}/").json
    flat = vera.api("GET", f"/api/jobs/{job_of('zero_reads')}/").json
    assert (silent["days_without_reading"], silent["days_with_zero_increase"]) == (9, None)
    assert (flat["days_without_reading"], flat["days_with_zero_increase"]) == (None, 3)
    assert silent["description"] == "No readings from Silent House (last reading: 2026-03-22 12:00)"
    assert silent["created_at"] in ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00+00:00")
    assert (silent["site_name"], silent["job_type"]) == ("Silent House", "no_coms")


def test_a_run_says_what_its_rules_did_and_which_jobs_it_opened(standing: Flask, vera: Person) -> None:
    listed = vera.api("GET", "/api/job-automation/runs/").json
    assert has_shape(listed, PAGE)
    (run,) = listed["items"]
    assert has_shape(run, RUN)
    assert all(has_shape(rule, RULE_RESULT) for rule in run["rules"].values())
    assert list(run["rules"]) == ["no_coms", "zero_reads"]
    assert (run["trigger"], run["requested_by"], run["status"]) == ("cli", "tests", "succeeded")
    assert run["created_jobs"] == 2

    one = vera.api("GET", f"/api/job-automation/runs/{run['id']}/").json
    assert has_shape(one, RUN | {"jobs": list, "held_jobs": int, "hold": (dict, type(None))})
    assert [job["site_id"] for job in one["jobs"]] == ["flat", "silent"]
    assert all(has_shape(job, JOB) for job in one["jobs"])
