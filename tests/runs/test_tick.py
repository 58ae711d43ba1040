"""A tick runs the slot that is owed, once, and nothing else."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Run
from jobauto.runs.lifecycle import Claim, finish, reap_stale_runs, start
from jobauto.runs.queries import ATTEMPTS_AT_ONCE
from jobauto.settings import service as settings
from jobauto.work.slots import run_slot, tick
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, owe_slots_since, set_heartbeat


def london(clock: str, day: int = 31) -> datetime:
    """A time in London in March 2026; on the 31st it is summer time."""
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}+01:00").astimezone(UTC)


def set_schedule(at: str, **changes: Any) -> None:
    settings.save(lambda before: before.changed({"SCHEDULE": changes}), by="ada", now=london(at))


def tick_at(*times: str, day: int = 31) -> list[str | None]:
    """Tick at these times; which date's run each of them was."""
    return [_slot_run_at(london(time, day)) for time in times]


def _slot_run_at(now: datetime) -> str | None:
    result = tick(lambda: now)
    return None if result is None else str(db.session.get_one(Run, result.run_id).slot)


@pytest.fixture(autouse=True)
def _owed_for_days(app: Flask) -> None:
    owe_slots_since(london("00:00", day=30))


@pytest.mark.parametrize(
    ("times", "runs"),
    [
        pytest.param(["05:59"], [None], id="not yet due"),
        pytest.param(["06:00"], ["2026-03-31"], id="due to the minute"),
        pytest.param(["05:59:40", "06:00:20", "06:00:40"], [None, "2026-03-31", None], id="once"),
        pytest.param(["09:00", "09:00:20"], ["2026-03-31", None], id="caught up at nine"),
        pytest.param(["23:59"], ["2026-03-31"], id="caught up before midnight"),
    ],
)
def test_when_a_tick_runs(app: Flask, times: Iterable[str], runs: list[str | None]) -> None:
    assert tick_at(*times) == runs


def test_a_missed_day_is_not_made_up_for(app: Flask) -> None:
    assert tick_at("05:00", "06:00", day=31) == [None, "2026-03-31"]
    assert db.session.scalars(select(Run.slot)).all() == [london("06:00").date()]


def test_a_slot_that_was_due_before_the_database_was_made_is_not_owed(app: Flask) -> None:
    owe_slots_since(london("08:00"))
    assert tick_at("09:00") == [None]


def test_the_scheduled_run_looks_from_now(app: Flask) -> None:
    add_faulty_fleet(london("09:00"))
    tick_at("09:00")
    made = db.session.scalars(select(Run)).one()
    assert (made.trigger, made.requested_by, made.status) == ("schedule", None, "succeeded")
    assert (made.as_of, made.started_at) == (london("09:00"), london("09:00"))
    assert every_fault_has_one_job()


def test_nothing_runs_while_the_schedule_is_off_nor_what_was_due_meanwhile(app: Flask) -> None:
    set_schedule("05:00", schedule_enabled=False)
    assert tick_at("06:00", "09:00") == [None, None]
    set_schedule("10:00", schedule_enabled=True)
    assert tick_at("10:01", "23:59") == [None, None]


@pytest.mark.parametrize(
    ("moved_at", "to", "then", "runs"),
    [
        pytest.param(
            "05:00", "04:00", ["05:00:20"], ["2026-03-31"], id="to an hour that has passed: at once"
        ),
        pytest.param("05:00", "08:00", ["06:00", "08:00"], [None, "2026-03-31"], id="to a later hour"),
        pytest.param("07:00", "08:00", ["08:00", "08:01"], [None, None], id="after the day's run: no second"),
        pytest.param("07:00", "04:00", ["07:01"], [None], id="back after the day's run: no second"),
    ],
)
def test_a_time_that_is_moved(
    app: Flask, moved_at: str, to: str, then: list[str], runs: list[str | None]
) -> None:
    if moved_at > "06:00":
        tick_at("06:00")
    set_schedule(moved_at, run_time=to)
    assert tick_at(*then) == runs


def test_a_run_under_way_does_not_lose_the_slot(app: Flask) -> None:
    claim = Claim("manual", "oscar", london("05:59"), london("05:59"), settings_version=1)
    with db.engine.connect() as connection:
        other = start(connection, claim)
        assert tick_at("06:00", "06:00:20") == [None, None]
        finish(connection, other, "succeeded", london("06:00:30"))
    assert tick_at("06:00:40", "06:01") == ["2026-03-31", None]


def test_a_run_by_hand_does_not_take_the_slot(app: Flask) -> None:
    run(RunParameters("manual"), lambda: london("05:00"))
    assert tick_at("06:00") == ["2026-03-31"]


def crash_at_six(times: int) -> None:
    now = london("06:00")
    for _ in range(times):
        with db.engine.connect() as connection:
            start(connection, Claim("schedule", None, now, now, settings_version=1, slot=now.date()))
        set_heartbeat(timedelta(hours=1))
        reap_stale_runs()


def test_a_slot_whose_runs_keep_crashing_is_tried_again_each_hour_of_its_day(app: Flask) -> None:
    crash_at_six(ATTEMPTS_AT_ONCE)
    assert tick_at("06:10", "07:00") == [None, None]
    assert tick_at("07:00:01", "23:00") == ["2026-03-31", None]


def test_who_asks_for_such_a_slot_by_name_gets_it(app: Flask) -> None:
    crash_at_six(ATTEMPTS_AT_ONCE)
    assert run_slot(london("06:00").date(), utcnow).status == "succeeded"


def test_crashes_of_a_clock_that_was_set_back_since_keep_no_slot_from_its_run(app: Flask) -> None:
    crash_at_six(ATTEMPTS_AT_ONCE)
    set_schedule("05:00", run_time="05:00")
    assert tick_at("05:30") == ["2026-03-31"]


def test_a_slot_that_crashed_once_less_is_tried_again(app: Flask) -> None:
    crash_at_six(ATTEMPTS_AT_ONCE - 1)
    assert tick_at("06:10", "06:11") == ["2026-03-31", None]
