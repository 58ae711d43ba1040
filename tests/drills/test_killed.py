"""SIGKILL in the middle of a run: nothing is half done, it shows as crashed, and the next one is well."""

import os
import signal

import pytest

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
from tests.runs.fleet import every_fault_has_one_job

pytestmark = pytest.mark.process


def test_a_killed_scheduler(stage: Stage) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="job") as victim:
        await_stop(victim)
        victim.signal(signal.SIGKILL)
        victim.end()
    assert runs() == [f"{DAY} running"]
    assert nothing_is_half_done()

    with stage.scheduler() as other:
        await_ticks(other)
        assert runs() == [f"{DAY} running"], "its last proof of life is fresh"
        stage.clock.advance(LEASE)
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()


def test_a_killed_web_worker_whose_master_starts_another(stage: Stage) -> None:
    stage.clock.set(london("06:00"))
    with stage.web("--workers", "2", DRILL_STOP="job") as (server, _):
        victim = await_stop(server)
        os.kill(victim, signal.SIGKILL)
        stage.go.touch()
        await_ticks(server)
        assert runs() == [f"{DAY} running"]
        assert nothing_is_half_done()
        stage.clock.advance(LEASE)
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()
