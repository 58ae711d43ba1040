"""The charts, and the tables that stand in for them."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from jobauto.clock import utcnow
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.fleets import add_site, daily, days_before
from tests.readings.doubts import classify_again

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


DRAWN = """(id) => {
  const { canvas, chartArea: area, currentDevicePixelRatio: ratio, scales } = window.Chart.getChart(id);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const style = getComputedStyle(document.documentElement);
  const parts = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/g);
  const pixels = (left, right) => {
    const found = [];
    for (let y = Math.ceil(area.top * ratio); y < area.bottom * ratio; y++) {
      for (let x = Math.ceil(left * ratio); x < right * ratio; x++) {
        found.push(data.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 4));
      }
    }
    return found;
  };
  const has = (name, within) => {
    const wanted = parts(name).map((part) => parseInt(part, 16));
    const isClose = (pixel) => wanted.every((part, i) => Math.abs(pixel[i] - part) < 3);
    return within.filter((pixel) => pixel[3] > 200 && isClose(pixel)).length;
  };
  const at = (share) => area.left + share * (area.right - area.left);
  const isReddish = ([r, g, b, a]) => a > 0 && a < 200 && r > b;
  const shaded = (within) => within.filter(isReddish).length / within.length;
  const all = pixels(area.left, area.right);
  return {
    line: has("--accent", all),
    ticks: has("--palette-orange", all),
    signs: has("--bad", all),
    changes: has("--info", all),
    behind: has("--accent", pixels(area.right + 1, area.right + 4)),
    early: shaded(pixels(at(0.05), at(0.08))),
    late: shaded(pixels(at(0.93), at(0.97))),
    floor: scales.y.min,
  };
}"""


@pytest.fixture(autouse=True)
def _jobs(run_id: int) -> None:
    """One job of each rule was created today."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chart_is_drawn_with_a_bar_for_each_rule(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme).open("/")
    expect(page.get_by_role("img", name="Bar chart of the jobs created")).to_be_visible()
    assert all(pixels > 500 for pixels in page.evaluate(COLOURS))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_a_silence_is_shaded_up_to_now_and_hatched_in_the_daily_yield(
    visit: Visit, scheme: str, width: int
) -> None:
    add_site("S1", daily(range(5, 105), days_before(44, utcnow())))
    page = _site(visit(color_scheme=scheme, viewport={"width": width, "height": 900}))
    for chart in ("register-chart", "daily_yield-chart"):
        drawn = page.evaluate(DRAWN, chart)
        assert drawn["line"] > 100
        assert (drawn["early"] < 0.2, drawn["late"] > 0.9) == (True, True), chart


def test_a_register_that_never_was_below_zero_is_drawn_above_it_and_its_last_point_whole(
    visit: Visit,
) -> None:
    add_site("S1", daily([0, 0, 1, 400], utcnow()))
    drawn = _drawn(visit, "register-chart")
    assert drawn["floor"] == 0
    assert drawn["behind"] > 0, "half of the point of now lies behind the axis's end"


def test_a_day_of_zero_is_a_tick_and_a_new_meter_is_a_mark_that_leaves_the_other_days_their_height(
    visit: Visit,
) -> None:
    values = [1_000_000, 1_000_009, 1_000_009, 5, 14, 23]
    classify_again(add_site("S1", daily(values, days_before(1, utcnow()))))
    drawn = _drawn(visit, "daily_yield-chart")
    assert min(drawn["ticks"], drawn["changes"]) > 5
    assert drawn["line"] > 5000, "bars of 9 kWh fill the chart"


def test_a_wrong_reading_is_a_sign_at_the_edge_that_leaves_the_line_its_height(visit: Visit) -> None:
    classify_again(add_site("S1", daily([5000, 5010, 0, 5020, 5030], utcnow())))
    drawn = _drawn(visit, "register-chart")
    assert drawn["signs"] > 5
    assert drawn["floor"] > 4900


def _site(visitor: Visitor) -> Page:
    page = visitor.open("/sites/S1")
    expect(page.locator("#daily_yield-chart")).to_be_visible()
    return page


def _drawn(visit: Visit, chart: str) -> dict[str, Any]:
    """What is drawn of a chart of the site S1."""
    drawn: dict[str, Any] = _site(visit()).evaluate(DRAWN, chart)
    return drawn


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
