"""However many processes want the same run at the same moment, the database lets one win."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Run, RunRequest
from jobauto.runs import run_requests as requests
from tests.fleets import NOON
from tests.runs import workers
from tests.runs.conftest import RACERS, Race
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, fresh, owe_slots_since

pytestmark = pytest.mark.process

DUE = datetime(2026, 3, 31, 5, 0, 10, tzinfo=UTC)
"""Ten seconds after 06:00 in London."""


def test_eight_processes_that_run_at_once_open_one_job_a_fault(
    app: Flask, database_uri: str, race: Race
) -> None:
    add_faulty_fleet()

    told = race(workers.run_at_once, database_uri, NOON)

    assert every_fault_has_one_job()
    assert set(told) <= {"succeeded", "RunInProgress"}
    assert "succeeded" in told
    runs = db.session.scalars(select(Run)).all()
    assert [run.status for run in runs] == ["succeeded"] * told.count("succeeded")


def test_eight_processes_that_claim_a_slot_at_once_run_it_once(
    app: Flask, database_uri: str, race: Race
) -> None:
    add_faulty_fleet(DUE)

    told = Counter(race(workers.claim_at_once, database_uri, DUE))

    assert told["succeeded"] == 1
    assert set(told) <= {"succeeded", "SlotTaken", "RunInProgress"}
    assert told.total() == RACERS
    assert every_fault_has_one_job()


def test_eight_workers_that_serve_a_request_at_once_run_it_once(
    app: Flask, database_uri: str, race: Race
) -> None:
    add_faulty_fleet()
    requests.ask(Author("oscar", NOON))

    told = Counter(race(workers.serve_at_once, database_uri, NOON))

    assert told["succeeded"] == 1
    assert set(told) <= {"succeeded", "RequestTaken", "RunInProgress"}
    assert told.total() == RACERS
    assert every_fault_has_one_job()
    (made,) = db.session.scalars(select(Run.id))
    assert db.session.get_one(RunRequest, 1).run_id == made


def test_eight_schedulers_run_each_of_five_days_once(app: Flask, database_uri: str, race: Race) -> None:
    days = [DUE + timedelta(days=day) for day in range(5)]
    owe_slots_since(DUE - timedelta(days=1))

    told = [Counter(race(workers.tick_at_once, database_uri, day)) for day in days]

    assert told == [Counter({"succeeded": 1, "nothing to do": RACERS - 1})] * len(days)
    fresh()
    slots = db.session.scalars(select(Run.slot).order_by(Run.slot)).all()
    assert slots == [day.date() for day in days]
