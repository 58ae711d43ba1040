"""The main job in a real browser: log in, change a setting, see its error, run now, see the job."""

import pytest
from playwright.sync_api import expect

from jobauto.config import DEVICE_COOKIE, SESSION_COOKIE
from tests.browser.conftest import Visit
from tests.databases import POSTGRESQL, SQLITE
from tests.fleets import add_site
from tests.pages import scenes

pytestmark = pytest.mark.process


@pytest.mark.parametrize("engine", [SQLITE, POSTGRESQL], indirect=True)
def test_an_admin_logs_in_mends_a_setting_runs_the_check_and_sees_the_job(visit: Visit) -> None:
    scenes.faulty_fleet()
    visitor = visit(logged_in_as="ada")
    page = visitor.page

    page.get_by_role("link", name="Settings").click()
    page.get_by_role("tab", name="Zero Reads").click()
    zero_reads = page.get_by_role("group", name="Zero Reads")
    zero_reads.get_by_label("Days to check").fill("31")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    field = page.get_by_role("group", name="Zero Reads").get_by_label("Days to check")
    expect(field).to_have_value("31")
    expect(field).to_have_accessible_description(
        "Must be at most 30. How far back the rule looks, in days of 24 hours: 2 to 30."
    )
    assert visitor.complained_of("422")

    field.fill("3")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_contain_text("Settings saved.")
    expect(page.get_by_text("site's readings of the last 3 days (72 hours)")).to_be_visible()
    history = page.get_by_role("table", name="Changes of the settings")
    expect(history.get_by_role("row").nth(1)).to_contain_text("Zero Reads: Days to check")

    page.get_by_role("link", name="Dashboard").click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run 1")
    expect(page.get_by_text("opened 1 new job").first).to_be_visible()

    page.get_by_role("row").filter(has_text="Flat roof").get_by_role("link", name="#").click()
    expect(page.get_by_text("The register has stood at 1,234.00 kWh since")).to_be_visible()
    page.get_by_role("link", name="Flat roof").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flat roof")


def test_a_number_that_is_none_is_told_though_the_browser_hides_what_was_typed(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/settings/")
    page.get_by_label("Days without a reading").press_sequentially("e")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator(".field-error")).to_have_text("Must be a whole number.")
    assert visitor.complained_of("422")


def test_a_viewer_sees_the_settings_and_cannot_type_into_them(visit: Visit) -> None:
    page = visit(logged_in_as="vera").open("/settings/")
    page.get_by_role("tab", name="Zero Reads").click()
    expect(page.get_by_label("Days to check")).to_be_disabled()
    expect(page.get_by_role("button", name="Save settings")).to_have_count(0)


def test_logging_out_ends_it(visit: Visit) -> None:
    visitor = visit()
    visitor.page.get_by_role("button", name="Log out").click()
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(visitor.open("/jobs/").get_by_role("heading", name="Log in")).to_be_visible()


def test_the_browser_keeps_nothing_but_two_cookies(visit: Visit) -> None:
    scenes.checked_fleet()
    visitor = visit()
    for path in ("/", "/jobs/1", f"/sites/{scenes.FLAT}"):
        page = visitor.open(path)
    kept = page.evaluate(
        """async () => [
            localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
            (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
        ]"""
    )
    assert kept == [0, 0, 0, 0, 0]
    assert {cookie.get("name") for cookie in page.context.cookies()} == {SESSION_COOKIE, DEVICE_COOKIE}


def test_a_hostile_name_is_shown_and_not_run(visit: Visit) -> None:
    add_site("<b>", {}, site_name="<img src=x onerror=\"document.title='owned'\">")
    visitor = visit()
    visitor.page.get_by_role("button", name="Run now").click()
    for path in ("/", "/jobs/", "/jobs/1", "/sites/", "/sites/%3Cb%3E", "/runs/1"):
        page = visitor.open(path)
        expect(page.get_by_text("<img src=x onerror=").first).to_be_visible()
        assert "owned" not in page.title().split("<")[0]
