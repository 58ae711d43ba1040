"""Jobs one after another: closed with a note in one step, and on to the next of the view."""

import re

import pytest

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.jobs.service import JobChange, change
from tests.fleets import add_site
from tests.pages.reading import form_of, words
from tests.people import Person

VIEW = "?status=unclosed&rule=no_coms&sort=oldest"


@pytest.fixture(autouse=True)
def _three_silent_sites(run_id: int) -> None:
    """Jobs 1, 3 and 4 of No Coms beside job 2 of Zero Reads."""
    add_site("S3", {})
    add_site("S4", {})
    run(RunParameters(trigger="manual"), utcnow)


def press(person: Person, address: str, **typed: str) -> str:
    answer = person.client.post(address, data=form_of(person.get(address)) | typed)
    assert answer.status_code == 302
    return answer.location or ""


def ways(person: Person, address: str) -> dict[str, str]:
    """Where the page leads: to the job before and the next one."""
    page = person.get(address).text
    return dict(re.findall(r'<a rel="(\w+)" href="([^"?]*)', page))


def test_a_job_is_closed_with_a_note_and_the_next_of_the_view_is_on_screen(oscar: Person) -> None:
    location = press(oscar, f"/jobs/1{VIEW}", note="New SIM.", close_as="recovered", then="next")
    assert location == f"/jobs/3{VIEW}"
    page = words(oscar.get(location))
    assert "Job 1 closed as recovered." in page
    assert "S3" in page
    history = words(oscar.get("/jobs/1"))
    assert "Status: Open → to Closed Resolution: none → to Recovered New SIM. oscar," in history


def test_after_the_last_job_one_is_back_at_the_list(oscar: Person) -> None:
    location = press(oscar, f"/jobs/4{VIEW}", then="next")
    assert location == f"/jobs/{VIEW}"
    assert "Job 4 closed as fixed. That was the last job of this view." in words(oscar.get(location))


def test_a_job_is_closed_and_stays_on_screen(oscar: Person) -> None:
    assert press(oscar, "/jobs/1", then="close", close_as="duplicate") == "/jobs/1"
    assert "Job 1 closed as duplicate." in words(oscar.get("/jobs/1"))


def test_a_note_alone_closes_nothing(oscar: Person) -> None:
    press(oscar, "/jobs/1", note="Rang them.")
    assert form_of(oscar.get("/jobs/1"))["status"] == "open"


def test_who_was_slower_replaces_no_resolution(ada: Person, oscar: Person) -> None:
    form = form_of(oscar.get("/jobs/1"))
    change(1, JobChange(status="closed", resolution="false_alarm"), by="ada", now=utcnow())
    answer = oscar.client.post("/jobs/1", data=form | {"then": "next"})
    assert answer.status_code == 409
    assert "ada changed Resolution from none to False alarm" in words(answer)


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        (f"/jobs/1{VIEW}", {"next": "/jobs/3"}),
        (f"/jobs/3{VIEW}", {"prev": "/jobs/1", "next": "/jobs/4"}),
        ("/jobs/3", {"prev": "/jobs/4", "next": "/jobs/2"}),
        (f"/jobs/2{VIEW}", {"prev": "/jobs/1", "next": "/jobs/3"}),
    ],
    ids=["first of a view", "inside a view", "of the open jobs, newest first", "one that is not in the view"],
)
def test_a_job_leads_to_the_one_before_and_the_next(
    vera: Person, address: str, leads: dict[str, str]
) -> None:
    assert ways(vera, address) == leads


def test_a_job_leads_back_to_the_page_and_the_place_of_its_list(vera: Person) -> None:
    listed = vera.get(f"/jobs/{VIEW}&per_page=2&page=2").text
    assert f'href="/jobs/4{VIEW.replace("&", "&amp;")}&amp;page=2"' in listed
    assert 'id="row-4"' in listed
    back = f"/jobs/{VIEW}&page=2#row-4".replace("&", "&amp;")
    assert f'href="{back}"' in vera.get(f"/jobs/4{VIEW}&page=2").text


def test_a_queue_is_changed_where_it_stands(oscar: Person) -> None:
    press(oscar, "/jobs/1", queue="Roofs")
    assert "Queue: none → to Roofs oscar," in words(oscar.get("/jobs/1"))
    assert "S3" not in words(oscar.get("/jobs/?queue=Roofs"), "table")


def test_the_headline_is_the_site_and_one_line_says_the_rest(vera: Person) -> None:
    page = vera.get("/jobs/2")
    assert "<title>Flat roof, job 2 –" in page.text
    assert words(page, "h1") == "Flat roof FLAT"
    assert "#2 Zero Reads standing still for 4 days nobody has it medium priority Open" in words(page)
