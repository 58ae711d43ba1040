"""Every statement that the program sends keeps to what a distributed database can do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.demo import service as demo
from jobauto.detection import holds
from jobauto.detection.service import RunParameters, dry_run
from jobauto.extensions import db
from jobauto.imports import background, rows, sites, undo
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import Wanted
from jobauto.jobs.service import JobChange, change
from jobauto.lab.service import Question, claim, standing, work_out
from jobauto.lab.walk import BENCHES
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from jobauto.sites import service as site_service
from jobauto.sites.listing import SORTS, STATES
from jobauto.sites.service import SiteChange
from jobauto.storage import partitions
from jobauto.storage.vacuum import vacuum_analyze
from jobauto.work import scheduler, slots
from tests.databases import Changed, opened
from tests.detection.running import jobs, run_at, save
from tests.distributing import Sent, pretend, sending
from tests.distribution.rules import refused
from tests.fleets import NOON
from tests.imports.importing import counts, import_readings, import_sites, stored_readings, stored_sites
from tests.imports.undoing import send, take_back
from tests.notifications.telling import add_one_of_each
from tests.pages.reading import form_of
from tests.pages.scenes import PAGES
from tests.people import Person

pytestmark = pytest.mark.postgresql

ADA = Author("ada", NOON)


def fleet(*site_ids: str) -> None:
    """Sites that have reported daily for a week until noon, each a little more."""
    import_sites("site_id,site_name,group", *(f"{name},Site {name},North" for name in site_ids))
    readings(site_ids, range(7))


def readings(site_ids: Iterable[str], days_ago: Iterable[float], value: str = "") -> None:
    """Readings at noon, so many days ago."""
    lines = [
        f"{name},{(NOON - timedelta(days=day)).isoformat()},{value or 100 - day}"
        for name in site_ids
        for day in days_ago
    ]
    import_readings(lines)


def test_imports(sent: Sent) -> None:
    fleet("S1", "S2")
    assert counts(import_readings(["S1,2026-03-31T12:00Z,1", "S9,2026-03-31T12:00Z,1", "S2,x,1"])) == (
        0,
        1,
        0,
        2,
    )
    assert counts(import_sites("site_id,site_name", "S1,Site S1", "S2,Changed", "S3,New")) == (1, 1, 1, 0)

    with_author = rows.from_json(b'{"site_id": "S1", "site_name": "Again"}', sites.REQUIRED, sites.OPTIONAL)
    assert counts(sites.import_sites(with_author, author=ADA)) == (0, 1, 0, 0)
    assert set(stored_sites()) == {"S1", "S2", "S3"}
    assert len(stored_readings()) == 14
    assert refused(sent) == {}


def test_undoing_an_import(sent: Sent) -> None:
    import_sites("site_id,site_name", "S1,One", "S2,Two")
    day = "2026-03-30T12:00Z"
    first = send([f"S1,{day},1,", f"S2,{day},2,estimated", "S2,2026-03-29T12:00Z,1,"])
    second = send([f"S1,{day},3,", f"S2,{day},2,estimated"])
    send([f"S1,{day},2,estimated"])
    take_back(second)
    take_back(first)
    undo.expire(NOON + timedelta(days=365))
    assert len(stored_readings()) == 1
    assert refused(sent) == {}


def test_runs(sent: Sent) -> None:
    save(
        no_coms={"reopen_after_days": 5, "auto_close_recovered": True},
        zero_reads={"check_duplicate": False, "auto_close_recovered": True},
    )
    fleet("well", "flat", "never")
    readings(["flat"], range(7), "7")
    import_sites("site_id,site_name", "silent,Silent")
    readings(["silent"], [9])

    assert dry_run(RunParameters("cli"), lambda: NOON).findings
    assert run_at().created_jobs == 2
    readings(["silent"], [0])
    assert run_at(NOON + timedelta(hours=1)).created_jobs == 1
    assert {job.status for job in jobs()} == {"closed", "open"}
    assert refused(sent) == {}


@pytest.mark.usefixtures("cast")
def test_incidents(sent: Sent, ada: Person) -> None:
    ids = [f"S{number}" for number in range(10)]
    import_sites("site_id,site_name,source", *(f"{name},{name},gw-A" for name in [*ids, "T"]))
    readings(ids, [4])
    readings(["T"], [2.9])
    save(no_coms={"reopen_after_days": 1, "auto_close_recovered": True})
    assert run_at().created_jobs == 1
    assert run_at(NOON + timedelta(hours=12)).rules["no_coms"].covered == 11
    (job,) = jobs()
    for page in ("/", "/sites/", "/sites/S3", "/jobs/?site_id=S3", f"/jobs/{job.id}", "/runs/2"):
        assert ada.get(page).status_code == 200
    for door in ("sites/S3", "jobs/?site_id=S3", f"jobs/{job.id}"):
        assert ada.api("GET", f"/api/{door}").status_code == 200
    for status in ("closed", "open"):
        change(job.id, JobChange(status=status), by="ada", now=NOON + timedelta(hours=13))
    readings(ids, [-1])
    run_at(NOON + timedelta(days=1))
    assert run_at(NOON + timedelta(days=1.1)).created_jobs == 1, "one is silent still"
    assert refused(sent) == {}


@pytest.mark.usefixtures("cast")
def test_runs_with_policies(sent: Sent, ada: Person) -> None:
    fleet("S1", "S2", "S3")
    readings(["S1"], range(7), "7")
    import_sites("site_id,site_name", "silent,Silent", "off,Off")
    values = {"days_threshold": 2, "check_duplicate": False, "auto_close_recovered": True, "priority": "high"}
    zero = {
        "days_to_check": 6,
        "reopen_after_days": 5,
        "description_template": "{site_name}: {days_to_check}",
    }
    for policy in (
        Policy("North", {"NO_COMS": values, "ZERO_READS": zero}, ("North",)),
        Policy(
            "off", {"NO_COMS": {"enabled": False}, "ZERO_READS": {"priority": "low"}}, sites=("off", "S3")
        ),
    ):
        settings.put_policy(policy, author=Author("ada", NOON))
    assert run_at().created_jobs == 2
    readings(["silent"], [0])
    readings(["S1"], [-0.01], "9")
    run_at(NOON + timedelta(hours=1))
    assert {job.recovered_at is None for job in jobs()} == {False}
    assert ada.get("/").status_code == 200
    assert refused(sent) == {}


def test_held_runs(sent: Sent) -> None:
    save(guard={"guard_min_sites": 1})
    fleet("S1", "S2")
    held = run_at(NOON + timedelta(days=4))
    assert held.held_jobs == 2
    assert held.run_id

    readings(["S2"], [-1])
    assert holds.release(held.run_id, Author("ada", NOON + timedelta(days=4, hours=1))) == 2
    assert refused(sent) == {}


def test_several_jobs_are_found_in_one_query(sent: Sent) -> None:
    fleet("S1", "S2")
    readings(["S1", "S2"], range(7), "7")
    run_at()
    both = [job.id for job in jobs()]
    sent.clear()
    wanted = Wanted("priority", {"priority": "high"})
    bulk_id = bulk_actions.begin(dict.fromkeys(both, ""), wanted, by="ada", now=NOON)
    bulk_actions.go_on(bulk_id, lambda: NOON)

    assert [job.priority for job in jobs()] == ["high", "high"]
    assert [text for text in sent if "job.id = " in text and "job.site_key = " not in text] == []
    assert refused(sent) == {}


def test_the_work(sent: Sent) -> None:
    fleet("S1")
    readings(["S1"], range(7), "7")
    run_at()
    (job,) = jobs()
    for status in ("in_progress", "closed", "open"):
        change(job.id, JobChange(status=status, note="Seen."), by="ada", now=NOON)
    wanted = site_service.SiteChange("New name", None, active=False, group="South", measure="register")
    site_service.edit("S1", wanted, author=ADA)
    zone = NOON.tzinfo
    site_service.snooze("S1", NOON.date(), "Works", zone, author=ADA)  # type: ignore[arg-type]
    site_service.wake("S1", author=ADA)
    assert refused(sent) == {}


@pytest.mark.usefixtures("cast")
def test_forms(sent: Sent, ada: Person) -> None:
    fleet("S1", "S2")
    readings(["S1", "S2"], range(7), "7")
    run_at()
    form = form_of(ada.get("/jobs/"))
    ids = [str(job.id) for job in jobs()]
    for action in ({"action": "assign", "assignee": "oscar"}, {"action": "close"}, {"action": "reopen"}):
        assert ada.client.post("/jobs/", data=form | {"job": ids, "resolution": "fixed"} | action).location
    for fields in ({"note": "Seen."}, {"resolution": "fixed", "snooze_until": utcnow().date().isoformat()}):
        page = ada.get(f"/jobs/{ids[0]}")
        assert ada.client.post(f"/jobs/{ids[0]}", data=form_of(page) | fields).status_code == 302
    assert ada.post("/users/oscar", action="deactivate", to="ada").status_code == 302
    db.session.rollback()
    assert [(job.status, job.assignee) for job in jobs()] == [("closed", "oscar"), ("open", "ada")]
    assert refused(sent) == {}


def test_the_list_of_held_sites(sent: Sent, ada: Person) -> None:
    save(guard={"guard_min_sites": 1})
    fleet("S1", "S2")
    held = run_at(NOON + timedelta(days=4))
    for address in ("", "/held", "/release", "/discard"):
        assert ada.get(f"/runs/{held.run_id}{address}").status_code == 200
    assert refused(sent) == {}


@pytest.mark.usefixtures("cast")
def test_pages_and_doors(sent: Sent, ada: Person) -> None:
    fleet("FLAT", "WELL")
    readings(["FLAT"], range(7), "7")
    run_at()
    ada.post("/jobs/view", action="rename", kept_as="None", name="Other")
    ada.post("/jobs/view", action="keep", name="Mine", query="status=unclosed&search=f&group=North&queue=Q")
    ada.post("/jobs/", action="priority", priority="high", job=["1"])

    lists = (
        "status=unclosed&group=North&search=f&sort=site",
        "assignee=-&recovered=no&min_age=0&sort=longest",
    )
    pages = [*PAGES, *(f"/jobs/?{asked}" for asked in lists), "/jobs/export.csv", "/sites/?q=f&group=North"]
    pages += [
        f"/sites/?state={state}&sort={sort}" for state, sort in zip_longest(STATES, SORTS, fillvalue="id")
    ]
    pages += [
        "/sites.csv",
        "/readings.csv/FLAT",
        "/sites/FLAT?year=2026",
        "/jobs/bulk/1",
        "/search/?q=f",
        "/runs/1/sites?rule=zero_reads&kind=created",
    ]
    answers = {page: ada.get(page).status_code for page in [*pages, "/healthz", "/metrics"]}
    for door in (
        "job-automation/dashboard",
        "job-automation/runs/1",
        "jobs",
        "jobs/1",
        "sites",
        "sites/FLAT",
    ):
        answers[door] = ada.api("GET", f"/api/{door}/").status_code
    answers["patch"] = ada.api("PATCH", "/api/jobs/1/", json={"note": "Seen."}).status_code
    form = form_of(ada.get("/sites/")) | {"site": ["FLAT", "WELL"], "group": "South"}
    assert ada.client.post("/sites/", data=form | {"action": "group"}).status_code == 302
    assert {page: status for page, status in answers.items() if status != 200} == {}
    assert refused(sent) == {}


def test_the_demo(sent: Sent) -> None:
    assert demo.fill(utcnow()) == demo.remove() > 100
    assert refused(sent) == {}


def test_upkeep(sent: Sent) -> None:
    vacuum_analyze()
    vacuum_analyze(everything=True)
    assert refused(sent) == {}


def test_old_months(partitioned: Changed) -> None:
    with partitioned.fresh() as uri, opened(uri):
        pretend()
        with sending() as sent, db.engine.connect() as connection:
            # The oldest partition of a month stays; is there something in that of what is older?
            assert partitions.drop_old(connection, datetime(2026, 2, 1, tzinfo=UTC), 12) == []
            assert len(partitions.drop_old(connection, datetime(2026, 4, 1, tzinfo=UTC), 12)) == 3
        assert refused(sent) == {}


def test_what_a_daily_run_tells(sent: Sent) -> None:
    add_one_of_each()
    fleet("S1")
    for days in (4, 5):
        day = NOON + timedelta(days=days)
        run_at(day, slot=day.date())
    assert refused(sent) == {}


def test_a_tick(sent: Sent, app: Flask) -> None:
    slots.tick()
    scheduler.keep_partitions()
    scheduler.expire_run_sites()
    scheduler.expire_lab_answers()
    background.process_pending()
    assert refused(sent) == {}


def test_the_lab_asks_a_run_again(sent: Sent) -> None:
    fleet("WELL", "OFF")
    day = NOON + timedelta(days=4)
    run_at(day, slot=day.date())
    site_service.edit("OFF", SiteChange("Off", None, active=False, group="North"), author=ADA)
    later = day + timedelta(days=1)
    for rule in BENCHES:
        asked = claim(Question(rule, 90), later)
        assert asked
        work_out(asked, lambda: later)
        answer = standing(Question(rule, 90), later).answer
        assert answer
        assert answer["agreement"]["runs"] == 1
    assert refused(sent) == {}
