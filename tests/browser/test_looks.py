"""Every page on every screen: nothing sticks out, all can be read, all can be reached."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.imports import samples
from jobauto.imports.profiles import service as profiles
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import Wanted
from jobauto.lab import service as lab
from jobauto.lab.walk import BENCHES
from jobauto.models import Job, RunRule, Site
from jobauto.notifications import channels
from jobauto.notifications.sending import process_pending
from jobauto.readings.meter_changes import Change, record_change
from jobauto.runs import run_requests
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from jobauto.sites import service as sites
from jobauto.sites.service import SiteChange
from jobauto.web.asking_lab import at_a_walk
from tests.auth.routes import EXPECTED
from tests.browser.conftest import Visit
from tests.browser.visitor import UNFOLD, violations
from tests.fleets import add_site, daily
from tests.pages import scenes
from tests.readings.doubts import classify_again
from tests.users.mailing import give, set_up_mail

pytestmark = pytest.mark.process

WIDTHS = (320, 375, 800, 1100, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ADDRESSES = (
    "/",
    "/jobs/",
    "/jobs/?site_id=nobody",
    "/jobs/1",
    "/jobs/3",
    "/jobs/bulk/1",
    "/jobs/bulk/2",
    "/search/?q=roof",
    "/sites/",
    "/sites/?state=snoozed",
    "/sites/FLAT",
    "/sites/LONG",
    "/sites/GW2",
    "/readings/FLAT",
    "/runs/1/sites",
    "/sites/DOUBT",
    "/reviews/?state=all",
    "/runs/",
    "/runs/1",
    "/runs/2",
    "/runs/4",
    "/runs/requests/1",
    "/runs/requests/2",
    "/lab/",
    "/lab/sites?threshold=1",
    "/report/",
    "/report/jobs?number=open",
    "/report/sites?state=silent",
    "/report/often",
    "/settings/",
    "/settings/flagged",
    "/settings/notifications/",
    "/settings/notifications/1",
    "/policies/",
    "/policies/Slow",
    "/import/",
    "/import/1",
    "/import/2",
    "/import/3",
    "/import/4",
    "/profiles/",
    "/profiles/new",
    "/profiles/new/2",
    "/profiles/new/edit",
    "/profiles/portal/",
    "/users/",
    "/users/oscar",
    "/account",
    "/account/second-factor",
    "/audit/",
    "/nowhere",
)
HELD = ("/runs/1", "/runs/1/held", "/runs/1/release", "/runs/1/discard")
ELSEWHERE = {
    "account.mail_link": "a button alone, under an address that is made for one person",
    "auth.login": "test_logging_in",
    "login_steps.code": "test_logging_in",
    "login_steps.new_password": "test_logging_in",
    "login_steps.set_up": "test_logging_in",
    "proposals.look_again": "a reload of what a form has shown",
    "single_sign_on.logged_out": "test_logging_in",
}
NO_PAGE = re.compile(
    r"api_|health\.|.*static$|.*\.export|imports\.(rejected|progress)|auth\.sender|single_sign_on\.(again|begin|callback)"
)

ADA = Author("ada", utcnow())
WORDY = {"queue": "Q" * 100, "instructions": "I" * 500, "initial_status": "on_hold", "reopen_after_days": 9}

STICKING_OUT = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter((e) => !e.closest(".scroll, caption, thead, .skip-link, .visually-hidden"))
  .map((e) => `${e.tagName}.${e.className}`)"""

SCROLLED_SIDEWAYS = """() => [...document.querySelectorAll(".scroll")]
  .filter((e) => e.scrollWidth > e.clientWidth)
  .map((e) => `${e.getAttribute("aria-label")} ${e.scrollWidth} > ${e.clientWidth}`)"""

BROKEN_WORDS = """() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const { 0: word, index } of node.data.matchAll(/(?<!\\w)[A-Za-z]{2,12}(?!\\w)/g)) {
      const range = new Range();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const isOurs = !node.parentElement.closest(".foreign, code");
      if (isOurs && range.getClientRects().length > 1) broken.push(word);
    }
  }
  return broken;
}"""

