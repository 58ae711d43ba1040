"""A page's title says which page it is: of many tabs, and in the history of a browser, one is found again."""

import re
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.auth.second_factors import after_the_password
from tests.pages.scenes import PAGES
from tests.people import Person

TITLES = {
    "/": "Dashboard",
    "/jobs/": "Jobs: All open",
    "/jobs/?status=unclosed&assignee=-": "Jobs: Unassigned",
    "/jobs/?rule=no_coms&priority=high&page=2": "Jobs, Rule: No Coms, Priority: High, page 2",
    "/jobs/1": "Silent roof, job 1",
    "/sites/": "Sites",
    "/sites/?q=roof&state=silent&sort=name": "Sites, Id, name or group: roof, State: silent",
    "/sites/FLAT": "Flat roof",
    "/readings/FLAT": "Readings of Flat roof",
    "/readings/FLAT?day=2026-03-31": "Readings of Flat roof, up to 2026-03-31",
    "/reviews/": "Reviews: Open",
    "/reviews/?state=all&kind=leap&site_id=FLAT": "Reviews: All, Leap, FLAT",
    "/runs/": "Runs",
    "/runs/1": "Run 1",
    "/runs/1/sites": "Sites of run 1, No Coms: all that were not well",
    "/lab/": "Thresholds of No Coms, 90 days",
    "/lab/?rule=zero_reads&days=365": "Thresholds of Zero Reads, 365 days",
    "/report/?since=2026-03-01&until=2026-03-31&group=North": "Report, 2026-03-01 to 2026-03-31, group North",
    "/report/jobs?number=open&since=2026-03-01&until=2026-03-31": (
        "Jobs still open at the end, 2026-03-01 to 2026-03-31"
    ),
    "/report/often?since=2026-03-31&until=2026-03-31": "Sites with three jobs or more, 2026-03-31",
    "/report/sites?state=silent&since=2026-03-31&until=2026-03-31": "Site-days: silent, 2026-03-31",
    "/settings/": "Settings",
    "/settings/flagged": "What another threshold would flag now",
    "/settings/notifications/": "Notifications",
    "/policies/": "Policies",
    "/import/": "Import",
    "/profiles/": "Profiles",
    "/profiles/new": "A new profile",
    "/search/?q=roof": "Find: roof",
    "/users/": "Users",
    "/users/vera": "User vera",
    "/account": "Your account",
    "/account/second-factor": "Second factor",
    "/audit/": "Audit log",
    "/audit/?who=ada&subject=site&subject_id=FLAT": "Audit log, ada, Site, FLAT",
    "/nowhere": "Not found",
    "/profiles/nobody/": "Not found",
}


@pytest.mark.parametrize(("address", "title"), TITLES.items(), ids=TITLES)
def test_a_title_names_the_page_the_view_and_the_filter(
    readers: dict[str, Person], address: str, title: str
) -> None:
    assert title_of(readers["ada"].get(address)) == title


def test_no_page_is_without_a_title_in_the_table() -> None:
    without = {address.split("?")[0] for address in PAGES} - {address.split("?")[0] for address in TITLES}
    assert without == set()


def test_the_steps_of_a_login_have_titles(app: Flask, ada: Person, stranger: Person) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["admin"]
    assert title_of(stranger.get("/login")) == "Log in"
    assert (
        title_of(after_the_password(app, "ada").get("/login/second-factor/set-up"))
        == "Set up a second factor"
    )


def title_of(page: TestResponse) -> str:
    found = re.search(r"<title>(.*) – jobauto</title>", page.text)
    assert found, "the page has no title"
    return unescape(found[1])
