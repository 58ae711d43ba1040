"""What is said after a press is what happened."""

from datetime import timedelta

import pytest

from jobauto.clock import utcnow
from jobauto.jobs.service import JobChange, change
from tests.pages.reading import error_beside, form_of, words
from tests.pages.scenes import FLAT
from tests.people import Person

pytestmark = pytest.mark.any_engine

TOMORROW = (utcnow() + timedelta(days=1)).date().isoformat()


@pytest.mark.parametrize(
    ("before", "typed", "said"),
    [
        ({}, {"resolution": "fixed"}, "Job 1 closed as fixed."),
        ({"status": "on_hold"}, {"resolution": "false_alarm"}, "Job 1 closed as false alarm."),
        ({}, {"status": "closed"}, "Job 1 closed as other."),
        ({}, {"status": "closed", "resolution": "duplicate", "note": "See 2."}, "Job 1 closed as duplicate."),
        ({"status": "closed"}, {"resolution": "fixed"}, "The resolution of job 1 is fixed now."),
        ({"status": "closed"}, {"status": "open"}, "Job 1 reopened."),
        ({"status": "closed"}, {"status": "in_progress", "resolution": ""}, "Job 1 reopened."),
        ({"status": "closed"}, {}, "Nothing was changed."),
        ({}, {}, "Nothing was changed."),
        ({}, {"note": "Rang them."}, "Saved."),
        ({}, {"assignee": "oscar"}, "Saved."),
    ],
    ids=str,
)
def test_a_job_says_what_became_of_it(
    oscar: Person, run_id: int, before: dict[str, str], typed: dict[str, str], said: str
) -> None:
    if before:
        change(1, JobChange(**before), by="ada", now=utcnow())
    oscar.client.post("/jobs/1", data=form_of(oscar.get("/jobs/1")) | typed)
    text = words(oscar.get("/jobs/1"))
    assert said in text
    assert ("Saved." in text) == (said == "Saved.")


def test_a_resolution_that_is_chosen_with_the_status_open_closes_the_job(oscar: Person, run_id: int) -> None:
    oscar.post("/jobs/1", status="open", resolution="fixed", priority="medium", assignee="")
    shown = form_of(oscar.get("/jobs/1"))
    assert (shown["status"], shown["resolution"]) == ("closed", "fixed")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"resolution": ""}, "A closed job has a resolution. Choose one, or reopen the job by its status."),
        ({"status": "open", "resolution": "duplicate"}, "Only a closed job has a resolution."),
    ],
    ids=["cleared", "reopened as something"],
)
def test_a_resolution_that_cannot_be_is_not_dropped_without_a_word(
    oscar: Person, run_id: int, typed: dict[str, str], why: str
) -> None:
    change(1, JobChange(status="closed", resolution="fixed"), by="ada", now=utcnow())
    page = oscar.client.post("/jobs/1", data=form_of(oscar.get("/jobs/1")) | typed)
    assert page.status_code == 422
    assert error_beside(page, "resolution") == why
    assert "Nothing was changed." in words(page)
    assert form_of(oscar.get("/jobs/1"))["resolution"] == "fixed"


def test_a_site_says_that_nothing_was_changed(oscar: Person, run_id: int) -> None:
    oscar.client.post(f"/sites/{FLAT}", data=form_of(oscar.get(f"/sites/{FLAT}")) | {"action": "edit"})
    assert "Nothing was changed." in words(oscar.get(f"/sites/{FLAT}"))
    oscar.post(f"/sites/{FLAT}", action="wake")
    assert "Nothing was changed." in words(oscar.get(f"/sites/{FLAT}"))
    oscar.post(f"/sites/{FLAT}", action="snooze", last_day=TOMORROW, reason="Works")
    assert "Snoozed." in words(oscar.get(f"/sites/{FLAT}"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "role", "role": "viewer"}, "Nothing was changed."),
        ({"action": "role", "role": "operator"}, "vera has the role operator now."),
        ({"action": "activate"}, "Nothing was changed."),
        ({"action": "deactivate"}, "vera is deactivated."),
        ({"action": "sessions"}, "Nothing was changed."),
    ],
    ids=str,
)
def test_an_account_says_what_became_of_it(ada: Person, fields: dict[str, str], said: str) -> None:
    ada.post("/users/vera", **fields)
    assert said in words(ada.get("/users/vera"))


def test_a_token_that_was_revoked_already_is_told_as_such(ada: Person, vera: Person) -> None:
    token_id = form_of(vera.get("/account"))["token_id"]
    ada.post("/users/vera", action="revoke", token_id=token_id)
    vera.post("/account", action="revoke", token_id=token_id)
    assert "Nothing was changed: the token was revoked already." in words(vera.get("/account"))
