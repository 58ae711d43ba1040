"""The inventory, and a site's page."""

import pytest
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.models import Site
from jobauto.storage.connections import write
from tests.fleets import add_site, daily
from tests.pages.reading import words
from tests.pages.scenes import FLAT, NEW, SILENT, WELL
from tests.people import Person

HOSTILE = "<script>alert('x')</script> موقع \u202egnp.exe"


@pytest.mark.parametrize(
    ("search", "found"),
    [("", True), ("FLAT", True), ("flat ro", True), ("nothing", False), ("%", False), ("_", False)],
)
def test_a_search_finds_sites_by_a_part_of_id_or_name(
    ada: Person, run_id: int, search: str, found: bool
) -> None:
    page = ada.client.get("/sites/", query_string={"q": search})
    assert ("Flat roof" in words(page)) == found


def test_a_site_is_listed_with_its_last_reading_and_its_open_jobs(ada: Person, run_id: int) -> None:
    page = ada.get("/sites/")
    assert "Silent roof SILENT No Coms Silent Zero Reads Too few readings Never" in words(page)
    assert "Well roof WELL No Coms OK Zero Reads OK 2" in words(page)
    assert "0 days with a yield; 29 days without a reading. 1 open job –" in words(page)
    assert 'href="/jobs/?site_id=SILENT&amp;status=unclosed"' in page.text


def test_without_sites_the_list_says_how_to_import_some(ada: Person) -> None:
    assert "No sites yet Import some here, or with jobauto import-sites FILE" in words(ada.get("/sites/"))


@pytest.mark.parametrize(
    ("site_id", "sentences"),
    [
        (
            FLAT,
            [
                "No Coms OK 3 readings since",
                "Zero Reads Flagged The register has stood at 1,234.00 kWh since",
            ],
        ),
        (
            SILENT,
            [
                "No Coms Flagged The site has never sent a reading.",
                "Zero Reads Not assessable No readings in the last 4 days, 3 are needed.",
            ],
        ),
        (WELL, ["No Coms OK 3 readings since", "Zero Reads OK 4 readings since", "up 3.00 kWh."]),
        (
            NEW,
            [
                "No Coms Not assessable The site has never sent a reading, and has been monitored for",
                "Zero Reads Not assessable No readings in the last 4 days, 3 are needed.",
            ],
        ),
    ],
)
def test_a_site_tells_what_each_rule_says_of_it(
    ada: Person, run_id: int, site_id: str, sentences: list[str]
) -> None:
    text = words(ada.get(f"/sites/{site_id}"))
    for sentence in sentences:
        assert sentence in text


def test_an_inactive_site_says_that_it_is_not_judged(ada: Person, run_id: int) -> None:
    with write() as session:
        session.execute(update(Site).values(active=False))
    text = words(ada.get(f"/sites/{FLAT}"))
    assert "This site is inactive It is not judged" in text
    assert "No Coms Not judged The site is inactive." in text
    assert "Well roof WELL Inactive" in words(ada.get("/sites/"))


def test_a_site_shows_its_newest_readings_first_and_its_jobs(ada: Person) -> None:
    add_site("S1", daily(["1.5", "1234567.89"], utcnow()))
    text = words(ada.get("/sites/S1"))
    assert text.index("1,234,567.89") < text.index("1.50")
    assert "No jobs No rule has found a fault here so far." in text


def test_a_site_without_readings_says_how_to_import_some(ada: Person) -> None:
    add_site()
    assert "No readings yet Import some here, or with jobauto import-readings FILE" in words(
        ada.get("/sites/S1")
    )


@pytest.mark.parametrize("address", ["/", "/jobs/", "/jobs/1", "/sites/", "/sites/a%2Fb%20%3F", "/runs/1"])
def test_a_name_is_text_with_a_direction_of_its_own_wherever_it_stands(
    ada: Person, oscar: Person, address: str
) -> None:
    add_site("a/b ?", {}, site_name=HOSTILE)
    oscar.post("/run-now")
    page = ada.get(address)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert '<bdi class="foreign">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; موقع' in page.text
    assert 'href="/sites/a%2Fb%20%3F"' in page.text or address.startswith("/sites/a")


def test_a_site_that_is_not_there_is_not_found(ada: Person) -> None:
    assert ada.get("/sites/nobody").status_code == 404
