"""However far ahead the next tick seems to be, the scheduler looks again within a tick."""

from datetime import timedelta

from jobauto.clock import utcnow
from jobauto.work.scheduler import _Awake


def test_it_never_waits_longer_than_a_tick() -> None:
    """As when the clock is set back by two days just before it works out how long to wait."""
    scheduler = _Awake(timedelta(seconds=20), timezone="UTC")
    scheduler.add_job(utcnow, "date", run_date=utcnow() + timedelta(days=2))
    scheduler.start()
    try:
        assert scheduler._process_jobs() == 20
    finally:
        scheduler.shutdown()
