"""Working a job through the API: its steps, and what is kept of each."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.extensions import db
from jobauto.models import Job, User
from jobauto.models.job import RESOLUTIONS, STATUSES
from jobauto.settings import service as settings
from jobauto.storage.connections import write
from tests.api.fleet import JOB, has_shape, job_of
from tests.fleets import NOON, add_one_fault_of_each_rule, add_site, days_before, run_noon
from tests.people import Person
from tests.processes import PATIENCE
from tests.racing import both_before_either_commits


@pytest.fixture
def job(app: Flask) -> str:
    """The address of an open job."""
    add_one_fault_of_each_rule()
    return f"/api/jobs/{job_of('no_coms')}/"


def change(person: Person, address: str, **wanted: Any) -> Any:
    response = person.api("PATCH", address, json=wanted)
    assert response.status_code == 200, response.text
    return response.json


def steps(answer: Any) -> list[tuple[Any, ...]]:
    return [(step["field"], step["before"], step["after"]) for step in answer["history"]]


@pytest.mark.parametrize(("before", "after"), list(permutations(STATUSES, 2)))
def test_any_step_may_follow_any_other(job: str, oscar: Person, before: str, after: str) -> None:
    change(oscar, job, status=before)
    answer = change(oscar, job, status=after)
    assert answer["status"] == after
    assert (answer["closed_at"] is not None) == (after == "closed")
    assert answer["resolution"] == ("other" if after == "closed" else None)
    assert ("status", before, after) in steps(answer)


def test_the_history_says_who_did_what_and_when(job: str, oscar: Person, ada: Person) -> None:
    change(oscar, job, status="in_progress", assignee="oscar")
    answer = change(ada, job, priority="high", note="  The inverter is off.  ")
    assert [(step["who"], step["field"], step["before"], step["after"]) for step in answer["history"]] == [
        ("oscar", "status", "open", "in_progress"),
        ("oscar", "assignee", None, "oscar"),
        ("ada", "priority", "medium", "high"),
        ("ada", "note", None, "The inverter is off."),
    ]
    assert all(step["at"].endswith(("Z", "+00:00")) for step in answer["history"])
    assert has_shape(answer, JOB | {"history": list, "covered_sites": list})


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_closing_takes_a_resolution(job: str, oscar: Person, resolution: str) -> None:
    answer = change(oscar, job, status="closed", resolution=resolution)
    assert (answer["status"], answer["resolution"]) == ("closed", resolution)


def test_a_resolution_can_be_corrected_later(job: str, oscar: Person) -> None:
    closed_at = change(oscar, job, status="closed")["closed_at"]
    answer = change(oscar, job, resolution="fixed")
    assert (answer["resolution"], answer["closed_at"]) == ("fixed", closed_at)
    assert ("resolution", "other", "fixed") in steps(answer)


@pytest.mark.parametrize("wanted", [{"resolution": "fixed"}, {"status": "on_hold", "resolution": "fixed"}])
def test_only_a_closed_job_has_a_resolution(job: str, oscar: Person, wanted: dict[str, str]) -> None:
    response = oscar.api("PATCH", job, json=wanted)
    assert (response.status_code, list(response.json["fields"])) == (422, ["resolution"])
    assert oscar.api("GET", job).json["status"] == "open"


def test_reopening_forgets_resolution_and_end(job: str, oscar: Person) -> None:
    change(oscar, job, status="closed", resolution="fixed")
    answer = change(oscar, job, status="open")
    assert (answer["status"], answer["resolution"], answer["closed_at"]) == ("open", None, None)
    assert steps(answer)[-2:] == [("status", "closed", "open"), ("resolution", "fixed", None)]


def test_reopening_beside_an_open_job_of_the_same_site_and_type_is_refused(job: str, oscar: Person) -> None:
    change(oscar, job, status="closed")
    run_noon()
    response = oscar.api("PATCH", job, json={"status": "open", "priority": "high"})
    assert (response.status_code, list(response.json["fields"])) == (409, ["status"])
    unchanged = oscar.api("GET", job).json
    assert (unchanged["status"], unchanged["priority"]) == ("closed", "medium")


def test_it_is_refused_however_the_open_one_was_opened(job: str, oscar: Person) -> None:
    change(oscar, job, status="closed")
    settings.save(lambda now: now.changed({"NO_COMS": {"check_duplicate": False}}), by="ada", now=NOON)
    run_noon()
    assert oscar.api("PATCH", job, json={"status": "open"}).status_code == 409


@pytest.mark.parametrize("check_duplicate", [True, False])
def test_of_two_jobs_reopened_at_once_one_stays_closed(
    app: Flask, oscar: Person, check_duplicate: bool
) -> None:
    settings.save(
        lambda now: now.changed({"NO_COMS": {"check_duplicate": check_duplicate}}), by="ada", now=NOON
    )
    add_site("silent", {days_before(9): 100})
    jobs = []
    for _ in range(2):
        run_noon()
        jobs.append(f"/api/jobs/{job_of('no_coms')}/")
        change(oscar, jobs[-1], status="closed")

    def reopen(address: str) -> int:
        return oscar.api("PATCH", address, json={"status": "open"}).status_code

    with both_before_either_commits("job"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(reopen, jobs, timeout=PATIENCE)) == [200, 409]
    assert db.session.scalar(select(func.count()).select_from(Job).where(Job.status == "open")) == 1


@pytest.mark.parametrize("nobody", [None, ""])
def test_a_job_can_be_taken_from_its_assignee(job: str, oscar: Person, nobody: str | None) -> None:
    assert change(oscar, job, assignee="ada")["assignee"] == "ada"
    answer = change(oscar, job, assignee=nobody)
    assert answer["assignee"] is None
    assert steps(answer)[-1] == ("assignee", "ada", None)


def test_a_viewer_is_given_no_job_and_keeps_one_that_they_have(job: str, ada: Person, oscar: Person) -> None:
    refused = oscar.api("PATCH", job, json={"assignee": "vera"})
    assert (refused.status_code, list(refused.json["fields"])) == (422, ["assignee"])
    assert '<option value="vera"' not in oscar.get(job.removeprefix("/api")).text
    change(oscar, job, assignee="ada")
    with write() as session:
        session.execute(update(User).where(User.username == "ada").values(role="viewer"))
    assert change(oscar, job, assignee="ada", priority="low")["priority"] == "low"


def test_what_is_not_named_stays(job: str, oscar: Person) -> None:
    change(oscar, job, assignee="ada", priority="low")
    answer = change(oscar, job, note="still waiting")
    assert (answer["assignee"], answer["priority"], answer["status"]) == ("ada", "low", "open")


@pytest.mark.parametrize("wanted", [{}, {"status": "open"}, {"priority": "medium", "assignee": None}])
def test_a_change_that_changes_nothing_leaves_no_trace(
    job: str, oscar: Person, wanted: dict[str, Any]
) -> None:
    assert change(oscar, job, **wanted)["history"] == []
