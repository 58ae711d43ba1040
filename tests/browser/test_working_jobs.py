"""A day with jobs in a real browser: a view, several jobs at once, one job from end to end."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import Wanted
from jobauto.models import BulkJob
from jobauto.sites import queries as sites
from jobauto.storage.connections import write
from tests.browser.conftest import Visit
from tests.fleets import add_readings
from tests.pages.scenes import FLAT
from tests.readings.doubts import add_classified

pytestmark = pytest.mark.process


def test_a_view_is_made_kept_and_its_jobs_are_worked_several_at_once(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    page.get_by_text("More filters").click()
    page.get_by_label("Priority").first.select_option("Medium")
    page.get_by_role("button", name="Filter").last.click()
    chip = page.get_by_role("link", name="Take off Priority: Medium")
    expect(chip).to_be_visible()
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name of this view").fill("Not urgent")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("status")).to_have_text("The view Not urgent is kept.")
    kept = page.get_by_role("navigation", name="Views").get_by_role("link", name="Not urgent")
    expect(kept).to_have_attribute("aria-current", "true")
    expect(page).to_have_title("Jobs: Not urgent – jobauto")

    page.get_by_label("Choose job 1").check()
    page.get_by_label("Choose job 2").check()
    page.get_by_label("Assign to").select_option("oscar")
    page.get_by_role("button", name="Assign").click()
    message = page.get_by_role("status").filter(has_text="assigned")
    expect(message).to_contain_text("2 jobs assigned to oscar. Undo")
    expect(message).to_be_focused()
    expect(page).to_have_url(f"{page.url.split('?')[0]}?status=unclosed&priority=medium")
    expect(page.get_by_role("table").locator(".cell-who")).to_have_text(["oscar", "oscar"])
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("Undone for 2 jobs.")
    expect(page.get_by_role("table").locator(".cell-who")).to_have_text(["Nobody", "Nobody"])

    page.get_by_label("Choose job 2").check()
    page.get_by_label("Close as").select_option("False alarm")
    page.get_by_label("Note on closing").fill("Bird on the roof.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)


def test_all_jobs_of_the_page_are_ticked_at_once(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    page.get_by_label("Choose all jobs of this page").check()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_label("Choose all jobs of this page").uncheck()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_the_list_is_worked_without_a_script_and_by_the_keyboard_alone(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="oscar", java_script_enabled=False).open("/jobs/")
    page.get_by_label("Choose job 1").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 job closed as fixed.")


def test_the_jobs_of_a_view_are_downloaded(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="vera").open("/jobs/?rule=no_coms")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    assert downloading.value.suggested_filename == "jobs.csv"
    assert len(Path(downloading.value.path()).read_text().splitlines()) == 2


def test_a_job_is_worked_from_its_page(visit: Visit, run_id: int) -> None:
    visitor = visit(logged_in_as="oscar")
    page = visitor.open("/jobs/2")
    work = page.get_by_role("form", name="Work on it")
    page.get_by_label("Status").select_option("In progress")
    page.get_by_label("Assignee").select_option("oscar")
    work.get_by_label("Note").fill("Rang them.\nSomebody goes there.")
    work.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_text("Rang them. Somebody goes there.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Rang them.")).to_contain_text("In progress")

    work.get_by_label("Note").fill("   ")
    work.get_by_role("button", name="Save").click()
    expect(work.get_by_label("Note")).to_have_accessible_description("Must have 1 to 2000 characters.")
    expect(page.get_by_label("Status")).to_have_value("in_progress")
    assert visitor.complained_of("422")


def test_a_recovery_is_seen_in_the_chart_and_in_the_table_beside_it(visit: Visit, run_id: int) -> None:
    add_readings(db.session.scalars(sites.by_site_id(FLAT)).one().key, {utcnow(): "1250"})
    page = visit(logged_in_as="vera").open("/jobs/2")
    expect(page.get_by_text("The register has moved")).to_be_visible()
    expect(page.get_by_role("img", name="Line chart of the register")).to_be_visible()
    since = page.get_by_role("table", name="Newest readings since then")
    expect(since).to_be_hidden()
    page.get_by_text("The numbers as a table").click()
    expect(since).to_contain_text("1,250.00")


def test_without_scripts_the_readings_are_a_table(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="vera", java_script_enabled=False).open("/jobs/2")
    expect(page.get_by_role("table", name="Readings that the job was opened on")).to_be_visible()
    expect(page.locator("canvas")).to_be_hidden()


def test_a_site_is_snoozed_met_in_the_inventory_and_woken(visit: Visit, run_id: int) -> None:
    visitor = visit(logged_in_as="oscar")
    page = visitor.open(f"/sites/{FLAT}")
    expect(page.locator("canvas")).to_have_count(2)
    page.get_by_text("Snooze this site").click()
    page.get_by_label("Until and including").fill(utcnow().date().isoformat())
    page.get_by_role("button", name="Snooze").click()
    expect(page.get_by_label("Reason")).to_have_accessible_description("Say why.")
    assert visitor.complained_of("422")
    page.get_by_label("Reason").fill("Roof work")
    page.get_by_role("button", name="Snooze").click()
    expect(page.get_by_text("This site is snoozed until")).to_be_visible()

    page.get_by_role("link", name="Sites").first.click()
    page.get_by_label("State").select_option("Snoozed")
    page.get_by_role("button", name="Filter").click()
    snoozed = page.get_by_role("table", name="Sites, by id")
    expect(snoozed).to_contain_text("Roof work")
    snoozed.get_by_role("link", name="Flat roof").click()
    page.get_by_role("button", name="End the snooze").click()
    expect(page.get_by_text("This site is snoozed")).to_have_count(0)


def test_sites_are_chosen_by_the_page_and_with_the_shift_key_and_are_counted(
    visit: Visit, run_id: int
) -> None:
    page = visit(logged_in_as="oscar").open("/sites/")
    all_of_page, boxes = (
        page.get_by_label("Choose all sites of this page"),
        page.locator("tbody .cell-choose"),
    )
    boxes.nth(0).get_by_role("checkbox").click()
    boxes.nth(2).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.get_by_text("3 chosen")).to_be_visible()
    expect(all_of_page).not_to_be_checked()
    all_of_page.check()
    expect(page.get_by_text("4 chosen")).to_be_visible()
    page.get_by_label("Group", exact=True).last.fill("North")
    page.get_by_label("Group", exact=True).last.press("Enter")
    expect(page.get_by_text("4 chosen")).to_be_visible()  # Enter presses no button
    page.get_by_role("button", name="Set group").click()
    expect(page.locator(".notice:focus")).to_have_text("4 sites changed.")


@pytest.mark.parametrize("path", ["/sites/", "/jobs/", "/reviews/"])
def test_on_a_phone_a_button_chooses_all_of_the_page(visit: Visit, run_id: int, path: str) -> None:
    add_classified("DOUBT", [100, 110, 20, 21, 22])
    page = visit(logged_in_as="oscar", viewport={"width": 375, "height": 800}).open(path)
    page.get_by_role("button", name="Select all").click()
    boxes = page.locator("tbody [type=checkbox]")
    expect(page.locator("tbody :checked")).to_have_count(boxes.count())
    expect(page.get_by_text(f"{boxes.count()} chosen")).to_be_visible()
    page.get_by_role("button", name="Clear selection").click()
    expect(page.locator("tbody :checked")).to_have_count(0)


def test_a_page_that_waits_shows_how_far_it_is_and_the_end_by_itself(visit: Visit, run_id: int) -> None:
    bulk_id = bulk_actions.begin({1: "", 2: ""}, Wanted("queue", {"queue": "Roof"}), by="ada", now=utcnow())
    page = visit(logged_in_as="oscar").open(f"/jobs/bulk/{bulk_id}")
    expect(page.get_by_text("0 of 2 jobs done.")).to_be_visible()
    with write() as session:
        session.execute(update(BulkJob).where(BulkJob.job_id == 1).values(done=True))
    expect(page.get_by_text("1 of 2 jobs done.")).to_be_visible()
    bulk_actions.go_on(bulk_id)
    expect(page.get_by_role("heading", level=1)).to_have_text("2 jobs moved to the queue Roof")
