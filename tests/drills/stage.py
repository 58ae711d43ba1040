"""The program's processes on a drill's database and clock, and looks at what they have done."""

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from jobauto.extensions import db
from jobauto.models import Job, Run, RunRule
from tests.drills.actor import TICKED
from tests.drills.clock import WallClock
from tests.processes import Process, await_until, environment, gunicorn, started
from tests.runs.fleet import fresh

ACTOR = [sys.executable, "-m", "tests.drills.actor"]
DAY = "2026-03-31"
"""The day of most drills; London has summer time."""
LEASE = timedelta(seconds=65)
"""After so long without a proof of life, a run is taken for dead."""


def london(clock: str, day: str = DAY) -> datetime:
    """A time of day in London, as an instant."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)


@dataclass
class Stage:
    """Starts processes that all work on one database, go by one clock and tick every second."""

    database_uri: str
    folder: Path
    clock: WallClock

    @property
    def go(self) -> Path:
        """The file for which a process waits that was told to stop at a table."""
        return self.folder / "go"

    def scheduler(self, **more: str) -> AbstractContextManager[Process]:
        """``jobauto scheduler``."""
        return self.command("scheduler", **more)

    def command(self, *words: str, **more: str) -> AbstractContextManager[Process]:
        """Any command of ``jobauto``."""
        return started([*ACTOR, *words], self.environment(**more))

    def web(self, *options: str, **more: str) -> AbstractContextManager[tuple[Process, str]]:
        """Gunicorn and its address."""
        patient = ["--timeout", "120"]  # on a busy machine a login may take long
        return gunicorn(self.environment(**more), *patient, *options, command=[*ACTOR, "gunicorn"])

    def environment(self, **more: str) -> dict[str, str]:
        """What every process is told."""
        own = {"JOBAUTO_TICK_SECONDS": "1", "DRILL_GO": str(self.go)}
        return environment(self.database_uri, self.folder, **own | self.clock.environment | more)


def await_ticks(process: Process) -> None:
    """Wait until a tick has begun and ended that knows what the clock shows now."""
    already = process.seen.count(TICKED)
    await_until(lambda: process.seen.count(TICKED) >= already + 2, "the process ticks on")


def await_stop(process: Process) -> int:
    """Wait until a process stands where it was told to stop; its id."""
    return int(process.await_line(r"at \w+ pid=([0-9]+)")[1])


def await_runs(*expected: str) -> None:
    """Wait until the runs are these: ``2026-03-31 succeeded``, or ``- succeeded`` without a slot."""
    await_until(lambda: runs() == list(expected), f"the runs are {expected}, not {runs()}")


def runs() -> list[str]:
    """Slot and status of each run, in the order of their start."""
    fresh()
    found = [f"{run.slot or '-'} {run.status}" for run in db.session.scalars(select(Run).order_by(Run.id))]
    db.session.rollback()  # PostgreSQL ends a transaction that is idle for long, and drills wait for long
    return found


def nothing_is_half_done() -> bool:
    """Whether the jobs are those that the rules say they have opened, all or none of each rule."""
    fresh()
    by_rule = select(Job.run_id, Job.rule, func.count()).group_by(Job.run_id, Job.rule)
    kept = select(RunRule.run_id, RunRule.rule, RunRule.created).where(RunRule.created > 0)
    counted, told = (sorted(db.session.execute(query).all()) for query in (by_rule, kept))
    db.session.rollback()
    return counted == told
