"""The list of jobs: filters that make a view, several jobs at once, and the way out as a file."""

import csv
import io
import re
import threading
from html import escape, unescape

import pytest
from werkzeug.test import TestResponse

from jobauto.auth.service import by_name
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.jobs import views
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job, JobView
from jobauto.settings import service as settings
from jobauto.storage.connections import write
from jobauto.web.carrying_out import AT_ONCE
from tests.fleets import add_site
from tests.pages.reading import error_beside, form_in, words
from tests.pages.scenes import faulty_fleet
from tests.people import Person
from tests.processes import await_until


def filter_of(page: TestResponse) -> dict[str, str]:
    """What the filter would ask for if nothing were typed."""
    return form_in(page.text.split('role="search" aria-label="Filter jobs"')[1].split("</form>")[0])


def test_what_the_list_is_filtered_by_is_shown_and_can_be_taken_off(readers: dict[str, Person]) -> None:
    page = readers["ada"].get("/jobs/?status=unclosed&priority=medium&site_id=%22%3E")
    shown = filter_of(page)
    assert (shown["status"], shown["priority"], shown["site_id"]) == ("unclosed", "medium", '">')
    assert 'Take off Priority: Medium × Take off Site id: "> ×' in words(page)
    assert 'href="/jobs/?status=unclosed&amp;priority=medium"><span class="visually-hidden">Take' in page.text
    assert "Clear" in words(page)


def test_without_a_filter_the_fields_are_folded_away_and_there_is_nothing_to_clear(
    readers: dict[str, Person],
) -> None:
    page = readers["ada"].get("/jobs/")
    assert '<details class="disclosure filter-more">' in page.text
    assert "Take off" not in words(page)
    assert "Clear" not in words(page)


@pytest.mark.parametrize(
    ("address", "title", "current"),
    [
        ("/jobs/", "Jobs: All open", "All open 2"),
        ("/jobs/?status=unclosed&assignee=oscar", "Jobs: Mine", "Mine 1"),
        ("/jobs/?status=unclosed&assignee=-&rule=no_coms", "Jobs: Unassigned, Rule: No Coms", "Unassigned 1"),
        ("/jobs/?status=any", "Jobs: All", None),
        ("/jobs/?status=closed&closed=week&sort=site", "Jobs: Closed this week", "Closed this week 1"),
    ],
)
def test_a_view_has_a_name_and_a_count_and_the_title_says_both_view_and_filter(
    oscar: Person, run_id: int, address: str, title: str, current: str | None
) -> None:
    add_site("GONE", {})
    run(RunParameters(trigger="manual"), utcnow)
    change(3, JobChange(status="closed"), by="oscar", now=utcnow())
    change(2, JobChange(assignee="oscar"), by="oscar", now=utcnow())
    page = oscar.get(address)
    assert f"<title>{title} –" in page.text
    assert "Mine 1 Unassigned 1 Recovered 0 All open 2 Closed this week 1" in words(page)
    marked = re.findall(r'aria-current="true">(.*?)</a>', page.text.split('aria-label="Views"')[1])
    assert [re.sub("<[^>]+>", "", text) for text in marked] == ([current] if current else [])


@pytest.mark.parametrize(
    "which",
    [{"name": "typed anew", "kept_as": "Mine, silent"}, {"name": "Mine, silent"}],
    ids=["now", "before"],
)
def test_a_view_is_kept_under_a_name_of_ones_own_and_forgotten(
    oscar: Person, ada: Person, run_id: int, which: dict[str, str]
) -> None:
    kept = {"name": "Mine, silent", "query": "status=unclosed&rule=no_coms"}
    answer = oscar.post("/jobs/view", action="keep", **kept)
    assert answer.location == "/jobs/?status=unclosed&rule=no_coms"
    assert 'href="/jobs/?status=unclosed&amp;rule=no_coms"><bdi' in oscar.get("/jobs/").text
    assert "<title>Jobs: Mine, silent –" in oscar.get("/jobs/?status=unclosed&rule=no_coms").text
    assert "Mine, silent" not in ada.get("/jobs/").text
    oscar.post("/jobs/view", action="keep", name="Mine, silent", query="rule=zero_reads")
    assert "The view Mine, silent is kept, in place of another of that name." in words(oscar.get("/jobs/"))
    oscar.post("/jobs/view", action="forget", **which)
    assert "Mine, silent" not in words(oscar.get("/jobs/"))


