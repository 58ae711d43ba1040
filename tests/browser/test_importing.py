"""Importing in a real browser: choose a file, see what was rejected, mend it, import it again."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.imports.profiles import service as profiles
from jobauto.models import Import
from jobauto.storage.connections import write
from jobauto.work import threads
from tests.browser.conftest import Visit
from tests.fleets import add_site
from tests.imports.undoing import ADA
from tests.pages.test_importing import FEED, OF_FEED

pytestmark = pytest.mark.process

HEADER = "site_id,reading_date,reading_value\n"
GOOD = "S1,2026-03-31T06:00,1234.56\n"
BAD = "S1,31/03/2026 18:00,1240\n"


def _send(page: Page, content: str, *, look_only: bool = False) -> None:
    page.get_by_role("link", name="Import", exact=True).first.click()
    page.get_by_label("File contains").select_option("Readings")
    file = FilePayload(name="march.csv", mimeType="text/csv", buffer=content.encode())
    page.get_by_label("File", exact=True).set_input_files(file)
    if look_only:
        page.get_by_label("Only show what would happen").check()
    page.get_by_role("button", name="Import").click()
    ended = "Preview" if look_only else "Finished"
    expect(page.locator(".tag").first).to_have_text(ended)  # the page looks again by itself


def test_rejected_rows_are_named_downloaded_mended_and_imported(visit: Visit) -> None:
    add_site("S1")
    page = visit(logged_in_as="oscar").page
    _send(page, HEADER + GOOD + BAD)
    expect(page.locator("main .notice-title")).to_have_text("1 row was rejected")
    row = page.get_by_role("table", name="The first rejected rows").get_by_role("row").nth(1)
    expect(row).to_contain_text("reading_date is not a date and time like 2026-03-31T06:00")

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the rejected rows").click()
    rejected = Path(downloading.value.path()).read_text()
    assert rejected == HEADER + BAD

    _send(page, rejected.replace("31/03/2026 18:00", "2026-03-31T18:00"))
    expect(page.get_by_text("Every row of the file was taken.")).to_be_visible()


def test_a_look_stores_nothing_and_says_so(visit: Visit) -> None:
    add_site("S1")
    visitor = visit(logged_in_as="oscar")
    _send(visitor.page, HEADER + GOOD, look_only=True)
    expect(visitor.page.locator("main .notice-title")).to_have_text("Preview: nothing was stored")
    expect(visitor.open("/sites/S1").get_by_text("No readings yet")).to_be_visible()


def test_what_a_chosen_file_contains_is_told_before_it_is_sent(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/import/")
    choose, told = page.get_by_label("File", exact=True), page.locator("[data-told]")

    def chosen(content: str) -> None:
        choose.set_input_files(FilePayload(name="a.csv", mimeType="text/csv", buffer=content.encode()))

    chosen("site_id,site_name\nS1,Mill Lane\n")
    expect(told).to_have_text("By its header the file contains sites.")
    page.get_by_label("File contains").select_option("Readings")
    expect(told).to_contain_text("The header says that the file contains sites")
    page.get_by_label("File contains").select_option("What its header says")
    chosen(HEADER + GOOD)
    expect(told).to_have_text("By its header the file contains readings.")
    page.get_by_label("File contains").select_option("Readings")
    chosen("MPAN,Date\n")
    expect(told).to_contain_text("A file of another feed needs its profile.")


def test_the_profile_that_reads_a_chosen_file_is_chosen_with_it_and_an_old_error_goes(visit: Visit) -> None:
    profiles.save("portal", json.loads(FEED), ADA)
    visitor = visit(logged_in_as="oscar")
    page = visitor.open("/import/")
    choose, profile = page.get_by_label("File", exact=True), page.get_by_label("Profile")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Choose a file.")).to_be_visible()

    choose.set_input_files(FilePayload(name="a.csv", mimeType="text/csv", buffer=OF_FEED.encode()))
    expect(profile).to_have_value("portal")
    expect(page.get_by_text("Choose a file.")).to_have_count(0)

    choose.set_input_files(FilePayload(name="b.csv", mimeType="text/csv", buffer=(HEADER + GOOD).encode()))
    expect(profile).to_have_value("")
    assert visitor.complained_of("422")


def test_how_far_an_import_is_is_shown_without_reloading_the_page_up_to_its_end(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)

    def becomes(**values: object) -> None:
        with write() as session:
            session.execute(update(Import).values(values))

    page = visit(logged_in_as="oscar").page
    page.goto(page.url + "import/")
    page.get_by_label("File", exact=True).set_input_files(
        FilePayload(name="march.csv", mimeType="text/csv", buffer=(HEADER + GOOD).encode())
    )
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    page.evaluate("window.isTheSamePage = true")

    becomes(status="running", is_checked=True, size=1000, done=300, rows=10, heartbeat_at=utcnow())
    expect(page.get_by_text("300 bytes of 1.0 kB (30 %) read.")).to_be_visible()
    becomes(done=800, new=3)
    expect(page.locator("progress")).to_have_js_property("value", 800)
    expect(page.locator("[data-text=new]")).to_have_text("3")
    expect(page.locator("[data-told]")).to_have_text("800 bytes of 1.0 kB (80 %) read.")

    becomes(status="finished", finished_at=utcnow(), done=1000)
    expect(page.get_by_text("Every row of the file was taken.")).to_be_visible()
    expect(page.locator("[data-told]")).to_have_text("Imported")
    assert page.evaluate("window.isTheSamePage")


def test_a_form_without_a_file_says_what_is_missing(visit: Visit) -> None:
    visitor = visit(logged_in_as="oscar")
    page = visitor.open("/import/")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_label("File", exact=True)).to_have_accessible_description("Choose a file.")
    assert visitor.complained_of("422")
