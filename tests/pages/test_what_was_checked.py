"""The dashboard is green only where the fleet that is there now was checked, and lately."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.dashboard.coverage import NUMBERS, Fleet, fleet, sites_behind
from jobauto.demo import service as demo
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.jobs import service as jobs
from jobauto.jobs.service import JobChange
from jobauto.models import Job, Run, Site
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.zero_reads import ZERO_READS
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from jobauto.sites import service as site_service
from jobauto.storage.connections import write
from tests.detection.running import save
from tests.fleets import NOON, add_site, daily, days_before
from tests.pages.reading import words
from tests.people import Person

ADA = Author("ada", NOON)
SITES = 10


def known(at: datetime = NOON) -> Fleet:
    """What is known of the fleet; behind each of its numbers are so many sites."""
    db.session.rollback()
    session, policies = db.session(), settings.current().policies
    found = fleet(session, policies, at)
    for number in NUMBERS:
        sites = select(Site.key).where(sites_behind(number, session, policies, at))
        assert len(session.scalars(sites).all()) == getattr(found, number), number
    return found


def counts(at: datetime = NOON) -> tuple[int, int, int]:
    """(watched, unchecked, not assessable)."""
    found = known(at)
    return found.watched, found.unchecked, found.unassessable


def check(at: datetime = NOON, **request: object) -> None:
    """A run."""
    run(RunParameters("cli", **request), lambda: at)  # type: ignore[arg-type]


def change(**values: object) -> None:
    """Change the site S0."""
    with write() as session:
        session.execute(update(Site).where(Site.site_id == "S0").values(**values))


@pytest.fixture
def well(app: Flask) -> None:
    """Ten sites that are well."""
    for number in range(SITES):
        add_site(f"S{number}", daily(range(8), NOON + timedelta(days=2)))


def added() -> None:
    add_site("new", {days_before(4): 1})


def activated() -> None:
    change(active=False)
    check()
    change(active=True)


def woken() -> None:
    site_service.snooze("S0", NOON.date(), "Works", NOON.tzinfo, author=ADA)  # type: ignore[arg-type]
    check()
    site_service.wake("S0", author=ADA)


@pytest.mark.usefixtures("well")
@pytest.mark.parametrize("happens", [added, activated, woken])
def test_a_site_that_came_after_the_run_was_not_checked_by_it(happens: Callable[[], None]) -> None:
    check()
    assert counts() == (SITES, 0, 0)
    happens()
    assert counts()[1:] == (1, 0)
    check(NOON + timedelta(hours=1))
    assert counts(NOON + timedelta(hours=1))[1] == 0


@pytest.mark.usefixtures("well")
def test_neither_a_snoozed_nor_an_inactive_site_needs_a_verdict() -> None:
    check()
    added()
    with write() as session:
        session.execute(update(Site).where(Site.site_id == "new").values(active=False))
    change(snoozed_until=NOON + timedelta(hours=1))
    assert counts() == (SITES - 1, 0, 0)
    assert counts(NOON + timedelta(hours=2)) == (SITES, 0, 0), "it was judged before it was snoozed"


@pytest.mark.usefixtures("well")
def test_a_snooze_that_has_ended_by_itself_leaves_a_site_that_was_not_checked() -> None:
    change(snoozed_until=NOON + timedelta(hours=1))
    check()
    assert counts() == (SITES - 1, 0, 0)
    assert counts(NOON + timedelta(hours=2)) == (SITES, 1, 0)


@pytest.mark.usefixtures("well")
def test_verdicts_count_for_25_hours() -> None:
    check()
    assert counts(NOON + timedelta(hours=25)) == (SITES, 0, 0)
    assert counts(NOON + timedelta(hours=25, seconds=1)) == (SITES, SITES, 0)


@pytest.mark.usefixtures("well")
def test_a_back_dated_run_checks_the_past() -> None:
    check(as_of=days_before(1.1))
    assert counts() == (SITES, SITES, 0)


@pytest.mark.usefixtures("well")
def test_each_rule_that_is_on_must_have_checked() -> None:
    check(rules=(NO_COMS,))
    assert counts() == (SITES, SITES, 0)
    check(NOON + timedelta(hours=1), rules=(ZERO_READS,))
    assert counts() == (SITES, 0, 0)
    save(no_coms={"enabled": False})
    check(NOON + timedelta(hours=30))
    assert counts(NOON + timedelta(hours=30)) == (SITES, 0, 0)
    save(no_coms={"enabled": True})
    assert counts(NOON + timedelta(hours=30)) == (SITES, SITES, 0), "its newest run is too old"


@pytest.mark.usefixtures("well")
def test_a_site_that_a_rule_flags_was_assessed_whatever_the_other_could_tell() -> None:
    add_site("silent", {days_before(40): 1})
    add_site("new", monitored_from=NOON.date())
    check()
    assert counts() == (SITES + 2, 0, 1)


@pytest.mark.usefixtures("well")
def test_a_flagged_site_whose_job_was_closed_has_no_open_job_any_more() -> None:
    save(no_coms={"reopen_after_days": 30})
    add_site("silent", {days_before(40): 1})
    add_site("silent too", {days_before(30): 1})
    check()
    assert known().jobless == 0
    jobs.change(db.session.scalars(select(Job.id)).all()[0], JobChange(status="closed"), by="ada", now=NOON)
    assert known().jobless == 1
    check(NOON + timedelta(hours=1))
    assert known(NOON + timedelta(hours=1)).jobless == 1, "it is not to get another one yet"


@pytest.mark.usefixtures("well")
def test_a_run_that_failed_or_crashed_half_way_changes_nothing_of_what_the_one_before_said() -> None:
    change(active=False)
    check()
    change(active=True)
    for hours in (1, 2):
        check(NOON + timedelta(hours=hours))
        with write() as session:
            session.execute(update(Run).where(Run.id > 1).values(status="crashed"))
    assert counts(NOON + timedelta(hours=3)) == (SITES, 1, 0)


def test_open_jobs_that_have_recovered_are_no_open_faults(app: Flask, ada: Person) -> None:
    now = utcnow()
    for number in range(4):
        add_site(f"S{number}", daily(range(4), now))
    check(now, as_of=now - timedelta(days=9))
    check(now + timedelta(seconds=1))
    assert {job.recovered_at for job in db.session.scalars(db.select(Job))} == {now + timedelta(seconds=1)}
    assert (
        "No open faults All 4 active sites have been checked. 4 open jobs have recovered. Show: recovered"
    ) in words(ada.get("/"))


def test_a_fleet_that_came_after_the_demo_has_not_been_checked(app: Flask, ada: Person) -> None:
    demo.fill(utcnow())
    check(utcnow(), requested_by="ada")
    demo.remove()
    for number in range(5):
        add_site(f"S{number}", daily(range(4), days_before(4, utcnow())))
    assert "The fleet has not been checked yet" in words(ada.get("/"))
    assert "No runs yet" in words(ada.get("/runs/"))


def test_a_run_over_the_demo_and_a_fleet_beside_it_says_so(app: Flask, ada: Person) -> None:
    sites = demo.fill(utcnow())
    check(utcnow())
    add_site("mine", daily(range(4), days_before(9, utcnow())))
    check(utcnow())
    stays = db.session.scalar(db.select(db.func.max(Run.id)))
    demo.remove()
    check(utcnow())
    runs = db.session.execute(db.select(Run.id, Run.removed_demo_sites).order_by(Run.id)).all()
    assert [tuple(row) for row in runs] == [(stays, sites), (stays + 1, None)]
    assert f"Its figures count {sites} sites of the demo, which were removed since." in words(
        ada.get(f"/runs/{stays}")
    )
    assert [job.site.site_id for job in db.session.scalars(db.select(Job))] == ["mine"]


def test_a_site_needs_no_verdict_of_a_rule_that_is_off_for_it(well: None) -> None:
    off = Policy("Off", {"ZERO_READS": {"enabled": False}}, sites=("S0",))
    settings.put_policy(off, author=Author("ada", NOON))
    check()
    assert counts() == (SITES, 0, 0)

    settings.delete_policy("Off", author=Author("ada", NOON))
    assert counts() == (SITES, 1, 0)
