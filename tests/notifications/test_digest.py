"""The daily digest: after the daily run of a date, once; it tells of every job since the one before."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.notifications.digest import NAMED
from jobauto.runs import lifecycle
from jobauto.work.slots import run_slot
from tests.fleets import NOON, add_site, days_before
from tests.notifications.telling import add_message, messages
from tests.readings.doubts import add_classified
from tests.runs.fleet import set_heartbeat

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _somebody_wants_it(app: Flask) -> None:
    add_message("json://127.0.0.1:9/digest", problems=False, digest=True)


def daily_run(now: datetime = NOON) -> None:
    run_slot(now.date(), lambda: now)


def test_it_counts_by_rule_and_names_the_first_jobs_by_site(app: Flask) -> None:
    add_site("S1", {days_before(9): 1}, site_name="Mill Lane")
    add_site("S2", {days_before(hours / 24): 7 for hours in (73, 49, 25, 1)}, site_name="High Street")
    daily_run()
    (digest,) = messages()
    assert (digest.topic, digest.title) == ("digest-2026-03-31", "jobauto: 2 new jobs, 2026-03-31")
    assert digest.body.splitlines() == [
        "Jobs opened by the first daily run: 2.",
        "No Coms: 1",
        "Zero Reads: 1",
        "",
        "Job 1, No Coms: Mill Lane (S1)",
        "Job 2, Zero Reads: High Street (S2)",
    ]


def test_it_names_an_incident_by_its_source(app: Flask) -> None:
    for name in ("S1", "S2", "S3", "S4", "S5"):
        add_site(name, {days_before(4): 1}, source="gw-A\u202e@all")
    daily_run()
    lines = messages()[0].body.splitlines()
    assert "Job 1, No Coms: No readings from 5 sites behind gw-A @\u200ball" in lines


def test_it_holds_links_only_where_the_address_is_configured(app: Flask) -> None:
    app.config["PUBLIC_URL"] = "https://jobs.example"
    add_site("S1", {days_before(9): 1}, site_name="Mill Lane")
    daily_run()
    lines = messages()[0].body.splitlines()
    assert "Job 1, No Coms: Mill Lane (S1) https://jobs.example/jobs/1" in lines
    assert lines[-1] == "https://jobs.example/jobs/"


def test_without_new_jobs_it_says_so(app: Flask) -> None:
    daily_run()
    assert messages()[0].title == "jobauto: no new jobs, 2026-03-31"


def test_many_jobs_are_counted_and_the_first_named(app: Flask) -> None:
    for number in range(NAMED + 5):
        add_site(f"S{number:02}", {days_before(9): 1})
    daily_run()
    lines = messages()[0].body.splitlines()
    assert lines[0] == f"Jobs opened by the first daily run: {NAMED + 5}."
    assert sum(line.startswith("Job ") for line in lines) == NAMED
    assert lines[-1] == "... and 5 more."


def test_it_tells_of_jobs_of_runs_by_hand_since_the_one_before_and_not_twice(app: Flask) -> None:
    daily_run(NOON - DAY)
    add_site("S1", {days_before(9): 1})
    run(RunParameters("manual", "oscar"), lambda: NOON - timedelta(hours=2))
    daily_run()
    daily_run(NOON + DAY)
    assert [message.title for message in messages()] == [
        "jobauto: no new jobs, 2026-03-30",
        "jobauto: 1 new job, 2026-03-31",
        "jobauto: no new jobs, 2026-04-01",
    ]
    assert "since 2026-03-30 13:00 (Europe/London)" in messages()[1].body


def test_runs_by_hand_send_none(app: Flask) -> None:
    run(RunParameters("manual", "oscar"), lambda: NOON)
    assert messages() == []


def test_a_daily_run_that_crashed_and_ran_again_sends_one(app: Flask) -> None:
    with db.engine.connect() as connection:
        lifecycle.start(connection, lifecycle.Claim("schedule", None, NOON, NOON, 1, NOON.date()))
    set_heartbeat(timedelta(minutes=2))
    daily_run()
    assert [message.topic for message in messages()] == ["digest-2026-03-31"]


def test_it_tells_how_many_reviews_wait_for_a_decision_and_where(app: Flask) -> None:
    app.config["PUBLIC_URL"] = "https://jobs.example"
    add_classified("S1", [100, 101, 0, 0])
    add_classified("S2", [100, 101, 0, 102])
    daily_run()
    assert messages()[0].body.splitlines()[-2:] == [
        "1 review of readings in doubt waits for a decision.",
        "https://jobs.example/reviews/",
    ]
