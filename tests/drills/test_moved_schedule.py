"""The schedule is moved on the same day, through the API and the page, while many processes tick."""

import pytest

from tests.drills.asking import ask, send_form
from tests.drills.stage import DAY, Stage, await_runs, await_ticks, london, runs
from tests.people import PASSWORD, Person
from tests.runs.fleet import every_fault_has_one_job

pytestmark = pytest.mark.process


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("engine", "door"),  # both doors save alike, and who gets a slot is for the database to say
    [
        pytest.param("sqlite", "page", marks=pytest.mark.sqlite),
        pytest.param("postgresql", "API", marks=pytest.mark.postgresql),
    ],
    indirect=["engine"],
)
def test_a_time_moved_to_and_fro_gives_one_run_a_day(stage: Stage, ada: Person, door: str) -> None:
    stage.clock.set(london("05:00"))

    def move_to(url: str, run_time: str) -> None:
        if door == "API":
            changes = {"SCHEDULE": {"run_time": run_time}}
            status, body = ask("PUT", f"{url}/api/job-automation/settings/", ada.token, changes)
            assert status == 200, body
        else:
            send_form(url, "ada", PASSWORD, "/settings/", {"SCHEDULE.run_time": run_time})

    with stage.web("--workers", "2") as (_, url), stage.scheduler() as scheduler:
        await_ticks(scheduler)
        move_to(url, "08:00")
        stage.clock.set(london("06:30"))
        await_ticks(scheduler)
        assert runs() == [], "moved to a later time: not before that"
        move_to(url, "06:15")
        await_runs(f"{DAY} succeeded")
        for run_time in ("09:00", "05:00"):
            move_to(url, run_time)
            stage.clock.set(london("09:00"))
            await_ticks(scheduler)
        assert runs() == [f"{DAY} succeeded"], "no second run of the day"
        stage.clock.set(london("05:00", "2026-04-01"))
        await_runs(f"{DAY} succeeded", "2026-04-01 succeeded")
    assert every_fault_has_one_job()
