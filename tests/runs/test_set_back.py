"""However far the clock is set back, the scheduler begins its work again within a tick."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from jobauto.clock import utcnow
from jobauto.work.scheduler import wake_if_set_back
from tests.processes import PATIENCE

TICK = timedelta(seconds=20)


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
