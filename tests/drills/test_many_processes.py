"""Three web workers, two schedulers and cron at the same minute, for days: each slot once."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.drills.stage import Stage, await_runs, await_ticks, london, runs

pytestmark = pytest.mark.process

DAYS = 2


def test_each_slot_runs_once(stage: Stage) -> None:
    with ExitStack() as up:
        up.enter_context(stage.web("--workers", "3"))
        schedulers = [up.enter_context(stage.scheduler()) for _ in range(2)]
        for scheduler in schedulers:
            await_ticks(scheduler)
        expected: list[str] = []
        for day in range(DAYS):
            due = london("06:00") + timedelta(days=day)
            cron = up.enter_context(stage.command("run-daily-job-automation", "--scheduled"))
            stage.clock.set(due)
            expected.append(f"{due.date()} succeeded")
            await_runs(*expected)
            assert cron.end() in (0, 3), cron.output
            await_ticks(schedulers[day % 2])
            stage.clock.set(due + timedelta(hours=23))
            await_ticks(schedulers[day % 2])
    assert runs() == expected
