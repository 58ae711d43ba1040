"""Summer time begins and ends: each local date has one run, whatever the clocks show at its time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobauto.clock import utcnow
from jobauto.settings import service as settings
from tests.databases import SQLITE
from tests.drills.stage import Stage, await_runs, await_ticks, runs

# When a local time is does not depend on the database; who gets a slot, other drills show on both.
pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", [SQLITE], indirect=True)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def set_schedule(**changes: Any) -> None:
    settings.save(lambda before: before.changed({"SCHEDULE": changes}), by="ada", now=utcnow())


@pytest.mark.parametrize(
    ("run_time", "timezone", "before", "due", "after"),
    [
        pytest.param(
            "06:00",
            "Europe/London",
            "2026-03-29T04:59",
            "2026-03-29T05:00",
            [],
            id="06:00 in London in March",
        ),
        pytest.param(
            "06:00",
            "Europe/London",
            "2026-10-25T05:59",
            "2026-10-25T06:00",
            [],
            id="06:00 in London in October",
        ),
        pytest.param(
            "01:30",
            "Europe/London",
            "2026-10-25T00:29",
            "2026-10-25T00:30",
            ["2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:30"],
            id="01:30 in London in October, which comes twice",
        ),
        pytest.param(
            "01:30",
            "Europe/London",
            "2026-03-29T00:59",
            "2026-03-29T01:00",
            ["2026-03-29T01:30", "2026-03-29T02:30"],
            id="01:30 in London in March, which is skipped",
        ),
        pytest.param(
            "02:30",
            "America/New_York",
            "2026-03-08T06:59",
            "2026-03-08T07:00",
            ["2026-03-08T07:30", "2026-03-08T08:30"],
            id="02:30 in New York in March, which is skipped",
        ),
        pytest.param(
            "23:30",
            "America/Nuuk",
            "2026-03-29T00:59",
            "2026-03-29T01:00",
            ["2026-03-29T01:30", "2026-03-29T12:00"],
            id="23:30 in Nuuk in March, which is skipped with the end of its date",
        ),
    ],
)
def test_each_local_date_runs_once(
    stage: Stage, run_time: str, timezone: str, before: str, due: str, after: list[str]
) -> None:
    set_schedule(run_time=run_time, timezone=timezone)
    day = utc(before).astimezone(ZoneInfo(timezone)).date()
    next_day = day + timedelta(days=1)
    stage.clock.set(utc(before))
    with stage.scheduler() as scheduler:
        await_ticks(scheduler)
        none_yet = [run for run in runs() if run.startswith(str(day))]
        stage.clock.set(utc(due))
        await_runs(f"{day} succeeded")
        for shown in after:
            stage.clock.set(utc(shown))
            await_ticks(scheduler)
        for later in (timedelta(hours=23, minutes=45), timedelta(hours=26)):
            stage.clock.set(utc(due) + later)
            await_ticks(scheduler)
        await_runs(f"{day} succeeded", f"{next_day} succeeded")
        await_ticks(scheduler)
    assert none_yet == []
    assert runs() == [f"{day} succeeded", f"{next_day} succeeded"]
