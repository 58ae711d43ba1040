"""A morning with sixty jobs: how many clicks it takes, and how much is in sight."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from jobauto.auth.service import by_name
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.jobs import views
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job, Site
from jobauto.storage.connections import write
from tests.browser.conftest import Visit
from tests.browser.visitor import violations
from tests.fleets import add_site, days_before

pytestmark = pytest.mark.process

JOBS = 60
LONG = "52 Old Rectory Barn, Wolverhampton"
"""With it there is room for the name, but not for the id."""
LONGER = "Old Rectory Barn Farm, 53 Mill Lane, Wolverhampton"
"""For it two lines are wanted."""
IN_SIGHT = """() => [...document.querySelectorAll(".jobs tbody tr")]
  .filter((row) => row.getBoundingClientRect().top >= 0 && row.getBoundingClientRect().bottom <= innerHeight)
  .length"""

CUT = """() => [...document.querySelectorAll(".jobs tbody .site-name")]
  .filter((name) => {
    const text = document.createRange();
    text.selectNodeContents(name);
    const [wanted, given] = [text.getBoundingClientRect(), name.getBoundingClientRect()];
    return wanted.width > given.width + 1 / 64 || name.scrollHeight > name.clientHeight;
  })
  .map((name) => name.textContent)"""
COVERED = """() => {
  const box = document.activeElement.getBoundingClientRect();
  const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const isOver = seen?.closest("thead, .bulk") && !document.activeElement.closest("thead, .bulk");
  return isOver ? document.activeElement.outerHTML : null;
}"""


class Hand:
    """Somebody's hand at the mouse: each click counts, also the two of a choice from a list."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, name: str, role: Any = "button", **how: Any) -> None:
        self.page.get_by_role(role, name=name).first.click(**how)
        self.clicks += 1

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label).select_option(option)
        self.clicks += 2


@pytest.fixture(autouse=True)
def _sixty_jobs(cast: None) -> None:
    """A job at each of sixty sites; three of them are Oscar's."""
    for number in range(1, JOBS + 1):
        add_site(
            f"DEMO-{number:04}",
            {days_before(number + 5, utcnow()): number},
            site_name=f"{number} Mill Lane, Wolverhampton",
        )
    run(RunParameters(trigger="manual"), utcnow)
    for job_id in (1, 2, 3):
        change(job_id, JobChange(assignee="oscar"), by="ada", now=utcnow())


