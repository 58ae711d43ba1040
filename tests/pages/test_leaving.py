"""Somebody leaves: their open jobs are found, said to be there, and handed over."""

import pytest

from jobauto.audit import queries as audit
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job
from tests.pages.reading import form_of, words
from tests.people import Person


@pytest.fixture
def with_oscar(oscar: Person, run_id: int) -> None:
    """Two open jobs are Oscar's."""
    for job_id in (1, 2):
        change(job_id, JobChange(assignee="oscar"), by="ada", now=utcnow())


def assignees() -> list[str | None]:
    db.session.rollback()
    return [job.assignee for job in db.session.query(Job).order_by(Job.id)]


def test_the_filter_offers_everybody_who_has_open_jobs(ada: Person, with_oscar: None) -> None:
    assert "oscar (inactive)" not in ada.get("/jobs/").text
    ada.post("/users/oscar", action="deactivate")
    page = ada.get("/jobs/?assignee=oscar&status=unclosed")
    assert '<option selected value="oscar">oscar (inactive)</option>' in page.text
    assert "2 jobs" in words(page)
    ada.post("/users/oscar", action="activate")
    ada.post("/users/oscar", action="role", role="viewer")
    assert "oscar (viewer)" in ada.get("/jobs/").text


def test_whoever_has_left_without_open_jobs_is_not_offered(ada: Person, with_oscar: None) -> None:
    for job_id in (1, 2):
        change(job_id, JobChange(status="closed"), by="ada", now=utcnow())
    ada.post("/users/oscar", action="deactivate")
    assert "oscar (inactive)" not in ada.get("/jobs/").text


def test_deactivating_says_how_many_are_open_before_and_after(ada: Person, with_oscar: None) -> None:
    page = ada.get("/users/oscar")
    assert "oscar has 2 open jobs" in words(page)
    assert "Leave them with oscar" in words(page)
    ada.client.post("/users/oscar", data=form_of(page) | {"action": "deactivate"})
    text = words(ada.get("/users/oscar"))
    assert "oscar is deactivated. 2 open jobs stay with oscar until you hand them over below." in text
    assert "oscar cannot work jobs any more, and still has 2 open jobs" in text
    assert assignees() == ["oscar", "oscar"]


def test_one_job_that_is_left_is_told_as_one(ada: Person, with_oscar: None) -> None:
    change(1, JobChange(status="closed"), by="oscar", now=utcnow())
    ada.post("/users/oscar", action="deactivate")
    text = words(ada.get("/users/oscar"))
    assert "1 open job stays with oscar until you hand it over below." in text


@pytest.mark.parametrize(("to", "becomes", "said"), [("ada", "ada", "ada"), ("-", None, "nobody")])
def test_they_are_handed_over_with_the_deactivation_or_after_it(
    ada: Person, with_oscar: None, to: str, becomes: str | None, said: str
) -> None:
    change(1, JobChange(status="closed"), by="oscar", now=utcnow())
    ada.post("/users/oscar", action="deactivate", to=to)
    assert f"oscar is deactivated. Their open jobs went to {said}." in words(ada.get("/users/oscar"))
    assert assignees() == ["oscar", becomes]
    event = db.session.scalars(audit.last_change("job", 2, "assignee")).one()
    assert (event.who, event.before, event.after) == ("ada", "oscar", becomes)


def test_of_somebody_who_has_left_before_they_are_handed_over_on_their_page(
    ada: Person, with_oscar: None
) -> None:
    ada.post("/users/oscar", action="deactivate")
    ada.post("/users/oscar", action="hand_over", to="ada")
    assert "2 open jobs of oscar went to ada." in words(ada.get("/users/oscar"))
    assert assignees() == ["ada", "ada"]
    assert "Open jobs" not in words(ada.get("/users/oscar"))


@pytest.mark.parametrize("to", ["vera", "nobody-here", "oscar"])
def test_nobody_who_may_not_work_jobs_gets_them_and_nothing_is_changed(
    ada: Person, with_oscar: None, to: str
) -> None:
    page = ada.post("/users/oscar", action="deactivate", to=to)
    assert page.status_code == 422
    assert "Nothing was changed" in words(page)
    assert assignees() == ["oscar", "oscar"]
    assert "This account is deactivated" not in words(ada.get("/users/oscar"))


def test_choosing_nobody_to_hand_them_to_changes_nothing(ada: Person, with_oscar: None) -> None:
    ada.post("/users/oscar", action="deactivate")
    ada.get("/users/oscar")
    ada.post("/users/oscar", action="hand_over", to="")
    assert "Nothing was changed." in words(ada.get("/users/oscar"))
