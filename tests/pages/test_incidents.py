"""What pages say of incidents."""

import re

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from tests.detection.running import save
from tests.fleets import add_readings, add_site, days_before
from tests.pages.reading import words
from tests.people import Person


@pytest.fixture
def keys(app: Flask) -> dict[str, int]:
    """Six sites behind a gateway that fell silent, and an incident; their keys."""
    silent = {days_before(4, utcnow()): 7}
    found = {name: add_site(name, silent, source="gw-A") for name in ("S1", "S2", "S3", "S4", "S5", "S6")}
    run(RunParameters("cli"), utcnow)
    return found


def test_its_page_lists_its_other_sites_and_theirs_lead_to_it(vera: Person, keys: dict[str, int]) -> None:
    add_readings(keys["S3"], {utcnow(): 8})
    run(RunParameters("cli"), utcnow)
    text = words(vera.get("/jobs/1"))
    assert "6 sites behind gw-A fell silent together, so they share this job." in text
    assert "While it is open, sites of this source that fall silent join it." in text
    table = words(vera.get("/jobs/1"), "table")
    assert table.count("Silent") == 4
    assert "Site S3 S3" in table
    page = vera.get("/sites/S2")
    assert "An incident is this site’s job" in words(page)
    assert 'href="/jobs/1"' in page.text
    assert "covered by job 1" in words(page), "its calendar, as a table too"
    recovered = words(vera.get("/sites/S3"))
    assert "An incident is" not in recovered
    assert "#1 No Coms" in recovered, "it is one of its jobs all the same"


def test_sites_with_the_most_open_jobs_come_first_and_one_that_it_covers_has_one(
    vera: Person, keys: dict[str, int]
) -> None:
    add_site("A", {})
    add_site("S0", {})
    page = vera.get("/sites/?sort=jobs").text
    found = re.findall(r'class="cell-main"><a href="/sites/([^"]+)"', page)
    assert found == [*sorted(keys), "A", "S0"]


def test_its_sites_are_a_page_at_a_time(vera: Person, keys: dict[str, int]) -> None:
    text = words(vera.get("/jobs/1?per_page=2&page=3"))
    assert "5 sites, page 3 of 3" in text
    assert "Site S6" in text
    assert "Site S5" not in text


def test_covered_sites_count_as_sites_with_an_open_job(vera: Person, keys: dict[str, int]) -> None:
    dashboard = words(vera.get("/"))
    assert "6 of 6 active sites have an open job whose fault holds" in dashboard
    assert "Site S1 6 sites No Coms" in dashboard
    assert words(vera.get("/sites/")).count("1 open job") == 6
    assert "opened 1 new job, 5 covered by incidents." in words(vera.get("/runs/1"))
    run(RunParameters("cli"), utcnow)
    assert "Incidents cover the flagged sites." in words(vera.get("/runs/2"))


def test_closed_while_its_sites_are_silent_it_says_so(oscar: Person, keys: dict[str, int]) -> None:
    assert oscar.post("/jobs/1", status="closed", resolution="fixed").status_code == 302
    text = words(oscar.get("/jobs/1"))
    assert "Closed while the fault holds 6 sites of this incident have not recovered." in text
    assert "It was closed, so it covers no site any more." in text
    assert "6 flagged sites have no open job any more" in words(oscar.get("/"))


def test_the_settings_say_when_one_is_opened(vera: Person, ada: Person) -> None:
    assert "more than 50 % of a source's sites" in words(vera.get("/settings/"))
    save(guard={"incident_enabled": False})
    assert "Incidents are switched off" in words(vera.get("/settings/"))
