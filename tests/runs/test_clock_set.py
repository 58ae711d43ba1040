"""However far the clock is set, back or forward, the scheduler begins its work again within a tick."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from jobauto.clock import utcnow
from jobauto.work.scheduler import Every, wake_if_set_back
from tests.processes import PATIENCE

TICK = timedelta(seconds=20)
NOW = datetime(2026, 3, 31, 5, tzinfo=UTC)


@pytest.fixture
def scheduler() -> Iterator[BackgroundScheduler]:
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    yield scheduler
    scheduler.shutdown()


def test_work_that_lies_two_days_ahead_begins_at_once(scheduler: BackgroundScheduler) -> None:
    done = threading.Event()
    scheduler.add_job(done.set, "interval", seconds=20, next_run_time=utcnow() + timedelta(days=2))
    wake_if_set_back(scheduler, TICK, utcnow())
    assert done.wait(PATIENCE)


def test_work_that_the_next_tick_does_waits_for_it(scheduler: BackgroundScheduler) -> None:
    now = utcnow()
    job = scheduler.add_job(utcnow, "interval", seconds=20, next_run_time=now + TICK)
    wake_if_set_back(scheduler, TICK, now)
    assert job.next_run_time == now + TICK


@pytest.mark.parametrize(
    ("previous", "upcoming"),
    [
        pytest.param(NOW, NOW + TICK, id="a tick later"),
        pytest.param(NOW - TICK / 2, NOW + TICK / 2, id="late by half a tick"),
        pytest.param(NOW - TICK, NOW, id="just missed"),
        pytest.param(NOW - timedelta(days=7), NOW, id="a week asleep"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), NOW, id="a machine without a clock of its own"),
    ],
)
def test_of_what_was_missed_nothing_is_made_up_for(previous: datetime, upcoming: datetime) -> None:
    assert Every(seconds=TICK.total_seconds()).get_next_fire_time(previous, NOW) == upcoming
