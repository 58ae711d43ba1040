"""Run now where a broker is configured: a worker runs, and the page follows it without a script."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Run, RunRequest
from jobauto.runs.run_requests import GOOD_FOR
from jobauto.storage.connections import write
from jobauto.work import tasks
from tests.pages.reading import words
from tests.pages.scenes import add_run
from tests.people import Person
from tests.processes import Process, await_until
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, fresh, statuses
from tests.tasks.conftest import Worker

pytestmark = pytest.mark.process

LOOKS_AGAIN = '<meta http-equiv="refresh" content="2">'


def test_the_page_waits_for_a_worker_and_leads_to_its_run(app: Flask, oscar: Person, worker: Worker) -> None:
    add_faulty_fleet(utcnow())

    page = oscar.post("/run-now").location
    waiting = oscar.get(page)

    assert page == "/runs/requests/1"
    assert LOOKS_AGAIN in waiting.text
    assert "Waiting for a worker oscar asked for a run just now." in words(waiting)
    assert statuses() == []

    with worker():
        await_until(lambda: oscar.get(page).location == "/runs/1", "the page leads to the run")
        await_until(lambda: LOOKS_AGAIN not in oscar.get("/runs/1").text, "the run has ended")

    assert "No Coms: checked 25 sites, 12 flagged; opened 12 new jobs." in words(oscar.get("/runs/1"))
    fresh()
    made = db.session.scalars(select(Run)).one()
    assert (made.trigger, made.requested_by, made.status) == ("manual", "oscar", "succeeded")
    assert every_fault_has_one_job()


def test_a_run_that_another_one_stood_in_the_way_of_is_not_lost_in_silence(
    app: Flask, oscar: Person, worker: Worker
) -> None:
    add_run("running")
    page = oscar.post("/run-now").location

    with worker():
        await_until(lambda: "No run was started" in oscar.get(page).text, "the page says so")

    told = oscar.get(page)
    assert "A run is already under way. Wait until it has finished." in words(told)
    assert LOOKS_AGAIN not in told.text
    assert statuses() == ["running"]


def test_each_persons_press_is_a_run_of_its_own(
    app: Flask, ada: Person, oscar: Person, worker: Worker
) -> None:
    with worker():
        for number, person in enumerate((oscar, ada), 1):
            page = person.post("/run-now").location
            await_until(lambda: person.get(page).location == f"/runs/{number}", "the run begins")  # noqa: B023
            await_until(lambda: statuses() == ["succeeded"] * number, "the run ends")  # noqa: B023


def test_a_request_that_no_worker_took_up_in_time_is_given_up_and_stays_so(
    oscar: Person, redis: Process
) -> None:
    page = oscar.post("/run-now").location
    with write() as session:
        session.execute(update(RunRequest).values(requested_at=utcnow() - GOOD_FOR - timedelta(seconds=1)))

    told = oscar.get(page)
    assert "No worker took it up within ten minutes, so it was given up." in words(told)
    assert LOOKS_AGAIN not in told.text

    tasks.run_now(1)

    assert statuses() == []


def test_a_viewer_may_look_and_a_request_that_is_not_there_is_not_found(
    vera: Person, oscar: Person, redis: Process
) -> None:
    page = oscar.post("/run-now").location
    assert vera.get(page).status_code == 200
    assert vera.get("/runs/requests/2").status_code == 404
    assert vera.post("/run-now").status_code == 403


@pytest.mark.parametrize("told", ["run", "refusal"])
def test_a_request_that_has_its_answer_gets_no_other(
    app: Flask, oscar: Person, redis: Process, told: str
) -> None:
    oscar.post("/run-now")
    if told == "refusal":
        add_run("running")
    tasks.run_now(1)
    before = statuses()
    with write() as session:
        session.execute(update(Run).values(status="succeeded"))

    tasks.run_now(1)

    assert len(statuses()) == len(before) == 1
    fresh()
    asked = db.session.get_one(RunRequest, 1)
    assert (asked.run_id is None) == (told == "refusal")
    assert (asked.refusal is None) == (told == "run")
