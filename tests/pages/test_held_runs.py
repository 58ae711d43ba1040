"""A held run is on every page until somebody decides; what it holds is listed, and each decision asks."""

import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Job, Run, Site
from jobauto.sites import queries as sites
from jobauto.storage.connections import write
from tests.fleets import add_readings, add_site, days_before
from tests.pages.reading import words
from tests.pages.scenes import PAGES
from tests.people import Person

WHY = "25 of 25 sites went silent together: is the feed down?"


@pytest.fixture
def held_run(app: Flask) -> int:
    """The id of a run that holds 25 jobs."""
    for number in range(25):
        add_site(f"S{number}", {days_before(4, utcnow()): 7})
    run_id = run(RunParameters("manual", requested_by="oscar"), utcnow).run_id
    assert run_id
    return run_id


def jobs() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Job.id)).all())


def test_every_page_says_so_at_its_top(ada: Person, held_run: int) -> None:
    for address in PAGES:
        page = ada.get(address)
        if page.status_code == 200:
            assert WHY in page.text, address
            assert page.text.index(WHY) < page.text.index("<main"), address


@pytest.mark.any_engine
def test_no_page_says_so_twice(oscar: Person, held_run: int) -> None:
    own = f"/runs/{held_run}"
    for address in ("/", own, f"{own}/held", f"{own}/release", f"{own}/discard"):
        text = oscar.get(address).text
        assert text.count(WHY) == 1, address
        assert "is held" not in text, address


def test_only_who_may_decide_is_offered_to(vera: Person, oscar: Person, held_run: int) -> None:
    assert "/release" not in vera.get("/").text
    assert "until an operator decides" in words(vera.get("/"), "aside")
    assert "Look at the held sites" in words(vera.get("/"), "aside")
    assert "Look and decide" in words(oscar.get("/"), "aside")
    assert f'href="/runs/{held_run}/release"' in oscar.get(f"/runs/{held_run}").text
    assert f'href="/runs/{held_run}/release"' not in vera.get(f"/runs/{held_run}").text
    assert vera.get(f"/runs/{held_run}/release").status_code == 403
    assert vera.get(f"/runs/{held_run}/discard").status_code == 403
    assert vera.post(f"/runs/{held_run}/release").status_code == 403
    assert vera.post(f"/runs/{held_run}/discard").status_code == 403
    assert jobs() == 0


def test_a_stranger_does_not_learn_of_it(stranger: Person, held_run: int) -> None:
    assert WHY not in stranger.get("/login").text


def test_the_banner_only_links(oscar: Person, held_run: int) -> None:
    banner = oscar.get("/").text.split('<aside class="held"')[1].split("</aside>")[0]
    assert "<form" not in banner
    assert "<button" not in banner
    assert "/release" not in banner


@pytest.mark.parametrize(
    ("decision", "asked", "button"),
    [
        ("release", "This opens 25 jobs, one for each site below", "Release: open 25 jobs"),
        ("discard", "This opens no job.", "Discard"),
    ],
)
def test_each_decision_is_asked_for_and_looking_decides_nothing(
    oscar: Person, held_run: int, decision: str, asked: str, button: str
) -> None:
    page = oscar.get(f"/runs/{held_run}/{decision}")
    assert asked in words(page)
    assert button in words(page)
    assert f'action="/runs/{held_run}/{decision}"' in page.text
    assert WHY in oscar.get("/").text
    assert jobs() == 0


def test_the_held_sites_are_listed_with_group_and_last_reading(vera: Person, held_run: int) -> None:
    with write() as session:
        session.execute(update(Site).where(Site.site_id == "S0").values(site_name="Mill Lane", group="North"))
    page = words(vera.get(f"/runs/{held_run}"))
    assert "Held sites" in page
    assert re.search(r"Mill Lane S0 North \d{4}-\d\d-\d\d \d\d:\d\d 4 days ago", page)
    assert "25 sites would get a job if the run were released now; the first 20 are listed here." in page
    listed = [
        words(vera.get(f"/runs/{held_run}/held?page={number}")).count("4 days ago") for number in (1, 2)
    ]
    assert listed == [20, 5]


def test_a_site_that_has_reported_since_is_held_no_more(oscar: Person, held_run: int) -> None:
    add_readings(db.session.scalars(sites.by_site_id("S0")).one().key, {utcnow(): 8})
    assert "This opens 24 jobs" in words(oscar.get(f"/runs/{held_run}/release"))
    oscar.post(f"/runs/{held_run}/release")
    assert jobs() == 24


@pytest.mark.parametrize("decision", ["release", "discard"])
def test_what_was_decided_is_not_asked_for_again(oscar: Person, held_run: int, decision: str) -> None:
    oscar.post(f"/runs/{held_run}/discard")
    assert oscar.get(f"/runs/{held_run}/{decision}").location == f"/runs/{held_run}"
    assert f"Run {held_run} holds no jobs that wait" in words(oscar.get(f"/runs/{held_run}"))
    assert "This run holds no jobs" in words(oscar.get(f"/runs/{held_run}/held"))


def test_the_press_on_that_page_releases_it(oscar: Person, held_run: int) -> None:
    answer = oscar.post(f"/runs/{held_run}/release")
    assert (answer.status_code, answer.location) == (302, f"/runs/{held_run}")
    assert jobs() == 25
    page = oscar.get(f"/runs/{held_run}")
    assert "Released: opened 25 jobs." in page.text
    assert WHY not in page.text
    assert "Released by oscar" in words(page)
    assert WHY not in oscar.get("/").text


def test_the_press_on_that_page_discards_it(oscar: Person, held_run: int) -> None:
    assert oscar.post(f"/runs/{held_run}/discard").status_code == 302
    assert jobs() == 0
    page = words(oscar.get(f"/runs/{held_run}"))
    assert "The held jobs were discarded" in page
    assert "oscar discarded them" in page
    assert "The jobs of the last run were discarded" in words(oscar.get("/"))


def test_a_second_press_is_told_that_it_came_too_late(oscar: Person, held_run: int) -> None:
    oscar.post(f"/runs/{held_run}/discard")
    oscar.get("/")
    oscar.post(f"/runs/{held_run}/release")
    assert f"Run {held_run} holds no jobs that wait for a decision." in words(oscar.get("/"))
    assert jobs() == 0


def test_the_audit_log_tells_who_decided(ada: Person, oscar: Person, held_run: int) -> None:
    oscar.post(f"/runs/{held_run}/release")
    page = ada.get("/audit/")
    assert "oscar Run 1 Held jobs: none → to released" in words(page)
    assert 'Run <a href="/runs/1">' in page.text


def test_the_dashboard_says_what_is_known_without_the_held_jobs(oscar: Person, held_run: int) -> None:
    text = words(oscar.get("/"))
    assert "No job is open but those held" in text
    assert "25 flagged; held back 25 jobs" in text
    assert db.session.get_one(Run, held_run).status == "held"