BROKEN_DATES = """() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const { 0: date, index } of node.data.matchAll(/\\d{4}-\\d\\d-\\d\\d/g)) {
      const range = new Range();
      range.setStart(node, index);
      range.setEnd(node, index + date.length);
      if (range.getClientRects().length > 1) broken.push(node.data.trim());
    }
  }
  return broken;
}"""

MORE_THAN_THREE_LINES = """() => [...document.querySelectorAll("table :is(a, .cell-parts, .sub) > .foreign")]
  .filter((name) => name.getBoundingClientRect().height > 3.5 * parseFloat(getComputedStyle(name).lineHeight))
  .map((name) => name.textContent)"""

HARD_TO_READ = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = (element) => {
    if (!element) return rgba(getComputedStyle(document.documentElement).getPropertyValue("--paper"));
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const luminance = (colour) => colour.slice(0, 3)
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const words = walker.currentNode.data.trim();
    if (!words || !element.checkVisibility() || element.closest("script, :disabled, .disabled")) continue;
    const below = behind(element);
    const text = over(rgba(getComputedStyle(element).color), below);
    const [light, dark] = [luminance(text), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${words}`);
  }
  return bad;
}"""

FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const visible = [element, element.closest(".stat")].some((e) => e && outlined(getComputedStyle(e)));
  return [visible, `${element.tagName} ${element.name ?? ""} ${element.textContent.trim().slice(0, 40)}`];
}"""


@pytest.fixture(autouse=True)
def _something_of_everything(app: Flask, run_id: int, cast: None) -> None:
    """Jobs and runs of each kind, among them one with very long words."""
    scenes.add_incident("G" * 100)
    _a_daily_run_that_differs()
    add_site("LONG", {}, site_name="W" * 200, group="G" * 100)
    add_site("W" * 50, {}, site_name="موقع الطاقة " * 16)
    add_doubted_site()
    rule = RunRule(rule="no_coms", position=0, status="failed", error="/" * 300)
    scenes.add_run("failed", rule, requested_by="x" * 100)
    scenes.add_import(
        status="finished",
        filename=f"{'w' * 190}.csv",
        rejected=2000,
        errors=[[1, "x" * 300], [9_999_999, "y"]],
    )
    settings.save(
        lambda before: before.changed({"NO_COMS": WORDY, "READINGS": {"fall_tolerance": 2}}),
        by="ada",
        now=utcnow(),
    )
    channels.add("message", "L" * 100, "json://127.0.0.1:9/x", problems=True, digest=True, author=ADA)
    channels.test(1, author=ADA)
    set_up_mail(app, 9)
    for name, domain in (("ada", "example.org"), ("oscar", f"{'w' * 60}.{'x' * 60}.example.org")):
        give(name, f"{'m' * 60}@{domain}", now=utcnow() - timedelta(hours=1))
    process_pending(lambda: utcnow() - timedelta(hours=1))  # in vain
    process_pending()  # the same
    bulk_id = bulk_actions.begin(
        {1: "", 999: ""}, Wanted("queue", {"queue": "Q" * 100}), by="ada", now=utcnow()
    )
    bulk_actions.go_on(bulk_id)
    bulk_actions.begin({1: ""}, Wanted("queue", {"queue": ""}), by="ada", now=utcnow())  # which waits
    profiles.save("portal", {"file": {"kind": "nem12"}, "site": {}, "time": {}, "value": {}}, ADA)
    content = f"site,date,{'v' * 200},b\n{'W' * 50},05/11/2026 06:00,1.204,2\n{'N' * 50},06/11/2026,1.3,2\n"
    samples.accept(f"{'w' * 190}.csv", BytesIO(content.encode()), ADA, lambda _: None)
    under_way = {"filename": f"{'w' * 190}.csv", "done": 999_999_999, "size": 10**10, "rows": 10**9}
    scenes.add_import(status="running", heartbeat_at=utcnow(), pass_began_at=utcnow(), **under_way)
    by_whom = {"canceled_by": "x" * 100, "canceled_at": utcnow(), "undo_until": utcnow() + timedelta(days=14)}
    scenes.add_import(status="canceled", finished_at=utcnow(), new=10**9, is_checked=True, **by_whom)
    sites.snooze("LONG", utcnow().date(), "Z" * 200, ZoneInfo("UTC"), author=ADA)
    settings.put_policy(Policy("Slow", {"NO_COMS": {"days_threshold": 8}}, ("G" * 100,)), author=ADA)
    run_requests.ask(Author("ada", utcnow() - timedelta(hours=1)))
    run_requests.ask(ADA)  # which waits
    for question in (
        lab.Question("no_coms", 90),
        *(lab.Question(rule, lab.NOW) for rule in ("no_coms", "zero_reads")),
    ):
        claimed = lab.claim(question, utcnow())
        assert claimed
        lab.work_out(claimed, utcnow)


def _a_daily_run_that_differs() -> None:
    """A site that it flagged is inactive by now, so the lab has something to say."""
    run(RunParameters(trigger="schedule", slot=utcnow().date() - timedelta(days=1)), utcnow)
    inactive = SiteChange("Roof 3 behind it", None, active=False, group="", source="G" * 100)
    sites.edit("GW3", inactive, author=Author("ada", utcnow()))


def add_doubted_site() -> None:
    """With reviews of the largest registers, open and decided, and a meter change."""
    large = 999_999_999_000
    key = add_site("DOUBT", daily([large, 0, large + 1, 900, 800, 700, 600], utcnow()))
    classify_again(key)
    change = Change(utcnow() - timedelta(days=60), Decimal(large), Decimal(large), "W" * 50)
    record_change(db.session.get_one(Site, key), change, author=ADA)


def test_no_page_is_wider_than_its_window_and_no_short_word_is_broken(visit: Visit) -> None:
    visitor = visit()
    for path in ADDRESSES:
        _expect_to_fit(visitor.open(path), path)
    assert visitor.complained_of("404")


def _expect_to_fit(page: Page, path: str) -> None:
    page.evaluate(UNFOLD)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        assert page.evaluate(STICKING_OUT) == [], (path, width)
        assert page.evaluate(BROKEN_WORDS) == [], (path, width)


@pytest.mark.parametrize("width", [375, 1280])
def test_the_longest_names_take_three_lines_of_a_table(visit: Visit, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 800})
    for path in ("/report/", "/sites/?q=GW"):
        assert visitor.open(path).evaluate(MORE_THAN_THREE_LINES) == [], path


def test_a_change_of_a_date_has_it_on_one_line(visit: Visit) -> None:
    visitor = visit(viewport={"width": 375, "height": 800})
    for path in ("/audit/", "/sites/LONG"):
        assert visitor.open(path).evaluate(BROKEN_DATES) == [], path


def test_every_page_is_among_the_addresses(app: Flask) -> None:
    asked = {ways for method, ways in EXPECTED if method == "GET" and not NO_PAGE.match(ways)}
    reached = set(ELSEWHERE)
    for path in (*ADDRESSES, *HELD):
        try:
            reached.add(app.url_map.bind("localhost").match(path.split("?")[0])[0])
        except NotFound:
            assert path == "/nowhere"
    assert asked - reached == set()


def test_axe_finds_nothing_on_any_page(visit: Visit, axe: str) -> None:
    visitor = visit(bypass_csp=True)
    found = [each for path in ADDRESSES for each in violations(visitor.open(path), axe)]
    assert found == []
    assert visitor.complained_of("404")


def test_pages_that_wait_fit_and_are_read_and_heard_as_the_others(visit: Visit, axe: str) -> None:
    visitor = visit(bypass_csp=True)
    with at_a_walk:
        for path, told in _pages_that_wait():
            page = visitor.open(path)
            expect(page.locator("main")).to_contain_text(told)
            assert violations(page, axe) == []
            _expect_readable(page, path)
            _expect_to_fit(page, path)


def _pages_that_wait() -> Iterator[tuple[str, str]]:
    """Each with what it says. What it waits for begins just before: after a minute it would count as dead."""
    settings.save(lambda before: before.changed({"NO_COMS": {"days_threshold": 9}}), by="ada", now=utcnow())
    yield "/lab/?rule=zero_reads", "This one waits."
    assert lab.claim(lab.Question("no_coms", 365), utcnow())
    yield "/lab/?days=365", "0 % is done."
    for rule in BENCHES:
        assert lab.claim(lab.Question(rule, lab.NOW), utcnow())
    yield "/settings/flagged", "0 % of the values are done."
    yield f"/runs/{scenes.add_run('running')}", "This run is still under way"
    channels.test(1, author=ADA)
    yield "/settings/notifications/1", "A test waits to be sent."


def test_the_longest_register_stays_inside_its_card(visit: Visit) -> None:
    longest = "999999999999.99"
    add_site("BIG", daily([longest] * 5, utcnow()))
    run(RunParameters(trigger="manual"), utcnow)
    job_id = db.session.scalar(select(func.max(Job.id)).where(Job.rule == "zero_reads"))
    visitor = visit()
    for path in ("/sites/BIG", f"/jobs/{job_id}"):
        page = visitor.open(path)
        page.evaluate(UNFOLD)
        expect(page.locator("main")).to_contain_text("999,999,999,999.99")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(SCROLLED_SIDEWAYS) == [], (path, width)


def test_all_text_stands_out_from_what_is_behind_it_in_light_and_in_dark(visit: Visit) -> None:
    visitor = visit()
    for path in ADDRESSES:
        _expect_readable(visitor.open(path), path)
    visitor.open("/settings/#ZERO_READS").get_by_label("Days to check").fill("99")
    visitor.page.get_by_role("button", name="Save settings").click()
    expect(visitor.page.locator(".field-error").first).to_be_visible()
    _expect_readable(visitor.page, "a wrong setting")
    assert visitor.complained_of("404", "422")


def _expect_readable(page: Page, path: str) -> None:
    page.wait_for_load_state()
    page.evaluate(UNFOLD)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(HARD_TO_READ) == [], (path, scheme)


def test_the_pages_are_dark_where_the_system_is(visit: Visit) -> None:
    def lightness(scheme: str) -> int:
        page = visit(color_scheme=scheme).open("/settings/")
        backgrounds = [
            page.locator(selector).first.evaluate("e => getComputedStyle(e).backgroundColor")
            for selector in ("body", ".card", ".form-control", ".form-select")
        ]
        return max(int(part) for text in backgrounds for part in text[4:-1].split(","))

    assert lightness("light") == 255
    assert lightness("dark") < 60


@pytest.mark.parametrize("path", ["/", "/jobs/", "/settings/"])
def test_the_keyboard_reaches_all_and_shows_where_it_is(visit: Visit, path: str) -> None:
    page = visit().open(path)
    page.evaluate(UNFOLD)
    seen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            break
        assert focus[0], focus[1]
        seen.append(focus[1])
    controls = page.locator(
        "main a[href], main button, main input:not([type=hidden]), main select, main textarea"
    ).filter(visible=True)  # the others are behind tabs
    assert len(seen) > controls.count()


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(visit: Visit) -> None:
    page = visit().open("/jobs/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Download as CSV")).to_be_focused()


def test_on_a_narrow_screen_the_navigation_is_all_there_without_a_script(visit: Visit) -> None:
    page = visit(viewport={"width": 375, "height": 700}, java_script_enabled=False).open("/")
    for name in ("Dashboard", "Jobs", "Sites", "Runs", "Settings"):
        expect(page.get_by_role("navigation").get_by_role("link", name=name)).to_be_in_viewport()


def test_a_table_stays_a_table_for_screen_readers_when_it_is_laid_out_as_cards(visit: Visit) -> None:
    page = visit(viewport={"width": 375, "height": 700}).open("/jobs/")
    table = page.get_by_role("table", name="Jobs, newest first")
    expect(table.get_by_role("columnheader")).to_have_count(8)
    expect(table.get_by_role("row").nth(1).get_by_role("cell").first).to_be_visible()
