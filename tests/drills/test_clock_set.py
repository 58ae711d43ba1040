"""The clock is set back and forward under running processes: they tick on, and no day runs twice."""

from datetime import timedelta

import pytest

from tests.drills.stage import DAY, LEASE, Stage, await_runs, await_stop, await_ticks, london, runs
from tests.runs.fleet import every_fault_has_one_job, statuses

pytestmark = pytest.mark.process

NEXT_DAY = "2026-04-01"


@pytest.mark.any_engine
def test_set_back_and_forward_again_a_scheduler_ticks_on_and_runs_each_day_once(stage: Stage) -> None:
    stage.clock.set(london("07:00"))
    with stage.scheduler() as scheduler:
        await_runs(f"{DAY} succeeded")
        for shown in (london("05:30"), london("05:59"), london("06:00"), london("06:00", "2026-03-29")):
            stage.clock.set(shown)
            await_ticks(scheduler)
        done = runs()
        stage.clock.set(london("06:00", NEXT_DAY))
        await_ticks(scheduler)
        stage.clock.set(london("05:00"))
        await_ticks(scheduler)
    assert done == [f"{DAY} succeeded", "2026-03-29 succeeded"], "a day that had not run, but was shown"
    assert runs() == [*done, f"{NEXT_DAY} succeeded"]
    assert "tick-failed" not in scheduler.output


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "by",
    [
        pytest.param(timedelta(hours=-2), id="back"),
        pytest.param(timedelta(hours=2), id="forward"),
    ],
)
def test_set_in_the_middle_of_a_run_the_day_runs_to_its_end_once(stage: Stage, by: timedelta) -> None:
    stage.clock.set(london("09:00"))
    with stage.scheduler(DRILL_STOP="verdict") as first:
        await_stop(first)
        with stage.scheduler() as second:
            stage.clock.advance(by)
            await_ticks(second)  # may take the first one's proof of life for stale, or not
            stage.go.touch()
            await_ticks(first)
            stage.clock.advance(LEASE)
            await_ticks(second)
    assert statuses() in (["succeeded"], ["crashed", "succeeded"])
    assert every_fault_has_one_job()
