"""A message that comes twice does nothing twice, also when a worker was killed in between."""

import signal
from datetime import timedelta
from os import kill
from pathlib import Path

import pytest
import redis as redis_client
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background
from jobauto.models import Import, Job, Reading
from jobauto.runs import run_requests as requests
from jobauto.runs.lifecycle import reap_stale_runs
from jobauto.storage.connections import write
from jobauto.work import broker, tasks
from tests import brokers
from tests.fleets import add_site
from tests.imports.test_background import GOOD, HEADER, accept, counts, entry
from tests.processes import Process, await_until
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, fresh, set_heartbeat, statuses
from tests.tasks.conftest import Worker

pytestmark = pytest.mark.process

LONG_AGO = timedelta(minutes=3)
RECEIVED, DONE = " received", " succeeded in "


def press() -> int:
    """Run now."""
    request_id = requests.ask(Author("oscar", utcnow()))
    assert broker.enqueue(tasks.RUN_NOW, request_id)
    return request_id


def told(process: Process, words: str) -> int:
    """How often a worker has said so of its work; that of telling about it goes on beside."""
    return sum(words in line and tasks.SEND_MESSAGES not in line for line in list(process.seen))


def count(model: type) -> int:
    fresh()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def victims(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of workers one of which will stop."""
    return env | {"STOPPED": str(tmp_path / "stopped")}


def kill_where_it_stopped(process: Process) -> None:
    """SIGKILL the child that says that it has stopped."""
    kill(int(process.await_line("stopped ([0-9]+)")[1]), signal.SIGKILL)


@pytest.mark.parametrize("when", ["at once", "after the run has ended"])
def test_a_press_that_is_delivered_twice_is_one_run(app: Flask, worker: Worker, when: str) -> None:
    add_faulty_fleet(utcnow())
    with worker() as process:
        request_id = press()
        if when != "at once":
            await_until(lambda: told(process, DONE) == 1, "the first one is done")
        assert broker.enqueue(tasks.RUN_NOW, request_id)
        await_until(lambda: told(process, DONE) == 2, "both are done")
    assert statuses() == ["succeeded"]
    assert every_fault_has_one_job()


def test_an_import_that_is_delivered_twice_is_done_once(app: Flask, worker: Worker) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD)
    with worker() as process:
        for _ in range(2):
            assert broker.enqueue(tasks.IMPORT_FILES)
        await_until(lambda: told(process, DONE) == 2, "both are done")
    assert counts(import_id) == ("finished", 1, 0, 0, 0)
    assert entry(import_id).attempts == 1


def test_a_worker_that_is_killed_before_its_run_has_begun_gives_it_back_and_it_is_run_once(
    app: Flask, redis: Process, victims: dict[str, str]
) -> None:
    add_faulty_fleet(utcnow())
    press()
    with brokers.worker(victims | {"STOP_AT": "INSERT INTO run "}, "tests.tasks.victim") as process:
        kill_where_it_stopped(process)
        await_until(lambda: told(process, DONE) == 1, "the message comes again and is done")
        assert told(process, RECEIVED) == 2
    assert statuses() == ["succeeded"]
    assert every_fault_has_one_job()


def test_a_worker_that_is_killed_in_the_middle_of_a_run_gives_it_back_and_nothing_is_done_twice(
    app: Flask, redis: Process, victims: dict[str, str]
) -> None:
    add_faulty_fleet(utcnow())
    press()
    with brokers.worker(victims | {"STOP_AT": "INSERT INTO job "}, "tests.tasks.victim") as process:
        kill_where_it_stopped(process)
        await_until(lambda: told(process, DONE) == 1, "the message comes again")
        assert told(process, RECEIVED) == 2
        assert (statuses(), count(Job)) == (["running"], 0)

        set_heartbeat(LONG_AGO)
        reap_stale_runs()
        press()
        await_until(lambda: told(process, DONE) == 2, "another press")
    assert statuses() == ["crashed", "succeeded"]
    assert every_fault_has_one_job()


def test_a_machine_that_loses_its_power_in_the_middle_of_a_run_is_not_run_after(
    app: Flask, redis: Process, victims: dict[str, str], port: int
) -> None:
    add_faulty_fleet(utcnow())
    press()
    with brokers.worker(victims | {"STOP_AT": "INSERT INTO job "}, "tests.tasks.victim") as process:
        process.await_line("stopped")
        process.signal(signal.SIGKILL)
        process.end()
    set_heartbeat(LONG_AGO)
    let_the_message_come_again(port)

    with brokers.worker(victims | {"STOP_AT": "nowhere"}, "tests.tasks.victim") as other:
        other.await_line("event=run-now request=1 outcome=RequestTaken")

    reap_stale_runs()
    assert (statuses(), count(Job)) == (["crashed"], 0)


def let_the_message_come_again(port: int) -> None:
    """As if its time had passed: Redis keeps when each message was taken, in seconds since 1970."""
    with redis_client.Redis(port=port) as client:
        (taken,) = client.zrange("unacked_index", 0, -1)
        client.zadd("unacked_index", {taken: 0})


def test_an_import_whose_worker_is_killed_is_finished_by_the_tick_and_nothing_is_stored_twice(
    app: Flask, redis: Process, victims: dict[str, str]
) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD)
    with write() as session:  # the look before anything is stored is over
        session.execute(update(Import).values(is_checked=True))
    assert broker.enqueue(tasks.IMPORT_FILES)
    with brokers.worker(victims | {"STOP_AT": "INSERT INTO import_site"}, "tests.tasks.victim") as process:
        kill_where_it_stopped(process)
        await_until(lambda: told(process, DONE) == 1, "the message comes again")
    assert counts(import_id)[0] == "running", "its last proof of life is fresh: nobody may take it over yet"

    with write() as session:
        session.execute(update(Import).values(heartbeat_at=utcnow() - LONG_AGO))
    background.process_pending()

    assert counts(import_id) == ("finished", 0, 0, 1, 0), "it was stored before the worker was killed"
    assert (entry(import_id).attempts, count(Reading)) == (2, 1)
