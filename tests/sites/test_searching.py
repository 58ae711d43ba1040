"""A search finds each of its words in id, name or group, whatever the case, accents, blanks, punctuation."""

import unicodedata
from datetime import UTC, datetime

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.jobs.queries import JobFilter, jobs_matching
from jobauto.jobs.service import JobChange, change
from jobauto.models.folding import fold
from jobauto.sites import service as site_service
from jobauto.sites.queries import sites_matching
from tests.databases import Postgresql, Sqlite, opened
from tests.detection.running import jobs, run_at, save
from tests.fleets import NOON, add_site, daily, days_before
from tests.imports.importing import import_sites
from tests.migrating import downgrade, upgrade
from tests.people import Person

SITES = {
    "NE-01": ("3 Tanners Row, NE46 3PA", "Hexham"),
    "DK-01": ("Ørsted Park", "København"),
    "FR-01": (unicodedata.normalize("NFD", "Café de l'École"), "Paris"),
    "RU-01": ("Завод №5", "Ёлкино"),
    "DE-01": ("Straße 1_a", "100%"),
}
SEARCHES = {
    "hexham tanners": ["NE-01"],
    "TANNERS  hexham": ["NE-01"],
    "ne463pa": ["NE-01"],
    "ne46 3pa": ["NE-01"],
    "ne01": ["NE-01"],
    "tanners paris": [],
    "ørsted": ["DK-01"],
    "orsted kobenhavn": ["DK-01"],
    "ØRSTED": ["DK-01"],
    "café": ["FR-01"],
    "cafe": ["FR-01"],
    unicodedata.normalize("NFD", "CAFÉ"): ["FR-01"],
    "école": ["FR-01"],
    "l'école": ["FR-01"],
    "завод": ["RU-01"],
    "ЕЛКИНО": ["RU-01"],
    "strasse": ["DE-01"],
    "1a": ["DE-01"],
    "paris & cafe": ["FR-01"],
    "rowne": ["NE-01"],
    "01": ["DE-01", "DK-01", "FR-01", "NE-01", "RU-01"],
    "3paHexham": [],
    "%": [],
    "_ -": [],
    "": ["DE-01", "DK-01", "FR-01", "NE-01", "RU-01"],
}
HEADER = "site_id,site_name,group"


def found(search: str) -> list[str]:
    """The ids of the sites that a search finds."""
    db.session.rollback()
    return [site.site_id for site in db.session.scalars(sites_matching(search))]


def imported() -> None:
    import_sites(HEADER, *(f'{site_id},"{name}",{group}' for site_id, (name, group) in SITES.items()))


def test_what_is_found(app: Flask, vera: Person) -> None:
    imported()
    assert {search: found(search) for search in SEARCHES} == SEARCHES
    run_at()
    for search in ("ne463pa", "завод", "école"):
        for address, name in (("/api/sites/", "q"), ("/api/jobs/", "search")):
            answer = vera.api("GET", address, query_string={name: search}).json
            assert [item["site_id"] for item in answer["items"]] == SEARCHES[search], (address, search)
        for page in (f"/sites/?q={search}", f"/jobs/?search={search}"):
            assert SEARCHES[search][0] in vera.get(page).text, page


def test_a_search_follows_what_is_changed(app: Flask) -> None:
    imported()
    import_sites("site_id,site_name", "NE-01,Møller")
    assert (found("tanners"), found("moller hexham")) == ([], ["NE-01"]), "a file without groups keeps them"
    import_sites(HEADER, "NE-01,Møller,Ærø")
    assert (found("moller hexham"), found("moller aero")) == ([], ["NE-01"])
    wanted = site_service.SiteChange("Újpest", None, active=True, group="Győr")
    site_service.edit("NE-01", wanted, author=Author("ada", NOON))
    assert (found("moller"), found("ujpest GYOR")) == ([], ["NE-01"])
    assert (found("ne01"), found("ne01moller")) == (["NE-01"], [])


def test_sites_of_before_are_found_after_the_upgrade(engine: Sqlite | Postgresql) -> None:
    with engine.fresh() as uri, opened(uri):
        imported()
        run_at()
        change(jobs()[0].id, JobChange(note="Schlüssel beim Nachbarn."), by="ada", now=NOON)
        db.session.remove()
        downgrade(revision="0012")
        upgrade()
        assert {search: found(search) for search in SEARCHES} == SEARCHES
        assert jobs_found("schlussel") == [1]


def jobs_found(search: str) -> list[int]:
    """The numbers of the jobs that a search finds."""
    return [job.id for job in db.session.scalars(jobs_matching(JobFilter(search=search), NOON))]


def test_jobs_are_found_by_their_notes_too(app: Flask) -> None:
    add_site("S1", site_name="Mill Lane")
    add_site("S2", site_name="Mill Lane")
    run_at()
    for job, note in zip(jobs(), ("Rang: réparé, SIM-Karte neu.", "Nobody in."), strict=True):
        change(job.id, JobChange(note=note), by="ada", now=NOON)
    change(1, JobChange(note="Again."), by="ada", now=NOON)
    assert jobs_found("repare simkarte mill") == [1]
    assert jobs_found("again RANG") == [1]
    assert jobs_found("nobody") == [2]


TEMPLATE = "Défaut Nº{days_threshold} (ŒIL, Ёлка): {site_name}, last {last_reading}"
JOBS = {
    "défaut": [2, 1],
    "DEFAUT oeil": [2, 1],
    "ёлка": [2, 1],
    "ЕЛКА tanners": [1],
    "2026-03-20 06:00": [1],
    "never": [2],
    "défaut park": [2],
    "2026": [],
    "%": [],
    "(": [2, 1],
    "réseau-ø": [3],
    "reseau 6sites": [3],
}


def test_jobs_are_found_by_their_descriptions_too_and_after_the_upgrade_as_before(
    engine: Sqlite | Postgresql,
) -> None:
    with engine.fresh() as uri, opened(uri):
        save(no_coms={"description_template": TEMPLATE})
        add_site("NE-01", {datetime(2026, 3, 20, 6, tzinfo=UTC): 5}, site_name="Tanners Row")
        add_site("DK-01", site_name="Ørsted Park")
        run_at()
        for number in range(5):
            add_site(f"X{number}", daily([1], days_before(4)), source="Réseau-Ø", site_name="Mill")
        run_at()
        add_site("X5", daily([1], days_before(4)), source="Réseau-Ø", site_name="Mill")
        run_at()

        assert {search: jobs_found(search) for search in JOBS} == JOBS

        db.session.remove()
        downgrade(revision="0041")
        upgrade()
        assert {search: jobs_found(search) for search in JOBS} == JOBS


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("NE46 3PA", "ne463pa"),
        ("Ørsted", "orsted"),
        ("Łódź", "lodz"),
        ("İstanbul ısı", "istanbulisi"),
        ("ﬁber Ⅷ ²", "fiberviii2"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("& - 🌞", ""),
    ],
)
def test_how_texts_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded
