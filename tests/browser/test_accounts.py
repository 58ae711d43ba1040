"""People in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.people import PASSWORD

pytestmark = pytest.mark.process


def test_an_admin_makes_an_account_changes_its_role_and_finds_it_in_the_log(visit: Visit) -> None:
    page = visit().open("/users/")
    new = page.get_by_role("form", name="New account")
    new.get_by_label("User name").fill("nina")
    new.get_by_label("New password").fill("a long password")
    new.get_by_label("Once more").fill("a long password")
    new.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("status")).to_have_text("Created nina.")

    page.get_by_role("link", name="nina").click()
    page.get_by_role("combobox", name="Role").select_option("Operator")
    page.get_by_role("button", name="Change role").click()
    expect(page.get_by_role("listitem").filter(has_text="Role: Viewer")).to_contain_text("Operator")

    page.get_by_role("link", name="Audit log").click()
    page.get_by_label("What kind").select_option("User")
    page.get_by_label("Which one").fill("nina")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(3)


def test_ones_own_password_changes_and_other_sessions_end(visit: Visit) -> None:
    elsewhere = visit(logged_in_as="vera")
    page = visit(logged_in_as="vera").page
    page.get_by_role("link", name="Your account").click()
    for label, text in (("Current password", PASSWORD), ("New password", "x" * 12), ("Once more", "x" * 12)):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_contain_text("Your other sessions have ended")
    expect(elsewhere.open("/").get_by_role("heading", name="Log in")).to_be_visible()


def test_a_token_is_shown_once_and_revoked(visit: Visit) -> None:
    visitor = visit(logged_in_as="vera")
    page = visitor.open("/account")
    page.get_by_label("What it is for").fill("logger")
    page.get_by_label("What it may do").select_option("ingest")
    page.get_by_role("form", name="API tokens").get_by_label("Your password, to confirm").fill(PASSWORD)
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator(".secret")).to_contain_text("jobauto_")
    page = visitor.open("/account")
    expect(page.locator(".secret")).to_have_count(0)
    page.get_by_role("button", name="Revoke the token logger").click()
    expect(page.get_by_text("No tokens")).to_be_visible()