def test_a_kept_view_is_renamed_but_not_to_the_name_of_another(
    oscar: Person, ada: Person, run_id: int
) -> None:
    for person, name in ((oscar, "Silent"), (oscar, "Urgent"), (ada, "Silent")):
        person.post("/jobs/view", action="keep", name=name, query=f"search={name}")
    rename = {"action": "rename", "kept_as": "Silent", "query": "search=Silent"}

    oscar.post("/jobs/view", name="Urgent", **rename)
    page = oscar.get("/jobs/?search=Silent")
    assert "The view was not renamed: you have another one of the name Urgent." in words(page)
    assert "<title>Jobs: Silent –" in page.text

    answer = oscar.post("/jobs/view", name=" Quiet ", **rename)
    assert answer.location == "/jobs/?search=Silent"
    page = oscar.get("/jobs/?search=Silent")
    assert "The view Silent is called Quiet now." in words(page)
    assert "<title>Jobs: Quiet –" in page.text
    assert "<title>Jobs: Silent –" in ada.get("/jobs/?search=Silent").text

    oscar.post("/jobs/view", name="Anything", **rename)
    assert "The view was not renamed: it is kept no longer." in words(oscar.get("/jobs/"))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("status=unclosed&rule=no_coms", "1", id="a rule"),
        pytest.param("status=unclosed&assignee=-", "2", id="nobody's"),
        pytest.param("status=open&search=roof+flat", "1", id="words"),
        pytest.param("status=unclosed&site_id=SILENT", "1", id="a site"),
        pytest.param("status=unclosed&group=Gone", "0", id="a group that is no more"),
        pytest.param("status=closed&priority=high", "", id="closed ones, which may be too many to look at"),
        pytest.param("status=any", "", id="all, which may be too many to look at"),
    ],
)
def test_a_kept_view_of_open_jobs_has_their_number(
    oscar: Person, run_id: int, query: str, count: str
) -> None:
    oscar.post("/jobs/view", action="keep", name="Those", query=query)
    told = words(oscar.get("/jobs/")).split("Keep this view")[0]
    assert told.split("Those")[-1].strip() == count


def test_a_kept_view_that_is_looked_at_has_its_number_in_any_case(oscar: Person, run_id: int) -> None:
    oscar.post("/jobs/view", action="keep", name="Those", query="priority=medium")
    assert "Those 2 Change this view" in words(oscar.get("/jobs/?priority=medium"))


def test_of_more_views_than_one_can_keep_as_in_a_changed_backup_the_rest_is_left_out(
    oscar: Person, run_id: int
) -> None:
    """Each is counted: with 20,000 the list took 22 seconds."""
    with write() as session:
        mine = by_name("oscar").id
        names = [f"View {number:02}" for number in range(views.MOST_KEPT + 1)]
        session.add_all(JobView(user_id=mine, name=name, query="rule=no_coms") for name in names)
    text = words(oscar.get("/jobs/"))
    assert [name in text for name in names[-2:]] == [True, False]


def test_kept_views_are_not_counted_where_very_many_jobs_are_open(
    oscar: Person, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "COUNTED_AMONG", 1)
    oscar.post("/jobs/view", action="keep", name="Those", query="status=unclosed&rule=no_coms")
    assert "Those Keep this view" in words(oscar.get("/jobs/"))


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\tb"])
def test_a_view_without_a_proper_name_is_not_kept(oscar: Person, run_id: int, name: str) -> None:
    oscar.post("/jobs/view", action="keep", name=name, query="rule=no_coms")
    assert "kept" in words(oscar.get("/jobs/"))
    assert "?rule=no_coms" not in oscar.get("/jobs/").text


