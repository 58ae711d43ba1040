"""A search on a page looks into so many of the newest jobs; older ones it finds by number and by site."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.extensions import db
from jobauto.jobs import queries
from jobauto.jobs.queries import JobFilter, bounded, jobs_matching
from jobauto.models import Job, Run, Site
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site
from tests.pages.reading import words
from tests.people import Person

CLOSED, OPEN = "closed", "open"
STATUSES = (CLOSED, OPEN, OPEN, CLOSED, CLOSED, CLOSED)
"""Of the jobs 1 to 6, each at a site of its own number, but the first and the last at the site 1."""


@pytest.fixture(autouse=True)
def _jobs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LOOKED_INTO", 1)
    monkeypatch.setattr(queries, "FEW_SITES", 2)
    keys = [add_site(f"S{number}", site_name=f"House {'ABCDE'[number - 1]}") for number in range(1, 6)]
    with write() as session:
        run = Run(trigger="cli", as_of=NOON, started_at=NOON, heartbeat_at=NOON, status="succeeded")
        run.settings_version = 1
        session.add(run)
        session.flush()
        for number, status in enumerate(STATUSES, start=1):
            job = Job(
                site_key=keys[(number - 1) % 5], rule="no_coms", job_type="no_coms", status=status,
                priority="medium", description=f"Word{number}", created_at=NOON, run_id=run.id,
                closed_at=NOON + timedelta(hours=1) if status == CLOSED else None, duplicate_checked=True,
                resolution="fixed" if status == CLOSED else None,
                search_notes=f"note{number} all",
            )  # fmt: skip
            session.add(job)
            session.flush()


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param("note6", [6], id="a note of the newest"),
        pytest.param("word6", [6], id="a description of the newest"),
        pytest.param("note3", [3], id="a note of the newest open one"),
        pytest.param("note2", [], id="a note of an older open one"),
        pytest.param("note5", [], id="a note of an older one"),
        pytest.param("all", [6, 3], id="of all that have it, those that are looked into"),
        pytest.param("#1", [1], id="a number"),
        pytest.param("1 note1", [1], id="a number and a word"),
        pytest.param("1 note2", [], id="a number and another word"),
        pytest.param("S1", [6, 1], id="a site, all its jobs"),
        pytest.param("House", [6, 3], id="too many sites"),
        pytest.param("House note6", [6], id="words of site and note"),
    ],
)
def test_which_jobs_a_search_finds(search: str, found: list[int]) -> None:
    wanted = bounded(JobFilter(search=search))
    assert [job.id for job in db.session.scalars(jobs_matching(wanted, NOON)).unique()] == found


def test_an_old_job_is_found_by_a_number_in_the_name_of_its_site() -> None:
    with write() as session:
        session.execute(
            update(Site).where(Site.site_id == "S4").values(site_name="Unit #12", search_text="s4 unit12")
        )
    for search, found in (("Unit #12", [4]), ("#12", [4]), ("Unit #1", [4]), ("Unit #2", [])):
        wanted = bounded(JobFilter(search=search))
        assert [job.id for job in db.session.scalars(jobs_matching(wanted, NOON)).unique()] == found, search


def test_other_conditions_and_orders_hold_as_without_a_search() -> None:
    wanted = bounded(JobFilter(search="all", status="unclosed", sort="site"))
    assert [job.id for job in db.session.scalars(jobs_matching(wanted, NOON)).unique()] == [3]


@pytest.mark.parametrize("address", ["/search/?q=note5", "/jobs/?status=any&search=note5"])
def test_the_page_says_what_it_did_not_look_into(vera: Person, address: str) -> None:
    assert "Older jobs are found by number and site alone." in words(vera.get(address))
    assert "Older jobs" not in words(vera.get("/jobs/?status=any&rule=no_coms"))


def test_the_file_has_all(vera: Person) -> None:
    file = vera.get("/jobs/export.csv?status=any&search=all").text
    assert len(file.splitlines()) == 1 + len(STATUSES)