def test_ten_jobs_are_assigned_in_five_clicks(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/?status=unclosed&assignee=-")
    hand = Hand(page)
    boxes = page.get_by_role("checkbox", name=re.compile("Choose job"))
    boxes.nth(0).click()
    boxes.nth(9).click(modifiers=["Shift"])
    hand.clicks += 2
    hand.choose("Assign to", "oscar")
    hand.click("Assign")
    expect(page.get_by_role("status")).to_contain_text("10 jobs assigned to oscar. Undo")
    assert hand.clicks == 5


def test_a_job_is_closed_with_a_note_in_three_clicks_and_the_next_one_is_on_screen(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/?sort=longest&status=unclosed")
    hand = Hand(page)
    hand.click("60 Mill Lane", "link")
    hand.click("Note", "textbox")
    page.keyboard.type("New SIM card.")
    hand.click("Close, next job")
    expect(page.get_by_role("status").first).to_have_text("Job 60 closed as fixed.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("59 Mill Lane")
    assert hand.clicks == 3


def test_ones_own_jobs_are_a_click_away(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    hand = Hand(page)
    hand.click("Mine 3", "link")
    expect(page.get_by_role("table").locator(".cell-who")).to_have_text(["oscar"] * 3)
    assert hand.clicks == 1


def test_a_screen_shows_thirteen_jobs_and_a_phone_the_first_one_near_its_top(visit: Visit) -> None:
    page = visit(logged_in_as="oscar", viewport={"width": 1280, "height": 900}).open("/jobs/")
    assert page.evaluate(IN_SIGHT) >= 13
    page.get_by_label("Choose job 60").check()  # what can be done with it covers none of the thirteen
    bar = page.locator(".bulk").bounding_box()
    thirteenth = page.locator(".jobs tbody tr").nth(12).bounding_box()
    assert bar
    assert thirteenth
    assert thirteenth["y"] + thirteenth["height"] <= bar["y"]
    assert bar["y"] + bar["height"] <= 900
    page.set_viewport_size({"width": 375, "height": 800})
    _expect_the_first_job_near_the_top(page)


def _expect_the_first_job_near_the_top(page: Page) -> None:
    first = page.locator(".jobs tbody tr").first.bounding_box()
    assert first
    assert first["y"] < 400


def _keep_two_views() -> None:
    for name in ("No Coms of the north", "Waiting for the customer"):
        views.keep(by_name("oscar").id, name, f"status=unclosed&search={name[:2]}")


def test_views_of_ones_own_take_no_room_from_a_phones_jobs(visit: Visit) -> None:
    _keep_two_views()
    page = visit(logged_in_as="oscar", viewport={"width": 375, "height": 800}).open("/jobs/")
    _expect_the_first_job_near_the_top(page)
    own = page.get_by_role("link", name="Waiting for the customer")
    expect(own).not_to_be_in_viewport()
    own.click()
    expect(own).to_have_attribute("aria-current", "true")
    expect(own).to_be_in_viewport(ratio=0.9)


def test_a_view_is_renamed_on_a_phone_without_scripts(visit: Visit) -> None:
    _keep_two_views()
    phone = {"viewport": {"width": 375, "height": 800}, "java_script_enabled": False}
    page = visit(logged_in_as="oscar", **phone).open("/jobs/?status=unclosed&search=No")
    page.get_by_text("Change this view").click()
    page.get_by_label("Name of this view").fill("North")
    page.get_by_label("Name of this view").press("Enter")
    expect(page.get_by_role("status")).to_have_text("The view No Coms of the north is called North now.")
    expect(page.get_by_role("link", name="North")).to_have_attribute("aria-current", "true")


def test_so_they_do_under_the_bands_of_a_held_run_and_of_the_demo(visit: Visit) -> None:
    for number in range(JOBS + 1, JOBS + 26):
        add_site(f"DEMO-{number:04}", {days_before(4, utcnow()): number}, is_demo=True)
    run(RunParameters(trigger="manual"), utcnow)
    page = visit(logged_in_as="oscar", viewport={"width": 1280, "height": 900}).open("/jobs/")
    expect(page.get_by_role("complementary", name="Held run")).to_be_visible()
    expect(page.get_by_role("complementary", name="Demo data")).to_be_visible()
    assert page.evaluate(IN_SIGHT) >= 13
    page.set_viewport_size({"width": 375, "height": 800})
    expect(page.get_by_role("link", name="Look and decide")).to_be_in_viewport()
    _expect_the_first_job_near_the_top(page)


@pytest.mark.unsound
@pytest.mark.parametrize("width", [1280, 375])
def test_no_name_of_usual_length_is_cut_beside_marks_of_other_jobs(visit: Visit, width: int) -> None:
    with write() as session:
        session.execute(update(Job).where(Job.id == 50).values(covers=14))
        session.execute(update(Job).where(Job.id == 51).values(recovered_at=utcnow()))
        session.execute(update(Site).where(Site.site_id == "DEMO-0052").values(site_name=LONG))
        session.execute(update(Site).where(Site.site_id == "DEMO-0053").values(site_name=LONGER))
    page = visit(viewport={"width": width, "height": 900}).open("/jobs/")
    assert "15 sites" in page.get_by_role("row").filter(has_text="50 Mill Lane").inner_text()
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("width", [1280, 375])
def test_what_has_the_focus_is_never_behind_the_heading_or_the_bar(visit: Visit, width: int) -> None:
    visitor = visit(logged_in_as="oscar", viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = visitor.open("/jobs/")
    page.get_by_label("Choose job 60").check()
    for key, times in (("Tab", 50), ("Shift+Tab", 50)):
        for _ in range(times):
            page.keyboard.press(key)
            assert page.evaluate(COVERED) is None, key


def test_headings_stay_in_sight_and_wide_screens_are_used(visit: Visit) -> None:
    page = visit(logged_in_as="oscar", viewport={"width": 1900, "height": 600}).open("/jobs/?per_page=100")
    assert page.evaluate("scrollTo({top: 1200, behavior: 'instant'}), scrollY") > 800
    heading = page.get_by_role("columnheader", name="Faulty for").bounding_box()
    table = page.get_by_role("table").bounding_box()
    assert heading
    assert table
    assert 0 <= heading["y"] < 10
    assert 1400 < table["width"] <= 1600


def test_all_that_match_are_told_by_number_and_done_with(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/?status=unclosed&assignee=-")
    page.get_by_label("All 57 of this view").check()
    expect(page.get_by_text("57 chosen")).to_be_visible()
    page.get_by_label("Assign to").select_option("oscar")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("status")).to_contain_text("57 jobs assigned to oscar.")
    expect(page.get_by_role("navigation", name="Views").get_by_role("link", name="Mine")).to_contain_text(
        "60"
    )


@pytest.mark.parametrize("path", ["/", "/search/?q=lane", "/report/jobs?number=open", "/runs/1"])
def test_keys_walk_every_list_of_jobs(visit: Visit, path: str) -> None:
    page = visit(logged_in_as="oscar").open(path)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".jobs tbody tr").nth(1).locator(".cell-job a")).to_be_focused()


def test_the_list_is_worked_with_keys(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.get_by_text("3 chosen")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="59 Mill Lane")).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_label("Assign to")).to_be_focused()
    page.get_by_role("link", name="59 Mill Lane").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("59 Mill Lane")
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_contain_text("58 Mill Lane")
    page.wait_for_load_state()
    page.keyboard.press("c")
    page.keyboard.type("x and ? are letters here / too")
    expect(page.get_by_label("Note")).to_have_value("x and ? are letters here / too")


def test_keys_of_a_single_letter_can_be_switched_off_which_is_remembered(visit: Visit) -> None:
    page = visit(logged_in_as="oscar").open("/jobs/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_label("Keys of a single letter or sign").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.reload()
    for key in ("?", "j", "x"):
        page.keyboard.press(key)
    expect(dialog).to_be_hidden()
    expect(page.locator("tr.at")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()

    page.locator("[data-keys]").first.click()
    dialog.get_by_label("Keys of a single letter or sign").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr.at")).to_have_count(1)


def test_one_comes_back_to_the_same_place_of_the_list(visit: Visit) -> None:
    visitor = visit(logged_in_as="oscar")
    page = visitor.open("/jobs/?status=unclosed&page=2")
    page.get_by_role("link", name="15 Mill Lane").click()
    page.locator("a.up").click()
    expect(page).to_have_url(re.compile(r"status=unclosed.*page=2#row-15$"))
    expect(page.get_by_role("link", name="15 Mill Lane")).to_be_in_viewport()


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_search_is_a_key_away_on_every_page(visit: Visit, key: str) -> None:
    page = visit(logged_in_as="vera").open("/runs/")
    page.keyboard.press(key)
    page.keyboard.type("wolver 17 mill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Find", exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="Sites that were found").get_by_role("row")).to_have_count(2)


def test_printing_a_job_is_one_page_with_its_notes_whoever_has_had_it(visit: Visit) -> None:
    for assignee in ("oscar", "ada", "oscar", "ada", "oscar", "ada"):
        change(20, JobChange(assignee=assignee), by="ada", now=utcnow())
    change(20, JobChange(note="The key is with the caretaker."), by="ada", now=utcnow())
    page = visit(logged_in_as="oscar").open("/jobs/20")
    expect(page.locator("canvas")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("The key is with the caretaker.")).to_be_visible()
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) == 1


def test_axe_finds_nothing_where_jobs_are_chosen(visit: Visit, axe: str) -> None:
    page = visit(logged_in_as="oscar", bypass_csp=True).open(
        "/jobs/?rule=no_coms&priority=medium&assignee=oscar"
    )
    page.get_by_label("Choose job 1").check()
    assert violations(page, axe) == []