@pytest.mark.parametrize("sign", ["%00", "\0"])
def test_a_view_is_kept_without_a_sign_that_no_database_holds(oscar: Person, run_id: int, sign: str) -> None:
    oscar.post("/jobs/view", action="keep", name="Those", query=f"status=unclosed&search=a{sign}b")
    page = oscar.get("/jobs/")
    assert page.status_code == 200
    assert "?status=unclosed&amp;search=ab" in page.text


def test_a_sign_that_no_database_holds_is_not_left_by_taking_another_one_out(
    oscar: Person, run_id: int
) -> None:
    oscar.post("/jobs/view", action="keep", name="Those", query="status=unclosed&search=%%0000")
    assert oscar.get("/jobs/").status_code == 200


def test_how_many_rows_a_page_has_is_remembered(oscar: Person, ada: Person, run_id: int) -> None:
    assert 'value="25" aria-current="true"' in oscar.get("/jobs/").text
    assert oscar.post("/jobs/view", action="rows", rows="50", query="rule=no_coms").status_code == 302
    assert 'value="50" aria-current="true"' in oscar.get("/jobs/").text
    assert 'value="25" aria-current="true"' in ada.get("/jobs/").text


@pytest.mark.parametrize(
    ("address", "heading", "direction", "leads_to"),
    [
        ("/jobs/", "Created", "descending", "oldest"),
        ("/jobs/?sort=oldest", "Created", "ascending", "newest"),
        ("/jobs/?sort=longest", "Faulty for", "descending", "shortest"),
        ("/jobs/?sort=site", "Site", "ascending", "site_back"),
        ("/jobs/?sort=priority", "Site", None, "site"),
    ],
)
def test_a_heading_sorts_and_tells_how(
    readers: dict[str, Person], address: str, heading: str, direction: str | None, leads_to: str
) -> None:
    page = readers["oscar"].get(address).text
    found = re.search(rf"<th[^>]*>(?=<a[^>]*>{heading}).*?</th>", page)
    assert found
    assert page.count("aria-sort=") == (direction is not None)
    assert (f'aria-sort="{direction}"' in found[0]) == (direction is not None)
    assert f"sort={leads_to}" in found[0]


def test_a_view_has_an_address_without_what_was_left_empty(readers: dict[str, Person]) -> None:
    page = readers["ada"].get(
        "/jobs/?status=unclosed&rule=&assignee=&search=&sort=newest&priority=medium&page=1"
    )
    assert 'href="/jobs/?status=unclosed&amp;priority=medium">Link to this view</a>' in page.text
    assert 'href="/jobs/export.csv?status=unclosed&amp;priority=medium"' in page.text


def test_a_kept_view_of_a_queue_that_no_job_has_any_more_shows_none_and_not_all(
    readers: dict[str, Person],
) -> None:
    page = readers["ada"].get("/jobs/?queue=Gone")
    assert filter_of(page)["queue"] == "Gone"
    assert "No job matches this filter" in words(page)


@pytest.mark.parametrize("age", ["x", "-1", "1e9", pytest.param("9" * 310, id="more than a float holds")])
def test_an_age_that_is_none_is_told_beside_the_field(readers: dict[str, Person], age: str) -> None:
    page = readers["ada"].get(f"/jobs/?min_age={age}")
    assert page.status_code == 200
    assert error_beside(page, "min_age")
    assert '<details class="disclosure filter-more" open>' in page.text
    assert filter_of(page)["min_age"] == age


