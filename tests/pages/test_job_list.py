"""The list of jobs: filters that make a view, several jobs at once, and the way out as a file."""

import csv
import io

import pytest

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.jobs.service import JobChange, change
from jobauto.settings import service as settings
from tests.pages.reading import error_beside, form_of, words
from tests.pages.scenes import faulty_fleet
from tests.people import Person


def test_the_filter_shows_what_it_filters_by_and_opens_where_that_is_hidden(ada: Person, run_id: int) -> None:
    page = ada.get("/jobs/?status=unclosed&priority=medium&site_id=%22%3E")
    shown = form_of(page)
    assert (shown["status"], shown["priority"], shown["site_id"]) == ("unclosed", "medium", '">')
    assert '<details class="disclosure filter-more" open>' in page.text
    assert "More filters (2 in use)" in words(page)


def test_without_a_filter_the_rare_ones_are_folded_away_and_there_is_nothing_to_clear(
    ada: Person, run_id: int
) -> None:
    page = ada.get("/jobs/")
    assert '<details class="disclosure filter-more">' in page.text
    assert "Clear" not in words(page)


def test_a_view_has_an_address_without_what_was_left_empty(ada: Person, run_id: int) -> None:
    page = ada.get("/jobs/?status=unclosed&rule=&assignee=&search=&sort=newest&priority=medium&page=1")
    assert 'href="?status=unclosed&amp;priority=medium">Link to this view</a>' in page.text
    assert 'href="/jobs/export.csv?status=unclosed&amp;priority=medium"' in page.text


def test_a_kept_view_of_a_queue_that_no_job_has_any_more_shows_none_and_not_all(
    ada: Person, run_id: int
) -> None:
    page = ada.get("/jobs/?queue=Gone")
    assert form_of(page)["queue"] == "Gone"
    assert "No job matches this filter" in words(page)


@pytest.mark.parametrize("age", ["x", "-1", "1e9"])
def test_an_age_that_is_none_is_told_beside_the_field(ada: Person, run_id: int, age: str) -> None:
    page = ada.get(f"/jobs/?min_age={age}")
    assert page.status_code == 200
    assert error_beside(page, "min_age")
    assert '<details class="disclosure filter-more" open>' in page.text
    assert form_of(page)["min_age"] == age


def test_a_job_is_listed_with_its_queue_assignee_and_recovery(ada: Person, oscar: Person) -> None:
    settings.save(lambda before: before.changed({"NO_COMS": {"queue": "Comms"}}), by="ada", now=utcnow())
    faulty_fleet()
    run(RunParameters(trigger="manual"), utcnow)
    change(1, JobChange(assignee="oscar"), by="ada", now=utcnow())
    text = words(ada.get("/jobs/?rule=no_coms"))
    assert "Open Medium oscar Comms" in text
    assert "Open Medium Nobody" in words(ada.get("/jobs/?rule=zero_reads"))
    assert "Silent roof" in words(ada.get("/jobs/?queue=Comms&assignee=oscar"))
    assert "Silent roof" not in words(ada.get("/jobs/?assignee=-"))


def test_several_jobs_are_assigned_closed_and_reopened_at_once(oscar: Person, run_id: int) -> None:
    answer = oscar.post("/jobs/?status=unclosed", action="assign", assignee="oscar", job=["1", "2"])
    assert answer.location == "/jobs/?status=unclosed"
    page = words(oscar.get("/jobs/?assignee=oscar"))
    assert "Changed 2 jobs." in page
    assert "2 jobs" in page.replace("Changed 2 jobs.", "")

    oscar.post("/jobs/", action="close", resolution="false_alarm", job=["1", "2"])
    assert words(oscar.get("/jobs/?status=closed")).count("Closed False alarm") == 2

    oscar.post("/jobs/", action="reopen", job=["2"])
    assert "1 job" in words(oscar.get("/jobs/?status=open"))


def test_a_job_that_cannot_be_reopened_is_named_with_the_reason_and_the_others_are(
    oscar: Person, run_id: int
) -> None:
    for job_id in (1, 2):
        change(job_id, JobChange(status="closed"), by="oscar", now=utcnow())
    settings.save(lambda before: before.changed({"ZERO_READS": {"enabled": False}}), by="ada", now=utcnow())
    run(RunParameters(trigger="manual"), utcnow)  # the silent site gets another job

    oscar.post("/jobs/", action="reopen", job=["1", "2", "999"])

    text = words(oscar.get("/jobs/"))
    assert "Changed 1 job of 3." in text
    assert "Job 1: This site has another open job of this type." in text
    assert "Job 999: There is no such job." in text


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "close", "resolution": "fixed"},
        {"job": ["1"]},
        {"action": "explode", "job": ["1"]},
        {"action": "assign", "assignee": "stranger", "job": ["1"]},
        {"action": "close", "job": ["x", "-1", "9" * 40]},
    ],
    ids=["no job", "no action", "unknown action", "unknown assignee", "no numbers"],
)
def test_a_choice_that_is_incomplete_changes_nothing_and_says_so(
    oscar: Person, run_id: int, fields: dict[str, object]
) -> None:
    assert oscar.post("/jobs/", **fields).status_code == 302
    text = words(oscar.get("/jobs/"))
    assert "Nothing was changed: tick some jobs first" in text
    assert text.count("Open Medium Nobody") == 2


def test_a_viewer_sees_the_jobs_without_boxes_and_cannot_change_them(vera: Person, run_id: int) -> None:
    page = vera.get("/jobs/")
    assert "Silent roof" in words(page)
    assert 'type="checkbox"' not in page.text
    assert 'method="post" action="/jobs/' not in page.text
    assert vera.post("/jobs/", action="close", resolution="fixed", job=["1"]).status_code == 403


def test_of_a_filter_given_twice_the_first_counts(vera: Person, run_id: int) -> None:
    page = words(vera.get("/jobs/?rule=no_coms&rule=zero_reads"))
    assert "Silent roof" in page
    assert "Flat roof" not in page


def test_the_jobs_of_a_view_come_out_as_a_file(vera: Person, run_id: int) -> None:
    answer = vera.get("/jobs/export.csv?rule=no_coms")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=jobs.csv"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["id"], row["site_id"], row["status"]) for row in rows] == [("1", "SILENT", "open")]
