"""SIGTERM, SIGINT and what systemd does: a run is finished, or leaves nothing half done and says so."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.drills.asking import ask
from tests.drills.stage import DAY, LEASE, Stage, await_runs, await_stop, london, nothing_is_half_done, runs
from tests.people import Person
from tests.runs.fleet import every_fault_has_one_job

pytestmark = pytest.mark.process

DAILY = ("run-daily-job-automation", "--scheduled")


@pytest.fixture(autouse=True)
def _it_is_six(stage: Stage) -> None:
    stage.clock.set(london("06:00"))


def test_a_scheduler_finishes_its_run_and_ends(stage: Stage) -> None:
    with stage.scheduler(DRILL_STOP="job") as scheduler:
        await_stop(scheduler)
        scheduler.signal(signal.SIGTERM)
        stage.go.touch()
        assert scheduler.end() == 0
    assert "event=scheduler-end" in scheduler.output
    assert runs() == [f"{DAY} succeeded"]
    assert every_fault_has_one_job()


def test_web_workers_finish_the_run_of_their_tick_and_end(stage: Stage) -> None:
    with stage.web("--workers", "2", DRILL_STOP="job") as (server, _):
        await_stop(server)
        server.signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):  # it waits for its run, while its next ticks are due
            server.popen.wait(timeout=3)
        stage.go.touch()
        assert server.end() == 0
    assert "Traceback" not in server.output
    assert runs() == [f"{DAY} succeeded"]
    assert every_fault_has_one_job()


def test_web_workers_finish_a_run_by_hand_and_answer(stage: Stage, oscar: Person) -> None:
    off = {"JOBAUTO_SCHEDULER_ENABLED": "false"}
    with stage.web("--workers", "2", DRILL_STOP="job", **off) as (server, url), ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, "POST", f"{url}/api/job-automation/run-manual/", oscar.token)
        await_stop(server)
        server.signal(signal.SIGTERM)
        stage.go.touch()
        status, body = answer.result()
        assert server.end() == 0
    assert (status, body["success"], body["created_jobs"]) == (200, True, 20)
    assert runs() == ["- succeeded"]
    assert every_fault_has_one_job()


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGINT, 1, id="Ctrl+C"),
    ],
)
def test_a_command_leaves_nothing_half_done_and_frees_its_slot_at_once(
    stage: Stage, number: signal.Signals, status: int
) -> None:
    with stage.command(*DAILY, DRILL_STOP="job") as command:
        await_stop(command)
        command.signal(number)
        assert command.end() == status
    assert "Traceback" not in command.output
    assert runs() == [f"{DAY} crashed"]
    assert nothing_is_half_done()

    with stage.command(*DAILY) as again:
        assert again.end() == 0
    assert runs() == [f"{DAY} crashed", f"{DAY} succeeded"]
    assert every_fault_has_one_job()


def test_a_scheduler_that_does_not_end_in_time_is_killed_as_systemd_does(stage: Stage) -> None:
    with stage.scheduler(DRILL_STOP="job") as scheduler:
        await_stop(scheduler)
        scheduler.signal(signal.SIGTERM)
        assert scheduler.popen.poll() is None
        scheduler.signal(signal.SIGKILL)
        scheduler.end()
    assert runs() == [f"{DAY} running"]
    assert nothing_is_half_done()

    stage.clock.advance(LEASE)
    with stage.scheduler():
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()


def test_a_web_worker_that_does_not_end_in_time_is_killed_by_its_master(stage: Stage) -> None:
    with stage.web("--graceful-timeout", "1", DRILL_STOP="job") as (server, _):
        await_stop(server)
        server.signal(signal.SIGTERM)
        server.end()
    assert runs() == [f"{DAY} running"]
    assert nothing_is_half_done()

    stage.clock.advance(LEASE)
    with stage.scheduler():
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()
