"""A broker that is silent stops nobody: the work is done as if there were none, and the log says so."""

import logging
from pathlib import Path

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.work import broker, tasks
from tests import brokers
from tests.fleets import add_site
from tests.pages.reading import words
from tests.pages.scenes import add_run
from tests.pages.test_importing import GOOD, HEADER, send
from tests.people import Person
from tests.processes import Process
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, statuses

SENTENCE = "The queue for workers did not answer, so the run was done without one."


@pytest.mark.any_engine
def test_run_now_runs_at_once_and_the_page_says_why(oscar: Person, caplog: pytest.LogCaptureFixture) -> None:
    add_faulty_fleet(utcnow())
    page = oscar.post("/run-now").location
    assert oscar.get(page).location == "/runs/1"
    assert SENTENCE in words(oscar.get("/runs/1"))
    assert every_fault_has_one_job()
    assert "event=broker-silent task=jobauto.run_now" in caplog.text
    assert [record.levelno for record in caplog.records if "broker-silent" in record.getMessage()] == [
        logging.ERROR
    ]


@pytest.mark.any_engine
def test_run_now_beside_another_run_is_told_all_the_same(oscar: Person) -> None:
    add_run("running")
    page = oscar.post("/run-now").location
    assert "A run is already under way." in words(oscar.get(page))
    assert statuses() == ["running"]


@pytest.mark.any_engine
def test_a_file_is_imported_by_the_process_that_took_it(oscar: Person) -> None:
    add_site("S1")
    page = send(oscar, HEADER + GOOD).location
    assert "Imported Every row of the file was taken." in words(oscar.get(page))


@pytest.mark.any_engine
@pytest.mark.process
def test_a_broker_that_was_started_again_is_used_again_at_once(app: Flask, port: int, tmp_path: Path) -> None:
    for _ in range(2):
        with brokers.redis(tmp_path, port):
            assert broker.enqueue(tasks.IMPORT_FILES)
    assert not broker.enqueue(tasks.IMPORT_FILES)


@pytest.mark.process
def test_a_database_that_is_away_is_asked_again_later(
    app: Flask, redis: Process, env: dict[str, str], tmp_path: Path
) -> None:
    env["JOBAUTO_SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/empty.sqlite3"
    assert broker.enqueue(tasks.IMPORT_FILES)
    with brokers.worker(env) as process:
        process.await_line("retry: Retry in 20s: DatabaseNotReady.*jobauto db upgrade")
