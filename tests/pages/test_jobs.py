"""Lists of jobs, and a job's page."""

import pytest
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.jobs.service import JobChange, change
from jobauto.models import Site
from jobauto.storage.connections import write
from tests.pages.reading import words
from tests.pages.scenes import FLAT, SILENT
from tests.people import Person


@pytest.mark.parametrize(
    ("address", "silent", "flat"),
    [
        pytest.param("/jobs/", False, True, id="nothing: the open ones"),
        pytest.param("/jobs/?status=any", True, True, id="all"),
        pytest.param("/jobs/?status=&rule=&search=", True, True, id="all, as a form sends it"),
        pytest.param("/jobs/?status=closed&closed=week", True, False, id="closed this week"),
        pytest.param("/jobs/?status=unclosed", False, True, id="whatever is not closed"),
        pytest.param("/jobs/?status=closed", True, False, id="closed ones"),
        pytest.param("/jobs/?status=on_hold", False, True, id="one step of the work"),
        pytest.param("/jobs/?rule=no_coms", True, False, id="a rule"),
        pytest.param(f"/jobs/?site_id={FLAT}", False, True, id="a site"),
        pytest.param(f"/jobs/?rule=no_coms&site_id={FLAT}", False, False, id="a rule at a site"),
    ],
)
def test_the_list_shows_what_was_asked_for(
    ada: Person, run_id: int, address: str, silent: bool, flat: bool
) -> None:
    change(1, JobChange(status="closed"), by="ada", now=utcnow())
    change(2, JobChange(status="on_hold"), by="ada", now=utcnow())
    text = words(ada.get(address))
    assert ("Silent roof" in text, "Flat roof" in text) == (silent, flat)


def test_a_filter_that_nothing_matches_leads_back_to_all(ada: Person, run_id: int) -> None:
    assert "No job matches this filter Show all open jobs" in words(ada.get("/jobs/?site_id=nobody"))


def test_without_jobs_the_list_says_why(ada: Person) -> None:
    assert "No jobs yet The check has not found a fault so far." in words(ada.get("/jobs/"))


def test_the_pages_of_a_list_keep_its_filter(ada: Person, run_id: int) -> None:
    first = ada.get("/jobs/?status=open&per_page=1")
    assert "2 jobs, page 1 of 2" in words(first)
    assert 'rel="next" href="?status=open&amp;per_page=1&amp;page=2"' in first.text
    second = ada.get("/jobs/?status=open&per_page=1&page=2")
    assert "Silent roof" in words(second)
    assert 'rel="next"' not in second.text


def test_a_page_behind_the_last_says_which_is_the_last(ada: Person, run_id: int) -> None:
    assert "There is no page 9: the last one is page 1" in words(ada.get("/jobs/?page=9"))


@pytest.mark.parametrize("page", ["x", "0", "-1", "1.5"])
def test_a_page_that_is_no_number_is_refused(ada: Person, page: str) -> None:
    answer = ada.get(f"/jobs/?page={page}")
    assert answer.status_code == 400
    assert "page: Must be" in words(answer)


def test_a_job_tells_what_was_found(ada: Person, run_id: int) -> None:
    assert "The site has never sent a reading." in words(ada.get("/jobs/1"))
    text = words(ada.get("/jobs/2"))
    assert "The register has stood at 1,234.00 kWh since" in text
    assert ": 4 days." in text


def test_a_job_leads_to_its_site_and_its_run(ada: Person, run_id: int) -> None:
    page = ada.get("/jobs/1").text
    assert f'href="/sites/{SILENT}"' in page
    assert f'href="/runs/{run_id}"' in page


def test_a_job_tells_its_history(ada: Person, run_id: int) -> None:
    wanted = JobChange(status="in_progress", assignee="ada", note="Rang them.\n<b>Nobody</b> at home.")
    change(1, wanted, by="oscar", now=utcnow())
    page = ada.get("/jobs/1")
    text = words(page)
    assert "Opened by the rule No Coms in run 1" in text
    assert (
        "Status: Open → to In progress Assignee: none → to ada Rang them. <b>Nobody</b> at home. oscar,"
        in text
    )
    assert "&lt;b&gt;Nobody&lt;/b&gt; at home." in page.text


def test_an_open_job_of_an_inactive_site_says_that_the_site_is_not_judged(ada: Person, run_id: int) -> None:
    assert "This site is not judged" not in words(ada.get("/jobs/1"))
    with write() as session:
        session.execute(update(Site).values(active=False))
    assert "This site is not judged" in words(ada.get("/jobs/1"))
    assert "Inactive" in words(ada.get("/jobs/"))
