"""Forms in a real browser: the message is in sight, and nothing that was typed is lost."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from jobauto.models import UserSession
from jobauto.storage.connections import write
from tests.browser.conftest import Visit
from tests.people import PASSWORD
from tests.readings.doubts import add_classified

pytestmark = pytest.mark.process

PHONE = {"viewport": {"width": 375, "height": 667}}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_on_a_phone_the_message_is_in_sight_after_save_and_has_the_focus(
    visit: Visit, run_id: int, scripts: bool
) -> None:
    page = visit(logged_in_as="oscar", java_script_enabled=scripts, **PHONE).open("/jobs/2")
    page.get_by_label("Note").fill("Rang them.")
    page.get_by_role("button", name="Save").click()
    said = page.get_by_role("status")
    expect(said).to_have_text("Saved.")
    expect(said).to_be_in_viewport()
    expect(said).to_be_focused()
    assert "#" not in page.url


def test_on_a_phone_what_is_wrong_is_in_sight(visit: Visit, run_id: int) -> None:
    visitor = visit(logged_in_as="oscar", **PHONE)
    page = visitor.open("/jobs/2#work")
    page.get_by_label("Note").fill("   ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_be_in_viewport()
    assert visitor.complained_of("422")

    page.get_by_label("Note").fill("x")
    page.get_by_label("Snooze the site until and including").fill("2031-01-01")
    page.get_by_role("button", name="Save").click()
    wrong = page.get_by_label("Snooze the site until and including")
    expect(wrong).to_be_in_viewport()
    expect(wrong).to_be_focused()
    assert visitor.complained_of("422")


def test_a_note_typed_while_the_session_ended_is_there_after_the_login(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="oscar", java_script_enabled=False).open("/jobs/2")
    page.get_by_label("Note").fill("Nobody at home.\nTomorrow again.")
    with write() as session:
        session.execute(delete(UserSession))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you had typed is kept")).to_be_visible()
    page.get_by_label("User name").fill("oscar")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Nothing was saved yet")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("Nobody at home.\nTomorrow again.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_label("Note")).to_have_value("")


def test_the_key_enter_in_the_note_of_several_jobs_presses_no_button(visit: Visit, run_id: int) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    page.get_by_label("Assign to").select_option("oscar")
    page.get_by_label("Choose job 1").check()
    page.keyboard.press("c")
    page.keyboard.type("Bird on the roof.")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("status").first).to_contain_text("1 job closed as fixed.")


@pytest.mark.parametrize(
    ("path", "button", "said"),
    [
        ("/jobs/", "Close", "1 job closed as fixed."),
        ("/reviews/", "Readings are wrong", "1 review: Readings are wrong."),
        ("/sites/", "Deactivate", "1 site changed."),
    ],
)
def test_enter_on_a_ticked_box_presses_no_button(
    visit: Visit, run_id: int, path: str, button: str, said: str
) -> None:
    add_classified("S1", [100, 101, 0, 0])
    page = visit(logged_in_as="oscar").open(path)
    if path == "/jobs/":
        page.get_by_label("Assign to").select_option("oscar")
    page.get_by_role("checkbox", name="Choose").last.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("status").first).to_contain_text(said)
