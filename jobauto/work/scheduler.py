"""The tick: work that each process looks for every few seconds, the daily schedule's slots among it.

APScheduler supplies the tick and nothing else. Which slot is owed is decided in :mod:`jobauto.work.slots`.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import click
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, current_app
from sqlalchemy.exc import DatabaseError

from ..clock import Clock, utcnow
from ..detection import run_sites
from ..detection.service import describe_error
from ..extensions import db
from ..imports import background
from ..logs import LogEvent
from ..notifications import sending
from ..storage import partitions
from ..storage.connections import DatabaseNotReady, require_ready
from ..storage.vacuum import vacuum_changed
from .slots import tick

log = logging.getLogger("job_automation")


class _AtRest:
    """Lets a process fork only while no tick is at work.

    A child forked in the middle of one would inherit the half-done state of libraries whose other half was
    in a thread that the child does not have.
    """

    def __init__(self, jobs: int) -> None:
        self.locks = [threading.Lock() for _ in range(jobs)]

    def acquire(self) -> None:
        """Wait until nothing is at work, and let nothing begin."""
        for lock in self.locks:
            lock.acquire()

    def release(self) -> None:
        """Let work begin again."""
        for lock in self.locks:
            lock.release()


class _Steady(MemoryJobStore):  # type: ignore[misc] # APScheduler ships no types
    """Keeps the tick going when the clock is set back.

    APScheduler would be silent until the clock has come again to where it was.
    """

    def __init__(self, every: timedelta) -> None:
        super().__init__()
        self._every = every

    def get_due_jobs(self, now: datetime) -> Any:
        """What is due by ``now``; a tick that lies further ahead than the next one ever can is due too."""
        for job in self.get_all_jobs():
            if job.next_run_time > now + self._every:
                job.modify(next_run_time=now)
        return super().get_due_jobs(now)


class _Awake(BackgroundScheduler):  # type: ignore[misc] # APScheduler ships no types
    """Looks at its jobs at least once a tick.

    It waits by the clock on the wall; set back at the wrong moment, that would be for days.
    """

    def __init__(self, every: timedelta, **options: Any) -> None:
        super().__init__(**options)
        self._every = every

    def _process_jobs(self) -> float:
        until_next: float | None = super()._process_jobs()
        longest = self._every.total_seconds()
        return longest if until_next is None else min(until_next, longest)


class _Pool(ThreadPoolExecutor):  # type: ignore[misc] # APScheduler ships no types
    """Begins nothing more, and without a word, while its process is ending and a last run is finished."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        with suppress(RuntimeError):
            super()._do_submit_job(job, run_times)


def keep_partitions(clock: Clock = utcnow) -> None:
    """Make the coming months' partitions, and drop those that are kept no longer. Needs an app context."""
    with db.engine.connect() as connection:
        made = partitions.keep_ahead(connection, clock())
        dropped = partitions.drop_old(connection, clock(), current_app.config["KEEP_READINGS_MONTHS"])
    for what, names in (("partitions-made", made), ("partitions-dropped", dropped)):
        if names:
            log.info(LogEvent(what, names=" ".join(names)))


def expire_run_sites(clock: Clock = utcnow) -> None:
    """Forget what runs of long ago found at single sites. Needs an app context."""
    run_sites.expire(clock())


WORK: tuple[Callable[[], object], ...] = (
    tick,
    background.process_pending,
    sending.process_pending,
    keep_partitions,
    expire_run_sites,
    vacuum_changed,
)
"""A job each, so that neither a long import nor a slow mail server keeps a slot waiting."""
_at_rest = _AtRest(len(WORK))


def start_in_web_process(app: Flask) -> None:
    """Tick in the background of a process that serves pages, unless configured not to.

    A command that merely loads the application does not tick. A forked worker has none of its parent's
    threads, so it starts its own; and it must not talk over its parent's connections.
    """
    context = click.get_current_context(silent=True)
    if not app.config["SCHEDULER_ENABLED"] or (context is not None and context.info_name != "run"):
        return
    _start(app)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_at_rest.acquire, after_in_parent=_at_rest.release, after_in_child=lambda: _start_anew(app)
        )


def _start_anew(app: Flask) -> None:
    _at_rest.release()
    with app.app_context():
        db.engine.dispose(close=False)
    _start(app)


def serve(app: Flask) -> None:
    """Tick in the foreground until SIGTERM or SIGINT; a run under way is finished first."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    scheduler = _start(app)
    log.info(LogEvent("scheduler-start", tick_seconds=app.config["TICK_SECONDS"]))
    stop.wait()
    scheduler.shutdown(wait=True)
    log.info(LogEvent("scheduler-end"))


def _start(app: Flask) -> Any:
    every = timedelta(seconds=app.config["TICK_SECONDS"])
    scheduler = _Awake(
        every,
        timezone="UTC",
        executors={"default": _Pool(len(WORK))},
        jobstores={"default": _Steady(every)},
    )
    for work, at_rest in zip(WORK, _at_rest.locks, strict=True):
        scheduler.add_job(
            _in_context,
            "interval",
            [app, work, at_rest],
            name=work.__name__,
            seconds=every.total_seconds(),
            next_run_time=utcnow(),
            misfire_grace_time=None,  # by default a tick that is a second late is dropped
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    return scheduler


def _in_context(app: Flask, work: Callable[[], object], at_rest: threading.Lock) -> None:
    with at_rest, app.app_context():
        try:
            require_ready()
            work()
        except DatabaseNotReady as error:
            log.error(LogEvent("tick-failed", error=error))  # noqa: TRY400 (a sentence; the next tick tries again)
        except DatabaseError as error:
            log.error(LogEvent("tick-failed", error=describe_error(error)))  # noqa: TRY400 (the same)
        except Exception:
            log.exception(LogEvent("tick-failed"))
