"""The chart of the dashboard, and the table that stands in for it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.process

COLOURS = """() => {
  const canvas = document.querySelector("#daily-chart");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Map();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 255) continue;
    const colour = "#" + [0, 1, 2].map((k) => data[i + k].toString(16).padStart(2, "0")).join("");
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  const style = getComputedStyle(document.documentElement);
  const wanted = ["blue", "orange"].map((name) => style.getPropertyValue(`--palette-${name}`).trim());
  return wanted.map((colour) => seen.get(colour) ?? 0);
}"""


@pytest.fixture(autouse=True)
def _jobs(run_id: int) -> None:
    """One job of each rule was created today."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chart_is_drawn_with_a_bar_for_each_rule(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme).open("/")
    expect(page.get_by_role("img", name="Bar chart of the jobs created")).to_be_visible()
    assert all(pixels > 500 for pixels in page.evaluate(COLOURS))


def test_beside_the_chart_its_numbers_can_be_opened_as_a_table(visit: Visit) -> None:
    page = visit().open("/")
    expect(_numbers(page)).to_be_hidden()
    page.get_by_text("The numbers as a table").click()
    expect(_numbers(page).get_by_role("row").last).to_contain_text("(today)")


def test_without_scripts_the_table_is_there_instead(visit: Visit) -> None:
    _expect_the_table_only(visit(java_script_enabled=False))


def test_without_the_cdn_the_table_is_there_instead(visit: Visit) -> None:
    visitor = visit(cdn="blocked")
    _expect_the_table_only(visitor)
    assert visitor.complained_of("ERR_FAILED")


def test_a_library_that_was_changed_on_the_way_is_not_run(visit: Visit) -> None:
    visitor = visit(cdn="tampered")
    _expect_the_table_only(visitor)
    assert visitor.complained_of("integrity")


def _expect_the_table_only(visitor: Visitor) -> None:
    page = visitor.open("/")
    expect(page.locator("#daily-chart")).to_be_hidden()
    expect(_numbers(page).get_by_role("row")).to_have_count(8)
    expect(_numbers(page).get_by_role("row").last.get_by_role("cell")).to_have_text(["1", "1"])


def _numbers(page: Page) -> Locator:
    return page.get_by_role("table", name="Jobs created on each of the last seven days", include_hidden=True)
