"""Several jobs of a list that is old by then: only what is as it was shown is changed, the rest is named."""

import pytest
from werkzeug.test import TestResponse

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job
from tests.pages.reading import form_of, words
from tests.people import Person


def press(person: Person, older: dict[str, str], **fields: object) -> str:
    """Tick both jobs of an older list and press; what is said."""
    answer: TestResponse = person.client.post("/jobs/", data={**older, "job": ["1", "2"], **fields})
    return words(person.get(answer.location or ""))


def jobs() -> list[tuple[str, str | None, str | None]]:
    db.session.rollback()
    return [(job.status, job.resolution, job.assignee) for job in db.session.query(Job).order_by(Job.id)]


def by_ada(job_id: int, **values: str) -> None:
    change(job_id, JobChange(**values), by="ada", now=utcnow())


def test_reopen_touches_closed_jobs_only(oscar: Person, run_id: int) -> None:
    by_ada(2, status="closed", resolution="fixed")
    older = form_of(oscar.get("/jobs/"))
    by_ada(1, status="in_progress")
    text = press(oscar, older, action="reopen")
    assert jobs() == [("in_progress", None, None), ("open", None, None)]
    assert "1 job reopened. 1 was not changed." in text
    assert "Job 1: It is in progress, so there is nothing to reopen." in text


def test_close_replaces_no_resolution_of_somebody_else(oscar: Person, run_id: int) -> None:
    older = form_of(oscar.get("/jobs/"))
    by_ada(1, status="closed", resolution="false_alarm")
    text = press(oscar, older, action="close", resolution="fixed")
    assert jobs() == [("closed", "false_alarm", None), ("closed", "fixed", None)]
    assert "1 job closed as fixed. 1 was not changed." in text
    assert "Job 1: It is closed already, as false alarm by ada." in text


@pytest.mark.parametrize(
    ("shown", "since", "to", "becomes", "why"),
    [
        ("", "ada", "oscar", "ada", "ada has it."),
        ("vera", "ada", "oscar", "ada", "ada has it."),
        ("ada", "", "oscar", None, "ada does not have it any more."),
        ("", "oscar", "oscar", "oscar", "oscar has it already."),
        ("", "", "-", None, "Nobody has it already."),
        ("", "ada", "-", "ada", "ada has it."),
    ],
    ids=["taken", "taken from another", "given back", "mine already", "nobody's already", "un-assigning"],
)
def test_assign_takes_no_job_from_somebody_whom_the_list_did_not_show(
    ada: Person, oscar: Person, run_id: int, shown: str, since: str, to: str, becomes: str | None, why: str
) -> None:
    ada.post("/users/vera", action="role", role="operator")
    by_ada(1, assignee=shown)
    by_ada(2, assignee="vera")
    older = form_of(oscar.get("/jobs/"))
    by_ada(1, assignee=since)
    text = press(oscar, older, action="assign", assignee=to)
    assert [assignee for _, _, assignee in jobs()] == [becomes, to if to != "-" else None]
    assert f"1 job assigned to {to if to != '-' else 'nobody'}. 1 was not changed." in text
    assert f"Job 1: {why}" in text


def test_a_job_that_the_list_showed_as_somebodys_is_given_to_another(oscar: Person, run_id: int) -> None:
    by_ada(1, assignee="ada")
    text = press(oscar, form_of(oscar.get("/jobs/")), action="assign", assignee="oscar")
    assert "2 jobs assigned to oscar." in text
    assert [assignee for _, _, assignee in jobs()] == ["oscar", "oscar"]


def test_where_nothing_was_left_to_change_that_is_said(oscar: Person, run_id: int) -> None:
    text = press(oscar, form_of(oscar.get("/jobs/")), action="reopen")
    assert "Nothing was changed." in text
    assert "reopened" not in text


def test_enter_on_a_ticked_box_un_assigns_nothing(oscar: Person, run_id: int) -> None:
    by_ada(1, assignee="oscar")
    form = form_of(oscar.get("/jobs/"))
    assert form["assignee"] == ""
    text = press(oscar, form, action="assign")
    assert "Nothing was changed: choose whom to assign the ticked jobs to." in text
    assert jobs()[0] == ("open", None, "oscar")


def test_a_job_that_is_ticked_twice_counts_once(oscar: Person, run_id: int) -> None:
    text = press(oscar, {**form_of(oscar.get("/jobs/"))}, action="close", resolution="fixed", job=["1", "1"])
    assert "1 job closed as fixed." in text
