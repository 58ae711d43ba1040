"""A job's page: what was seen, what has become of it, and the steps of the work."""

import pytest

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.settings import service as settings
from jobauto.sites import queries as sites
from tests.fleets import add_readings
from tests.pages.reading import error_beside, form_of, words
from tests.pages.scenes import FLAT, faulty_fleet
from tests.people import Person


def test_a_step_of_the_work_is_taken_and_kept_with_who_and_when(oscar: Person, run_id: int) -> None:
    answer = oscar.post("/jobs/1", status="in_progress", priority="high", assignee="oscar", note="On my way.")
    assert answer.location == "/jobs/1"
    page = oscar.get("/jobs/1")
    text = words(page)
    assert "Saved." in text
    one_entry = (
        "Status: Open → to In progress Priority: Medium → to High Assignee: none → to oscar On my way. oscar,"
    )
    assert one_entry in text
    shown = form_of(page)
    assert (shown["status"], shown["priority"], shown["assignee"], shown["note"]) == (
        "in_progress",
        "high",
        "oscar",
        "",
    )


def test_closing_has_a_resolution_and_reopening_takes_it_away(oscar: Person, run_id: int) -> None:
    oscar.post("/jobs/1", status="closed", resolution="fixed")
    assert form_of(oscar.get("/jobs/1"))["resolution"] == "fixed"
    form = form_of(oscar.get("/jobs/1"))
    oscar.client.post("/jobs/1", data=form | {"status": "open"})
    text = words(oscar.get("/jobs/1"))
    assert "Status: Closed → to Open" in text
    assert "Resolution: Fixed → to none" in text


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("status", "gone", "Not a valid choice."),
        ("priority", "urgent", "Not a valid choice."),
        ("assignee", "stranger", "Not a valid choice."),
        ("note", "x" * 2001, "Field cannot be longer than 2000 characters."),
        ("note", "   ", "Must have 1 to 2000 characters."),
    ],
    ids=["status", "priority", "assignee", "long note", "blank note"],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_changed(
    oscar: Person, run_id: int, field: str, typed: str, why: str
) -> None:
    page = oscar.post("/jobs/1", **{"status": "on_hold", field: typed})
    assert page.status_code == 422
    assert error_beside(page, field) == why
    assert form_of(oscar.get("/jobs/1"))["status"] == "open"


def test_reopening_beside_an_open_job_is_refused_and_says_why(oscar: Person, run_id: int) -> None:
    change(1, JobChange(status="closed"), by="oscar", now=utcnow())
    run(RunParameters(trigger="manual"), utcnow)
    page = oscar.post("/jobs/1", status="open")
    assert page.status_code == 409
    assert error_beside(page, "status") == "Another job of this site and type is open."
    assert "This site has another open job of this type. Work that one, or close it first." in words(page)
    assert "Other jobs of this site" in words(page)


def test_a_note_from_an_old_page_does_not_undo_what_others_did_since(
    oscar: Person, ada: Person, run_id: int
) -> None:
    form = form_of(oscar.get("/jobs/1")) | {"note": "Nobody at home."}
    ada.post("/jobs/1", status="closed", resolution="fixed", priority="high", assignee="ada")
    assert oscar.client.post("/jobs/1", data=form).status_code == 302
    shown = form_of(oscar.get("/jobs/1"))
    assert (shown["status"], shown["resolution"], shown["priority"], shown["assignee"]) == (
        "closed",
        "fixed",
        "high",
        "ada",
    )
    assert "Nobody at home." in words(oscar.get("/jobs/1"))


def test_a_viewer_reads_the_job_and_finds_nothing_to_press(vera: Person, run_id: int) -> None:
    page = vera.get("/jobs/1")
    assert "Work on it" not in words(page)
    assert "Assignee Nobody" in words(page)
    assert "<form" not in page.text.split("<main")[1]
    assert vera.post("/jobs/1", status="closed").status_code == 403


def test_a_register_that_moves_again_is_seen_at_a_glance(vera: Person, run_id: int) -> None:
    assert "No reading since the job was opened" in words(vera.get("/jobs/2"))
    add_readings(_key(FLAT), {utcnow(): "1240.5"})
    page = vera.get("/jobs/2")
    assert "The register has moved 1 reading since the job was opened" in words(page)
    assert "up 6.50 kWh. The next run tells whether the fault is gone." in words(page)


def test_a_recovered_job_says_so_and_leads_to_the_run_that_saw_it(vera: Person, run_id: int) -> None:
    add_readings(_key(FLAT), {utcnow(): "1240.5"})
    later = run(RunParameters(trigger="manual"), utcnow).run_id
    page = vera.get("/jobs/2")
    assert f"Recovered Run {later} saw at" in words(page)
    assert f'href="/runs/{later}"' in page.text
    assert "Recovered" in words(vera.get("/jobs/?recovered=yes"), "table")


def test_a_job_carries_its_instructions_queue_and_the_settings_it_was_opened_with(vera: Person) -> None:
    changes = {"queue": "Comms", "instructions": "- Ring them\n- Check the SIM", "days_threshold": 5}
    settings.save(lambda before: before.changed({"NO_COMS": changes}), by="ada", now=utcnow())
    faulty_fleet()
    run(RunParameters(trigger="manual"), utcnow)
    settings.save(lambda before: before.changed({"NO_COMS": {"days_threshold": 9}}), by="ada", now=utcnow())
    page = vera.get("/jobs/1")
    assert "- Ring them\n- Check the SIM" in page.text
    assert "Queue Comms" in words(page)
    assert "Days without a reading 5" in words(page)


def _key(site_id: str) -> int:
    key: int = db.session.scalars(sites.by_site_id(site_id)).one().key
    return key