def test_a_job_is_listed_with_its_queue_assignee_and_recovery(ada: Person, oscar: Person) -> None:
    settings.save(lambda before: before.changed({"NO_COMS": {"queue": "Comms"}}), by="ada", now=utcnow())
    faulty_fleet()
    run(RunParameters(trigger="manual"), utcnow)
    change(1, JobChange(assignee="oscar"), by="ada", now=utcnow())
    text = words(ada.get("/jobs/?rule=no_coms"))
    assert "No Coms Comms never reported just now Open oscar" in text
    assert "Zero Reads for 4 days just now Open Nobody" in words(ada.get("/jobs/?rule=zero_reads"))
    assert "Silent roof" in words(ada.get("/jobs/?queue=Comms&assignee=oscar"))
    assert "Silent roof" not in words(ada.get("/jobs/?assignee=-"))


def test_several_jobs_are_assigned_closed_and_reopened_at_once(oscar: Person, run_id: int) -> None:
    answer = oscar.post("/jobs/?status=unclosed", action="assign", assignee="oscar", job=["1", "2"])
    assert answer.location == "/jobs/?status=unclosed"
    page = words(oscar.get("/jobs/?assignee=oscar"))
    assert "2 jobs assigned to oscar. Undo" in page
    assert "2 jobs" in page.replace("2 jobs assigned", "")

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
    assert "1 job reopened. 2 were not changed." in text
    assert "Job 1: This site has another open job of this type." in text
    assert "Job 999: There is no such job." in text


def test_jobs_that_are_left_alone_for_the_same_reason_are_told_of_together(
    oscar: Person, run_id: int
) -> None:
    jobs = ["1", "2"]
    oscar.post("/jobs/", action="close", resolution="fixed", job=jobs)
    oscar.get("/jobs/")
    oscar.post("/jobs/", action="close", resolution="other", job=jobs)
    text = words(oscar.get("/jobs/"))
    assert "Nothing was changed." in text
    assert "Jobs 1, 2: It is closed already, as fixed by oscar." in text


def test_all_that_match_are_changed_unless_more_match_than_the_page_said(oscar: Person, run_id: int) -> None:
    view = "/jobs/?status=unclosed&assignee=-"
    oscar.post(view, action="assign", assignee="oscar", all="1")
    assert "Nothing was changed: 2 jobs match now, and the page said 1." in words(oscar.get(view))
    oscar.post(view, action="assign", assignee="oscar", all="2")
    assert "2 jobs assigned to oscar." in words(oscar.get(view))


def test_many_jobs_are_changed_in_the_background_and_their_page_tells_how_far(
    oscar: Person, run_id: int
) -> None:
    for number in range(AT_ONCE):
        add_site(f"N{number}", {})
    run(RunParameters(trigger="manual"), utcnow)
    oscar.post("/jobs/", action="priority", priority="high", all=str(AT_ONCE + 2))
    page = oscar.get("/jobs/")
    assert "102 jobs at once: this goes on in the background." in words(page)
    oscar.post("/jobs/", action="priority", priority="low", all=str(AT_ONCE + 2))
    at_work = [thread for thread in threading.enumerate() if thread.name == "bulk-action"]
    assert len(at_work) <= 1, "each would hold a connection that pages need"

    def told() -> str:
        return words(oscar.get("/jobs/bulk/1"))

    await_until(lambda: "Under way" not in told(), "all are done")
    assert "102 jobs given high priority" in told()


def test_what_was_done_with_several_jobs_names_them_its_note_and_the_list_it_came_from(
    oscar: Person, run_id: int
) -> None:
    change(2, JobChange(status="closed", resolution="other"), by="ada", now=utcnow())
    view = "/jobs/?status=any&sort=oldest"
    oscar.post(view, action="close", resolution="fixed", note="New <fuse>", job=["1", "2"])
    details = re.search(r'href="(/jobs/bulk/1[^"]*)"', oscar.get(view).text)
    assert details
    page = oscar.get(unescape(details[1]))
    text = words(page)
    assert "Note New <fuse>" in text
    assert text.index("#2 Flat roof FLAT It is closed already") < text.index(
        "#1 Silent roof SILENT Closed as fixed"
    )
    assert [address in page.text for address in ('href="/jobs/1"', 'href="/jobs/2"')] == [True, True]
    for address in (f'href="{escape(view)}"', 'action="/jobs/bulk/1/undo?status=any&amp;sort=oldest"'):
        assert address in page.text


