"""Closing a job whose fault holds: it is said, it can be put off, and the next job knows the one before."""

from datetime import timedelta

import pytest

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job
from jobauto.settings import service as settings
from jobauto.sites import queries as sites
from tests.fleets import add_readings
from tests.pages.reading import error_beside, form_of, words
from tests.pages.scenes import FLAT, SILENT
from tests.people import Person

IN_A_WEEK = (utcnow() + timedelta(days=7)).date().isoformat()


def close(person: Person, job_id: int = 1, **typed: str) -> None:
    form = form_of(person.get(f"/jobs/{job_id}"))
    assert (
        person.client.post(f"/jobs/{job_id}", data=form | {"resolution": "fixed"} | typed).status_code == 302
    )


def run_again() -> None:
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)


def test_before_it_is_closed_the_form_says_that_the_fault_holds_and_offers_a_snooze(
    oscar: Person, run_id: int
) -> None:
    page = oscar.get("/jobs/1")
    assert "If you close it now: the fault still holds. The next run opens a new job." in words(page)
    assert form_of(page)["snooze_until"] == ""


def test_where_the_fault_is_gone_nothing_is_said(oscar: Person, run_id: int) -> None:
    add_readings(db.session.scalars(sites.by_site_id(FLAT)).one().key, {utcnow(): "1250"})
    assert "If you close it now" not in words(oscar.get("/jobs/2"))
    close(oscar, 2)
    assert "Closed while the fault holds" not in words(oscar.get("/jobs/2"))


def test_after_it_was_closed_its_page_says_what_the_next_run_does(oscar: Person, run_id: int) -> None:
    close(oscar)
    page = oscar.get("/jobs/1")
    assert "Job 1 closed as fixed." in words(page)
    assert "Closed while the fault holds" in words(page)
    assert "The next run opens a new job." in words(page)
    link = f"/sites/{SILENT}?open=snooze"
    assert f'href="{link}"' in page.text
    assert '<details class="disclosure" open>' in oscar.get(link).text


def test_the_days_until_a_new_job_are_told_where_the_settings_have_some(oscar: Person, run_id: int) -> None:
    days = {"NO_COMS": {"reopen_after_days": 5}}
    settings.save(lambda before: before.changed(days), by="ada", now=utcnow())
    assert "A new job comes 5 days after the closing" in words(oscar.get("/jobs/1"))


def test_of_a_rule_that_is_off_no_new_job_is_to_be_put_off(oscar: Person, run_id: int) -> None:
    settings.save(lambda before: before.changed({"NO_COMS": {"enabled": False}}), by="ada", now=utcnow())
    close(oscar)
    text = words(oscar.get("/jobs/1"))
    assert "The rule is switched off, so no run opens a new job. Snooze the site" in text
    assert "put that off" not in text


def test_a_snooze_that_is_chosen_with_closing_keeps_the_next_run_from_opening_a_job(
    oscar: Person, run_id: int
) -> None:
    close(oscar, snooze_until=IN_A_WEEK)
    text = words(oscar.get("/jobs/1"))
    assert f"Job 1 closed as fixed. The site is snoozed until and including {IN_A_WEEK}." in text
    assert "Closed while the fault holds" not in text
    assert "Job 1 closed as fixed" in words(oscar.get(f"/sites/{SILENT}"))
    run_again()
    assert len(db.session.query(Job).all()) == 2


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"snooze_until": IN_A_WEEK}, "Only with closing. To snooze the site alone, go to its page."),
        (
            {"snooze_until": "2020-01-01", "resolution": "fixed"},
            "Must be today or later, and within a year.",
        ),
        ({"snooze_until": "soon", "resolution": "fixed"}, "Not a valid date value."),
    ],
    ids=["not closed", "past", "no date"],
)
def test_a_snooze_that_cannot_be_is_told_beside_its_field_and_closes_nothing(
    oscar: Person, run_id: int, typed: dict[str, str], why: str
) -> None:
    page = oscar.client.post("/jobs/1", data=form_of(oscar.get("/jobs/1")) | typed)
    assert page.status_code == 422
    assert error_beside(page, "snooze_until") == why
    assert form_of(oscar.get("/jobs/1"))["status"] == "open"


def test_a_new_job_leads_to_the_one_before_and_says_how_often_it_has_come(oscar: Person, run_id: int) -> None:
    change(1, JobChange(assignee="oscar"), by="ada", now=utcnow())
    close(oscar)
    run_again()
    page = oscar.get("/jobs/3")
    assert "2nd time since" in words(page)
    assert 'href="/jobs/1">job 1</a>' in page.text
    assert "closed as fixed by oscar" in words(page)
    assert "while the fault held. oscar had it." in words(page)
    assert "Closed while the fault holds" not in words(oscar.get("/jobs/1"))
    assert "time since" not in words(oscar.get("/jobs/2"))


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        (["1"], "1 job closed as fixed. Undo Details No run has seen its fault gone: if it still holds,"),
        (
            ["1", "2"],
            "2 jobs closed as fixed. Undo Details "
            "Of 2 of them no run has seen the fault gone: where it still holds,",
        ),
    ],
    ids=["one", "two"],
)
def test_of_those_that_are_closed_at_once_it_is_said_how_many_may_come_back(
    oscar: Person, run_id: int, jobs: list[str], told: str
) -> None:
    oscar.post("/jobs/", action="close", resolution="fixed", job=jobs)
    assert f"{told} the next run opens a new job." in words(oscar.get("/jobs/"))
