"""What goes to paper: few pages, each with what whoever takes it along needs."""

import re

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.demo import service as demo
from jobauto.extensions import db
from jobauto.models import Job
from tests.browser.conftest import Visit

pytestmark = pytest.mark.process

CUT = """() => [...document.querySelectorAll("main .scroll, main .table-frame")]
  .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.getAttribute("aria-label")} ${box.scrollWidth} > ${box.clientWidth}`)"""
"""Tables that are wider than the paper leaves room for."""
A4 = {"width": 703, "height": 1032}


@pytest.fixture(autouse=True)
def _demo(app: Flask, cast: None) -> None:
    demo.fill(utcnow())


def test_the_report_is_two_pages_and_no_table_is_cut(visit: Visit) -> None:
    page = visit(viewport=A4).open("/report/")
    expect(page.locator("canvas").last).to_be_visible()
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) == 2


def test_an_incident_is_two_pages_with_its_sites_and_space_to_write(visit: Visit) -> None:
    job_id, covers = db.session.execute(select(Job.id, Job.covers).where(Job.covers > 0)).one()
    assert covers
    page = visit(viewport=A4).open(f"/jobs/{job_id}")
    expect(page.locator("canvas").first).to_be_visible()
    page.emulate_media(media="print")
    table = page.get_by_role("table", name="Other sites of this incident")
    expect(table.get_by_role("row")).to_have_count(covers + 1)
    expect(page.get_by_role("heading", name="On site")).to_be_visible()
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) <= 2
