"""The report as people see it: each number leads to what it counts, on the page and in the file."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from jobauto.extensions import db
from jobauto.models import Job
from jobauto.web.pages import report
from tests.pages.reading import error_beside, words
from tests.people import Person
from tests.report.history import make_history

SPANS = ("since=2026-04-06&until=2026-04-12", "since=2026-03-16&until=2026-04-12&group=North")
LINK = re.compile(r'<a href="(/report/(jobs|often|sites)\?[^"]*)">([0-9,]+)<')


@pytest.fixture(autouse=True)
def _history(app: Flask) -> None:
    make_history(seed=10)


def numbers(page: TestResponse) -> Iterator[tuple[str, str, int]]:
    """(address, what it lists, number) of each number that leads somewhere."""
    for address, kind, text in LINK.findall(page.text):
        yield unescape(address), kind, int(text.replace(",", ""))


@pytest.mark.parametrize("address", SPANS)
def test_each_number_leads_to_a_list_of_so_many(vera: Person, address: str) -> None:
    """One of each kind: of a day, a group, all."""
    page = vera.get(f"/report/?{address}")
    found = {_of_its_kind(href): (href, kind, number) for href, kind, number in numbers(page)}
    assert {kind for _, kind, _ in found.values()} == {"jobs", "often", "sites"}
    for href, kind, number in found.values():
        if kind == "sites":
            listed = days_listed(vera.get(f"{href}&per_page=100"))
        else:
            listed = rows_listed(vera.get(href))
        assert listed == number, href


def _of_its_kind(href: str) -> tuple[str, ...]:
    path, _, query = href.partition("?")
    given = dict(pair.split("=") for pair in query.split("&"))
    what = given.pop("number", ""), given.pop("state", "")
    return (path, *what, str(given["since"] == given["until"]), *sorted(given))


def rows_listed(page: TestResponse) -> int:
    total = re.search(r"<p>([0-9,]+) (?:job|site)s?", page.text)
    return int(total[1].replace(",", "")) if total else 0


def days_listed(page: TestResponse) -> int:
    return sum(int(text) for text in re.findall(r"<strong>([0-9]+)</strong>", page.text))


def test_the_file_has_the_numbers_of_the_page(vera: Person) -> None:
    page, file = vera.get(f"/report/?{SPANS[0]}"), vera.get(f"/report/report.csv?{SPANS[0]}")
    rows = {tuple(row[:3]): row[3] for row in csv.reader(io.StringIO(file.text.removeprefix("\ufeff")))}
    of_page = {href: number for href, kind, number in numbers(page) if kind == "jobs"}
    assert rows["all", "", "age_4"] == str(of_page[f"/report/jobs?number=age_4&{SPANS[0]}"])
    assert rows["group", "North", "closed"] == str(
        of_page[f"/report/jobs?number=closed&{SPANS[0]}&group=North"]
    )
    assert f"{rows['all', '', 'data_coverage_percent']} %" in words(page)


def test_the_jobs_behind_a_number_come_as_a_file(vera: Person) -> None:
    number = db.session.scalar(select(func.count()).where(Job.assignee == "oscar", Job.status != "closed"))
    file = vera.get("/report/jobs.csv?number=open&assignee=oscar")
    assert number
    assert len(file.text.splitlines()) == number + 1


@pytest.mark.parametrize(
    ("address", "field", "why"),
    [
        ("since=2026-04-12&until=2026-04-01", "since", "Must not lie after the last day."),
        ("since=2999-01-01&until=2999-01-02", "since", "Lies in the future."),
        ("since=1999-01-01&until=2026-01-02", "since", "At most 1,100 days."),
        ("since=0001-01-01&until=0001-01-31", "since", "Must not lie before 1970."),
        ("until=0001-01-02", "until", "Must not lie before 1970."),
        ("until=yesterday", "until", "Not a valid date value."),
    ],
)
def test_a_time_that_cannot_be_meant_is_told_and_makes_no_file(
    vera: Person, address: str, field: str, why: str
) -> None:
    page = vera.get(f"/report/?{address}")
    assert page.status_code == 200
    assert error_beside(page, field) == why
    assert vera.get(f"/report/report.csv?{address}").status_code == 400


def test_the_time_that_is_shown_stands_in_the_form(vera: Person) -> None:
    page = vera.get("/report/?until=2026-04-12")
    dates = re.findall(r'<input[^>]* type="date"[^>]* value="([^"]*)"', page.text)
    assert dates == ["2026-03-14", "2026-04-12"]


def test_days_without_a_check_are_counted_from_the_first_run_on(vera: Person) -> None:
    """Which is of March 16."""
    longer, from_then = (
        words(vera.get(f"/report/?since=2026-{since}&until=2026-04-12")) for since in ("01-01", "03-16")
    )
    unchecked = re.compile(r"Days without a check (\d+)")
    assert unchecked.findall(longer) == unchecked.findall(from_then) != []


def test_of_many_groups_the_first_are_shown_and_the_way_to_all(
    vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "FEW", 1)
    page = vera.get(f"/report/?{SPANS[0]}")
    assert "The first 1 of 3 groups. Show all" in words(page)
    everything = re.search(r'href="([^"]*)#jobs-by-group">Show all', page.text)
    assert everything
    whole = words(vera.get(unescape(everything[1])))
    assert "of 3 groups" not in whole
    assert "The first 1 of" in whole  # sources, which were not asked for


def test_so_many_sources_are_offered_because_each_site_may_have_one_of_its_own(
    vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered() -> int:
        (select,) = re.findall(r'<select[^>]*name="source".*?</select>', vera.get("/report/").text, re.DOTALL)
        return str(select).count("<option")

    assert offered() == 4
    monkeypatch.setattr(report, "MOST", 1)
    assert offered() == 2  # All and None: most jobs are of sites without one
