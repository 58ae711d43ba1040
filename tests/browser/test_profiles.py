"""A profile is made from a file in a real browser: asked, answered, looked at, saved, and imported."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.fleets import add_site
from tests.profiles.test_given_files import FILES

pytestmark = pytest.mark.process


def bring(page: Page, name: str) -> None:
    """From the navigation to what is proposed for a file."""
    page.get_by_role("link", name="Profiles").first.click()
    page.get_by_role("link", name="Make a profile").click()
    page.get_by_label("A file as the sender sends it").set_input_files(str(FILES / name))
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("heading", name="How is this file read?")).to_be_visible()


def answer(page: Page, *choices: str) -> None:
    """Choose answers, and have the rows shown."""
    for choice in choices:
        page.get_by_label(choice).check()
    with page.expect_navigation():  # what is chosen next is chosen on the page that comes
        page.get_by_role("button", name="Show the rows").nth(1).click()


def make_and_import(page: Page, sites: Sequence[str]) -> None:
    """Make the sites that are not there yet, save the profile and import the file."""
    for site in sites:
        page.get_by_role("group", name=site).get_by_label("Make this site").check()
    page.get_by_role("button", name="Save and import this file").click()
    expect(page.locator(".tag").first).to_have_text("Finished")  # the page looks again by itself
    expect(page.get_by_text("No row was rejected")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_spreadsheet_a_portal_and_an_inverter_become_readings(visit: Visit, scripts: bool) -> None:
    add_site("MILL-01")
    visitor = visit(logged_in_as="oscar", java_script_enabled=scripts)
    page = visitor.page

    bring(page, "28_fit_reads.xlsx")
    answer(page, "5 November 2026", "At 00:00")
    table = page.get_by_role("table", name="The first rows of the file, as they would be stored")
    expect(table.get_by_role("row").nth(2)).to_contain_text("1,771.00")
    make_and_import(page, ["MILL-02", "WEIR-07"])

    bring(page, "22_liander.csv")
    answer(page, "5 November 2026", "The column eancodeasn", "reading1 (", "reading2 (")
    answer(page, "At 00:00")
    expect(page.get_by_text("+11.70")).to_be_visible()
    make_and_import(page, ["871000000000000001"])

    bring(page, "10_enphase.csv")
    page.get_by_label("The one site of all rows").fill("ROOF-1")
    page.keyboard.press("Enter")  # looks, and saves nothing
    expect(page.get_by_text("First rows as they would be stored")).to_be_visible()
    make_and_import(page, ["ROOF-1"])

    expect(visitor.open("/sites/ROOF-1").locator("main")).to_contain_text("2.004 kWh")
