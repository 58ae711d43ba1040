"""No page offers what it would then refuse, and each role is led to what is for it."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.models.user import ROLES
from jobauto.web.access import needed_role
from tests.pages.reading import words
from tests.pages.scenes import PAGES
from tests.people import CAST, Person


@pytest.mark.any_engine
@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("address", PAGES)
def test_whatever_a_page_offers_is_allowed(readers: dict[str, Person], name: str, address: str) -> None:
    page = readers[name].get(address)
    if page.status_code == 403:
        assert address in ("/users/", "/users/vera", "/audit/")
        assert name != "ada"
        return
    assert page.status_code == 200
    for method, target in _offers(page.text, address):
        needed = _needed(readers[name].client.application, method, target)
        assert ROLES.index(needed) <= ROLES.index(CAST[name]), (method, target)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("vera", "Dashboard Jobs Sites Reviews Runs Thresholds Report Profiles Settings"),
        ("oscar", "Dashboard Jobs Sites Reviews Runs Thresholds Report Import Profiles Settings"),
        (
            "ada",
            "Dashboard Jobs Sites Reviews Runs Thresholds Report Import Profiles Settings Users Audit log",
        ),
    ],
)
def test_the_navigation_leads_to_what_is_for_the_role(
    readers: dict[str, Person], name: str, places: str
) -> None:
    page = readers[name].get("/")
    assert words(page, "nav") == places
    assert 'href="/account"' in page.text


def test_a_fleet_of_one_group_offers_it(vera: Person, run_id: int) -> None:
    assert 'id="group"' not in vera.get("/sites/").text
    site = db.session.query(Site).first()
    assert site
    site.group = "North"
    db.session.commit()
    assert ">North</option>" in vera.get("/sites/").text


def _offers(text: str, address: str) -> list[tuple[str, str]]:
    """(method, address) of all forms that can be sent and all links of a page."""
    offers = [("GET", target) for target in re.findall(r'<a [^>]*href="([^"#]+)"', text)]
    for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", text, re.DOTALL):
        if "<button" in inside:
            action = re.search(r'action="([^"]*)"', attributes)
            method = "POST" if 'method="post"' in attributes else "GET"
            offers.append((method, action[1] if action else address))
    return [(method, urljoin(address, unescape(target))) for method, target in offers]


def _needed(app: Flask, method: str, address: str) -> str:
    try:
        endpoint, _ = app.url_map.bind("localhost").match(urlsplit(address).path, method=method)
    except HTTPException as error:
        pytest.fail(f"{method} {address}: {error}")
    return needed_role(endpoint)
