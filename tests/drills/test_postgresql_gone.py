"""PostgreSQL goes away and comes back: nothing needs a restart, and the day's run is not lost nor doubled."""

import socket
from collections.abc import Iterator

import pytest

from tests.drills.actor import TICKED
from tests.drills.asking import ask
from tests.drills.server import OwnPostgresql
from tests.drills.stage import (
    DAY,
    LEASE,
    Stage,
    await_runs,
    await_stop,
    await_ticks,
    london,
    nothing_is_half_done,
    runs,
)
from tests.processes import PATIENCE, await_until
from tests.runs.fleet import every_fault_has_one_job

pytestmark = pytest.mark.process


@pytest.fixture
def engine(own_postgresql: OwnPostgresql) -> Iterator[OwnPostgresql]:
    """A server of these drills' own, running again when they are over."""
    yield own_postgresql
    own_postgresql.start()


def test_it_is_down_when_the_run_is_due(stage: Stage, engine: OwnPostgresql) -> None:
    with stage.scheduler() as scheduler, stage.web("--workers", "2") as (_, url):
        await_ticks(scheduler)
        engine.crash()
        stage.clock.set(london("06:00"))
        scheduler.await_line("tick-failed")
        scheduler.await_line("tick-failed")
        assert ask("GET", f"{url}/healthz") == (
            503,
            {"status": "error", "error": "the database is not ready"},
        )
        engine.start()
        await_runs(f"{DAY} succeeded")
        assert ask("GET", f"{url}/healthz") == (200, {"status": "ok"})
        await_ticks(scheduler)
    assert runs() == [f"{DAY} succeeded"]
    assert every_fault_has_one_job()
    assert "Traceback" not in scheduler.output, "an outage is told in a sentence"


def test_it_is_down_in_the_middle_of_a_run_and_for_long(stage: Stage, engine: OwnPostgresql) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="job") as scheduler:
        await_stop(scheduler)
        engine.crash()
        stage.go.touch()
        scheduler.await_line(TICKED)  # the run's own: other work fails at once, and says nothing of it
        engine.start()
        await_ticks(scheduler)
        assert runs() == [f"{DAY} running"], "it could tell nobody; its last proof of life is fresh"
        assert nothing_is_half_done()
        stage.clock.advance(LEASE)
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()


def test_it_is_restarted_in_the_middle_of_a_run(stage: Stage, engine: OwnPostgresql) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="job") as scheduler:
        await_stop(scheduler)
        engine.crash()
        engine.start()
        assert nothing_is_half_done()
        stage.go.touch()
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()


def test_it_hangs_when_the_run_is_due(stage: Stage, engine: OwnPostgresql) -> None:
    with stage.scheduler() as scheduler:
        await_ticks(scheduler)
        with engine.frozen():
            stage.clock.set(london("06:00"))
            scheduler.await_line("tick .*maximum number of running instances reached")
        await_runs(f"{DAY} succeeded")
    assert every_fault_has_one_job()


def test_it_hangs_in_the_middle_of_a_run(stage: Stage, engine: OwnPostgresql) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="job") as scheduler:
        await_stop(scheduler)
        with engine.frozen():
            stage.go.touch()
            stage.clock.advance(LEASE)
            scheduler.await_line("tick .*maximum number of running instances reached")
        await_until(lambda: runs()[-1] == f"{DAY} succeeded", "the run ends")
    assert every_fault_has_one_job()


def test_a_server_that_takes_a_connection_and_says_nothing_is_given_up(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        stage.database_uri = f"postgresql://ada@127.0.0.1:{mute.getsockname()[1]}/jobauto"
        with stage.command("list-users") as command:
            assert command.popen.wait(PATIENCE) == 1
            command.end()
    assert "The database does not answer" in command.output
