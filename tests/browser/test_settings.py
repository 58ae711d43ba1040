"""The settings in a real browser: tabs, what is wrong, what is not saved, and what would be flagged."""

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.process

DAYS = "Days without a reading"


def test_sections_are_tabs_that_the_keyboard_walks(visit: Visit) -> None:
    page = visit().open("/settings/")
    expect(page.get_by_role("tab", name="No Coms")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="No Coms").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Zero Reads")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_have_accessible_name("Zero Reads")
    expect(page.get_by_label("Days to check")).to_be_in_viewport()
    page.reload()
    expect(page.get_by_role("tabpanel")).to_have_accessible_name("Zero Reads")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_what_is_wrong_is_told_at_once_at_the_top_and_leads_to_its_fields(
    visit: Visit, scripts: bool
) -> None:
    visitor = visit(java_script_enabled=scripts)
    page = visitor.open("/settings/")
    page.get_by_label(DAYS).fill("99")
    if scripts:
        page.get_by_role("tab", name="Schedule").click()
    page.get_by_label("Time of day").fill("25:00")
    page.get_by_role("button", name="Save settings").click()

    told = page.get_by_role("alert")
    expect(told).to_be_focused()
    expect(told.get_by_role("link")).to_have_text([f"No Coms: {DAYS}", "Schedule: Time of day"])
    told.get_by_role("link", name="Time of day").click()
    expect(page.get_by_label("Time of day")).to_be_in_viewport()
    if scripts:
        expect(page.get_by_label("Time of day")).to_be_focused()
    expect(page.get_by_label("Time of day")).to_have_value("25:00")
    assert visitor.complained_of("422")


def test_leaving_with_changes_asks(visit: Visit) -> None:
    page = visit().open("/settings/")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.get_by_role("link", name="Runs").click()
    expect(page).to_have_title("Runs – jobauto")
    assert asked == []

    page.go_back()
    page.get_by_label(DAYS).fill("5")
    expect(page.get_by_role("button", name="Save settings")).to_be_in_viewport()
    page.get_by_role("link", name="Runs").click()
    expect(page).to_have_title("Runs – jobauto")
    assert asked == ["beforeunload"]


def test_a_threshold_says_what_it_would_flag_before_it_is_saved(visit: Visit, run_id: int) -> None:
    page = visit().open("/settings/")
    expect(page.locator("#NO_COMS .flagged")).to_contain_text(
        "Now 3 days flag 1 of 4 sites. 1 day would flag", timeout=60_000
    )
    page.get_by_label(DAYS).fill("5")
    expect(page.locator(".save-note")).to_have_text("1 change not saved. 5 days would flag 1 of 4 sites now.")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status").first).to_contain_text("Settings saved")


def test_without_scripts_a_page_says_it(visit: Visit, run_id: int) -> None:
    page = visit(java_script_enabled=False).open("/settings/")
    page.get_by_role("link", name=f"What would another value flag now? {DAYS}").click()
    expect(page.get_by_role("table").first).to_contain_text("In force", timeout=60_000)
    page.get_by_role("link", name="Settings").first.click()
    expect(page.locator("#NO_COMS .flagged")).to_contain_text("Now 3 days flag 1 of 4 sites.")
