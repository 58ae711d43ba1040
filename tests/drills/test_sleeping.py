"""A scheduler that is suspended in the middle of a run, and wakes up when others have taken over."""

import signal

import pytest

from tests.drills.stage import DAY, LEASE, Stage, await_runs, await_stop, london, runs
from tests.processes import await_until
from tests.runs.fleet import every_fault_has_one_job

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("engine", "place"),
    [
        pytest.param("sqlite", "verdict", marks=pytest.mark.sqlite, id="sqlite, while it reads"),
        pytest.param("postgresql", "verdict", marks=pytest.mark.postgresql, id="postgresql, while it reads"),
        # SQLite's write lock would lie with the process until it goes on or is killed.
        pytest.param(
            "postgresql",
            "job",
            marks=pytest.mark.postgresql,
            id="postgresql, with its jobs written and not committed",
        ),
    ],
    indirect=["engine"],
)
def test_it_writes_nothing_more_and_goes_on_with_the_next_day(stage: Stage, place: str) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP=place, DRILL_TIMEOUT_MS="10000") as sleeper:
        await_stop(sleeper)
        sleeper.signal(signal.SIGSTOP)
        stage.clock.advance(LEASE)
        try:
            with stage.scheduler():
                await_runs(f"{DAY} crashed", f"{DAY} succeeded")
                assert every_fault_has_one_job()
        finally:
            stage.go.touch()
            sleeper.signal(signal.SIGCONT)
        sleeper.await_line("outcome=LeaseLost|tick-failed.*idle-in-transaction timeout")
        assert runs() == [f"{DAY} crashed", f"{DAY} succeeded"]
        assert every_fault_has_one_job()
        stage.clock.set(london("06:00", "2026-04-01"))
        # On a busy machine its own short time-out may cut the next day's run off too: it is run again.
        await_until(lambda: runs()[-1] == "2026-04-01 succeeded", "the next day is run")
    assert runs()[:2] == [f"{DAY} crashed", f"{DAY} succeeded"]
    assert set(runs()[2:-1]) <= {"2026-04-01 crashed"}
    assert every_fault_has_one_job()
