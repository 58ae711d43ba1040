"""The demo fleet comes into an empty database only, and goes without a trace."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.audit.service import Author, record
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.lab.service import Question, claim, work_out
from jobauto.models import Cover, Event, Job, JobReading, MeterChange, Reading, Run, RunRule, RunSite, Site
from jobauto.readings.meter_changes import Change, record_change
from jobauto.storage.connections import write
from tests.cli.conftest import Cli
from tests.fleets import NOON, add_site
from tests.notifications.telling import add_one_of_each, put_message, told
from tests.pages.reading import words
from tests.people import Person

TABLES = (Site, Reading, Job, JobReading, Event, Run, RunRule, RunSite)


def rows() -> list[int]:
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


def test_the_demo_fleet_comes_and_goes(app: Flask, cli: Cli) -> None:
    made = cli("demo")
    assert made.exit_code == 0, made.output
    full = rows()
    assert full[0] >= 150
    assert all(full)
    assert db.session.scalar(select(func.count()).select_from(Site).where(~Site.is_demo)) == 0

    at_once = select(func.count()).select_from(Run).where(Run.finished_at <= Run.started_at)
    assert db.session.scalar(at_once) == 0, "runs that took no time"

    again = cli("demo")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "not empty" in again.stderr
    assert (cli("demo", "--if-empty").exit_code, rows()) == (0, full)

    removed = cli("demo", "--remove")
    assert (removed.exit_code, removed.stdout) == (0, f"Removed {full[0]} demo sites\n")
    assert rows() == [0] * len(TABLES)


def test_the_demo_has_an_outage_of_a_gateway(app: Flask, cli: Cli, vera: Person) -> None:
    cli("demo")
    incident = db.session.scalars(select(Job).where(Job.covers > 0)).one()
    covers = db.session.scalars(select(Cover).where(Cover.job_id == incident.id)).all()
    recovered = [cover for cover in covers if cover.recovered_at]
    assert 5 <= len(covers) - len(recovered) < len(covers)
    covered = db.session.get_one(Site, max(cover.site_key for cover in covers))
    assert f"{len(covers)} sites No Coms" in words(vera.get("/"))
    assert "sites behind gw-perth fell silent together" in words(vera.get(f"/jobs/{incident.id}"))
    assert f"/jobs/{incident.id}" in vera.get(f"/sites/{covered.site_id}").text

    db.session.rollback()
    asked = claim(Question("no_coms", 90), utcnow())
    assert asked
    work_out(asked, utcnow)
    agreed = vera.api("GET", "/api/job-automation/lab/", query_string={"rule": "no_coms"}).json["agreement"]
    assert agreed["runs"] == agreed["equal"] > 0


@pytest.mark.any_engine
def test_the_demo_has_readings_in_doubt(app: Flask, cli: Cli, vera: Person) -> None:
    cli("demo")
    reviews = vera.api("GET", "/api/readings/reviews/").json["items"]
    found = {(review["site_id"], review["kind"], review["state"]) for review in reviews}
    assert found == {
        ("DEMO-0016", "glitch", "decided"),
        ("DEMO-0046", "new_level", "open"),
        ("DEMO-0071", "leap", "open"),
    }


def test_the_demo_does_not_mix_with_a_fleet_of_ones_own(app: Flask, cli: Cli) -> None:
    add_site("mine")
    assert cli("demo").exit_code == 2
    assert rows()[0] == 1


def test_removing_the_demo_leaves_ones_own_fleet(app: Flask, cli: Cli, oscar: Person) -> None:
    add_site("mine")
    assert oscar.api("POST", "/api/job-automation/run-manual/").status_code == 200
    before = rows()
    assert cli("demo", "--remove").stdout == "Removed 0 demo sites\n"
    assert rows() == before


def test_runs_of_ones_own_over_a_demo_fleet_do_not_stand_in_the_way_of_its_removal(
    app: Flask, cli: Cli, oscar: Person
) -> None:
    cli("demo")
    assert oscar.api("POST", "/api/job-automation/run-manual/").status_code == 200
    done = cli("demo", "--remove")
    assert done.exit_code == 0, done.output
    assert rows()[:4] == [0, 0, 0, 0]


@pytest.mark.any_engine
def test_nobody_is_told_of_the_runs_of_the_demo(app: Flask, cli: Cli) -> None:
    add_one_of_each()
    cli("demo")
    assert rows()[TABLES.index(Run)] > 0
    assert told() == []


def test_what_was_told_of_a_demo_run_goes_with_it_for_its_number_may_come_again(app: Flask, cli: Cli) -> None:
    # As databases hold it in which earlier versions told of the demo's runs.
    add_one_of_each()
    cli("demo")
    run_id, slot = db.session.execute(select(Run.id, Run.slot).order_by(Run.id)).first() or (0, None)
    with write() as session:
        record(session, Author("oscar", NOON), "run", run_id, [("held jobs", None, "released")])
    own = [f"run-{run_id}000-start", "run-x", "digest-1999-01-01", f"import-{run_id}-failed"]
    for topic in (f"run-{run_id}-start", f"run-{run_id}-partial", f"digest-{slot}", *own):
        put_message(1, topic)
    assert cli("demo", "--remove").exit_code == 0
    assert [topic for _, _, topic in told()] == own
    assert set(db.session.scalars(select(Event.subject))) == {"address"}


def test_what_was_said_of_a_demo_site_goes_with_it_for_its_key_may_come_again(app: Flask, cli: Cli) -> None:
    cli("demo")
    site = db.session.scalars(select(Site).order_by(Site.key.desc())).first()
    assert site is not None
    record_change(site, Change(utcnow() - timedelta(days=9)), author=Author("ada", utcnow()))
    cli("demo", "--remove")
    db.session.rollback()
    assert db.session.scalars(select(MeterChange)).all() == []
