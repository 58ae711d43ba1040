"""Somebody with a browser."""

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route

from jobauto.web.headers import CHART_JS
from tests.people import PASSWORD

Cdn = Literal["real", "blocked", "tampered"]

AXE = """async () => (await axe.run({ rules: { "target-size": { enabled: true } } })).violations
  .map((found) => `${found.id}: ${found.nodes.map((node) => node.target).join(" | ")}`)"""
UNFOLD = "() => document.querySelectorAll('details').forEach((part) => { part.open = true; })"
WINDOWS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (375, "dark"))
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Ends when a page is drawn as its window is now: axe-core has been seen to measure one in between."""


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds on a page, with all unfolded: on a desk in the light, on a phone in the dark."""
    page.evaluate(UNFOLD)
    page.evaluate(axe)
    found = []
    for width, scheme in WINDOWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(DRAWN)
        found += [f"{page.url} {width} {scheme} {violation}" for violation in page.evaluate(AXE)]
    return found


class Visitor:
    """A window of its own. Its console is watched: what our pages' policy refuses is an error there."""

    def __init__(
        self, browser: Browser, address: str, chart_js: bytes, cdn: Cdn, options: dict[str, Any]
    ) -> None:
        self.address = address
        self.complaints: list[str] = []
        self._chart_js = chart_js if cdn != "tampered" else chart_js + b"\n// changed on the way"
        self._blocked = cdn == "blocked"
        self._context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.route(lambda url: url.startswith("https://"), self._answer_for_the_cdn)

    def log_in(self, username: str) -> None:
        """As people do."""
        self.open("/login")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Dashboard").wait_for()

    def open(self, path: str) -> Page:
        """Go to a page, and wait until all of it is there, scripts included."""
        self.page.goto(self.address + path)
        return self.page

    def complained_of(self, *words: str) -> bool:
        """Whether the browser complained of exactly this, which then is no surprise."""
        expected = [text for text in self.complaints if any(word in text for word in words)]
        self.complaints = [text for text in self.complaints if text not in expected]
        return bool(expected)

    def leave(self) -> None:
        """Close the window. Nothing that was not expected may have been complained of."""
        self._context.close()
        if self.complaints:
            pytest.fail("the browser complained: " + "; ".join(self.complaints))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _answer_for_the_cdn(self, route: Route) -> None:
        if self._blocked or route.request.url != CHART_JS:
            route.abort()
        else:
            headers = {"Access-Control-Allow-Origin": "*"}
            route.fulfill(body=self._chart_js, content_type="application/javascript", headers=headers)
