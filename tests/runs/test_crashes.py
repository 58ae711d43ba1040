"""A process that dies in the middle of a run leaves nothing half done and blocks nobody for long."""

import signal
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.detection.service import RunParameters, RunResult, run
from jobauto.extensions import db
from jobauto.models import Job, Run, RunRule
from jobauto.runs.lifecycle import RunInProgress, reap_stale_runs
from jobauto.work.slots import tick
from tests.databases import SQLITE
from tests.fleets import NOON
from tests.processes import await_until, environment, started
from tests.runs.fleet import (
    SILENT,
    add_faulty_fleet,
    every_fault_has_one_job,
    fresh,
    owe_slots_since,
    set_heartbeat,
    statuses,
)

VICTIM = [sys.executable, "-m", "tests.runs.victim"]
TODAY = NOON.date().isoformat()
LONG_AGO = timedelta(minutes=2)


def run_again() -> RunResult:
    return run(RunParameters("cli"), lambda: NOON)


def count(model: type) -> int:
    fresh()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("table", "jobs_kept"),
    [
        pytest.param("verdict", 0, id="while the first rule reads"),
        pytest.param("job", 0, id="with the first rule's jobs written and not committed"),
        pytest.param("run_rule", 0, id="with its figures written and not committed"),
    ],
)
def test_a_killed_run_leaves_nothing_half_done_and_frees_its_slot(
    app: Flask, database_uri: str, tmp_path: Path, table: str, jobs_kept: int
) -> None:
    add_faulty_fleet()
    owe_slots_since(NOON - timedelta(days=1))
    with started([*VICTIM, TODAY, table], environment(database_uri, tmp_path)) as victim:
        victim.await_line(f"at {table}")
        victim.signal(signal.SIGKILL)
        victim.end()

    assert (count(Job), count(RunRule)) == (jobs_kept, 0)
    assert statuses() == ["running"]
    assert tick(lambda: NOON) is None, "its last proof of life is fresh: nobody may take it for dead yet"

    set_heartbeat(LONG_AGO)
    result = tick(lambda: NOON)

    assert result
    assert result.status == "succeeded"
    assert statuses() == ["crashed", "succeeded"]
    assert every_fault_has_one_job()


@pytest.mark.process
def test_a_run_killed_in_its_second_rule_keeps_the_first_rules_jobs(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    add_faulty_fleet()
    with started([*VICTIM, "none", "job", "verdict", "job"], environment(database_uri, tmp_path)) as victim:
        for table in ("job", "verdict", "job"):
            victim.await_line(f"at {table}")
            if table != "job" or count(Job) == 0:
                victim.say()
        victim.signal(signal.SIGKILL)
        victim.end()

    assert count(Job) == SILENT
    set_heartbeat(LONG_AGO)
    assert run_again().created_jobs > 0
    assert every_fault_has_one_job()


@pytest.mark.process
def test_the_last_proof_of_life_is_the_end_of_a_crashed_run(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    with started([*VICTIM, "none", "verdict"], environment(database_uri, tmp_path)) as victim:
        victim.await_line("at verdict")
        victim.signal(signal.SIGKILL)
        victim.end()
    set_heartbeat(LONG_AGO)
    fresh()
    last_proof = db.session.scalars(select(Run.heartbeat_at)).one()

    reap_stale_runs()

    fresh()
    crashed = db.session.scalars(select(Run)).one()
    assert (crashed.status, crashed.finished_at) == ("crashed", last_proof)


@pytest.mark.process
def test_a_process_that_wakes_up_after_it_was_given_up_writes_nothing_more(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    add_faulty_fleet()
    with started([*VICTIM, "none", "verdict"], environment(database_uri, tmp_path)) as sleeper:
        sleeper.await_line("at verdict")
        sleeper.signal(signal.SIGSTOP)
        try:
            set_heartbeat(LONG_AGO)
            assert run_again().status == "succeeded"
            figures = count(RunRule)
        finally:
            sleeper.signal(signal.SIGCONT)
        sleeper.say()
        sleeper.await_line("ended LeaseLost")
        assert sleeper.end() == 0

    assert statuses() == ["crashed", "succeeded"]
    assert count(RunRule) == figures
    assert every_fault_has_one_job()


@pytest.mark.process
@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
def test_a_rule_that_holds_the_write_lock_of_sqlite_is_not_taken_for_dead(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    add_faulty_fleet()
    told: list[str] = []

    def want_to_run() -> None:
        with app.app_context():
            try:
                told.append(run_again().status)
            except RunInProgress:
                told.append("RunInProgress")
            db.session.remove()

    env = environment(database_uri, tmp_path)
    with started([*VICTIM, "none", "verdict", "job", "verdict"], env) as slow:
        slow.await_line("at verdict")
        set_heartbeat(LONG_AGO)  # from here on it looks dead, and only the lock that it takes now protects it
        slow.say()
        slow.await_line("at job")
        other = Thread(target=want_to_run)
        other.start()
        slow.say()
        slow.await_line("at verdict")
        await_until(lambda: told, "the other one is answered once the lock is free")
        other.join()
        slow.say()
        slow.await_line("ended succeeded")

    assert told == ["RunInProgress"]
    assert statuses() == ["succeeded"]
    assert every_fault_has_one_job()