def test_an_action_is_undone_from_its_page_by_operators_only(
    oscar: Person, vera: Person, run_id: int
) -> None:
    oscar.post("/jobs/", action="assign", assignee="oscar", job=["1", "2"])
    change(2, JobChange(assignee=""), by="ada", now=utcnow())
    assert "Undo" not in words(vera.get("/jobs/bulk/1"))
    assert vera.post("/jobs/bulk/1/undo").status_code == 403
    assert oscar.post("/jobs/bulk/1/undo?status=unclosed").location == "/jobs/?status=unclosed"
    text = words(oscar.get("/jobs/"))
    assert "Undone for 1 job. 1 was not changed. Details Job 2: ada has changed it since." in text
    assert "It was undone." in words(oscar.get("/jobs/bulk/1"))
    assert "#2 Flat roof FLAT ada has changed it since." in words(oscar.get("/jobs/bulk/2"))


def test_what_left_a_job_alone_can_be_undone_and_an_undoing_cannot(oscar: Person, run_id: int) -> None:
    change(2, JobChange(assignee="ada"), by="ada", now=utcnow())
    oscar.post("/jobs/", action="assign", assignee="oscar", job=["1", "2"])
    assert "1 job assigned to oscar. 1 was not changed. Undo Details" in words(oscar.get("/jobs/"))
    oscar.post("/jobs/bulk/1/undo")
    assert "Undone for 1 job. Details" in words(oscar.get("/jobs/"))
    oscar.post("/jobs/bulk/2/undo")
    assert "Nothing was undone" in words(oscar.get("/jobs/"))


@pytest.mark.parametrize(("typed", "queue"), [("", "Roofs"), (" ", "Roofs"), ("-", "")])
def test_only_who_says_so_takes_jobs_out_of_their_queue(
    oscar: Person, run_id: int, typed: str, queue: str
) -> None:
    change(1, JobChange(queue="Roofs"), by="ada", now=utcnow())
    oscar.post("/jobs/", action="queue", queue=typed, job=["1"])
    db.session.rollback()
    assert db.session.get_one(Job, 1).queue == queue
    told = "Nothing was changed: type the queue first, or - for none." in words(oscar.get("/jobs/"))
    assert told == bool(queue)


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
    readers: dict[str, Person], fields: dict[str, object]
) -> None:
    assert readers["oscar"].post("/jobs/", **fields).status_code == 302
    text = words(readers["oscar"].get("/jobs/"))
    assert "Nothing was changed: tick some jobs first" in text
    assert text.count("Open Nobody") == 2


def test_a_viewer_sees_the_jobs_without_boxes_and_cannot_change_them(readers: dict[str, Person]) -> None:
    page = readers["vera"].get("/jobs/")
    assert "Silent roof" in words(page)
    assert 'name="job"' not in page.text
    assert 'method="post" action="/jobs/' not in page.text
    assert readers["vera"].post("/jobs/", action="close", resolution="fixed", job=["1"]).status_code == 403


def test_of_a_filter_given_twice_the_first_counts(readers: dict[str, Person]) -> None:
    page = words(readers["vera"].get("/jobs/?rule=no_coms&rule=zero_reads"))
    assert "Silent roof" in page
    assert "Flat roof" not in page


def test_the_jobs_of_a_view_come_out_as_a_file(readers: dict[str, Person]) -> None:
    answer = readers["vera"].get("/jobs/export.csv?rule=no_coms")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=jobs.csv"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["id"], row["site_id"], row["status"]) for row in rows] == [("1", "SILENT", "open")]
