"""Finding sites, jobs and notes from every page, without a script."""

from urllib.parse import urlencode

import pytest

from jobauto.clock import utcnow
from jobauto.jobs import notes
from jobauto.jobs.service import JobChange, change
from tests.fleets import add_site
from tests.pages.reading import words
from tests.people import Person


@pytest.mark.parametrize(
    ("asked", "sites", "jobs"),
    [
        ("roof", {"Flat roof", "Silent roof", "Well roof", "New roof"}, {"Flat roof", "Silent roof"}),
        ("ROOF flat", {"Flat roof"}, {"Flat roof"}),
        ("inverter", set(), {"Silent roof"}),
        ("nowhere", set(), set()),
        ("%", set(), set()),
    ],
)
def test_words_find_sites_and_the_jobs_whose_site_or_note_has_them(
    vera: Person, run_id: int, asked: str, sites: set[str], jobs: set[str]
) -> None:
    change(1, JobChange(note="The inverter was off."), by="oscar", now=utcnow())
    page = words(vera.get(f"/search/?{urlencode({'q': asked})}"))
    of_sites, of_jobs = page.split("Jobs and notes")
    everybody = {"Flat roof", "Silent roof", "Well roof", "New roof"}
    assert {name for name in everybody if name in of_sites} == sites
    assert {name for name in everybody if name in of_jobs} == jobs


@pytest.mark.parametrize("address", ["/search/?q=inverter", "/jobs/?status=any&search=inverter"])
def test_a_search_shows_the_newest_note_that_has_the_words_and_whose_it_is(
    vera: Person, run_id: int, address: str
) -> None:
    for who, note in (("oscar", "Old inverter."), ("ada", "New <inverter>."), ("oscar", "Fuse.")):
        change(1, JobChange(note=note), by=who, now=utcnow())
    page = vera.get(address)
    assert "New &lt;<mark>inverter</mark>&gt;." in page.text
    assert "ada, just now: New < inverter >." in words(page)
    assert "Old inverter" not in words(page)
    assert "Fuse" not in words(page)


def test_however_many_notes_somebody_writes_the_newest_alone_are_looked_into(
    vera: Person, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "LOOKED_INTO", 1)
    for note in ("Old inverter.", "Fuse."):
        change(1, JobChange(note=note), by="oscar", now=utcnow())
    page = vera.get("/search/?q=inverter")
    assert "#1" in words(page), "which job has it is found all the same"
    assert "<mark>" not in page.text
    assert "<mark>Fuse</mark>." in vera.get("/search/?q=fuse").text


def test_it_says_how_many_it_found_and_that_not_all_are_listed(vera: Person, run_id: int) -> None:
    assert words(vera.get("/search/?q=roof")).count("4 sites.") == 1
    assert "2 jobs." in words(vera.get("/search/?q=roof"))
    for number in range(21):
        add_site(f"N{number}", site_name="Barn")
    assert "21 sites; the first 20 are listed." in words(vera.get("/search/?q=barn"))


def test_the_number_of_a_job_leads_to_the_job(vera: Person, run_id: int) -> None:
    assert vera.get("/search/?q=%232").location == "/jobs/2"
    assert "#2 Flat roof" in words(vera.get("/search/?q=2"))
    assert "No job has this number" in words(vera.get("/search/?q=%2399"))


@pytest.mark.parametrize("asked", ["Unit #12", "#12"])
def test_a_site_with_such_a_number_in_its_name_is_found_where_no_job_has_it(vera: Person, asked: str) -> None:
    add_site("S1", site_name="Unit #12")
    of_sites, of_jobs = words(vera.get(f"/search/?{urlencode({'q': asked})}")).split("Jobs and notes")
    assert "Unit #12 S1" in of_sites
    assert "No job has this number" in of_jobs


def test_every_page_has_the_field_and_nothing_asked_is_nothing_found(vera: Person, run_id: int) -> None:
    assert 'action="/search/"' in vera.get("/runs/").text
    page = vera.get("/search/")
    assert page.status_code == 200
    assert "No site has" not in words(page)
