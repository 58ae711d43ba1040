"""The tick: what goes on by itself, every few seconds, in web processes and in ``jobauto scheduler``.

APScheduler supplies it and decides nothing: each piece of work asks the database what there is to do. So it
does not matter how many processes tick.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import click
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask, current_app
from sqlalchemy.exc import DatabaseError

from ..clock import Clock, utcnow
from ..detection import run_counts, run_sites
from ..detection.service import describe_error
from ..extensions import db
from ..imports import background, inbox
from ..imports.profiles import feeds
from ..jobs import bulk_actions
from ..lab import service as lab
from ..logs import LogEvent
from ..notifications import expiring_tokens, sending
from ..readings.classifying import classify_waiting
from ..storage import partitions, reading_key
from ..storage.connections import DatabaseNotReady, require_ready
from ..storage.scratch import clear_abandoned
from ..storage.vacuum import vacuum_changed
from .slots import tick

log = logging.getLogger("job_automation")


def keep_partitions(clock: Clock = utcnow) -> None:
    """Make the coming months' partitions, and drop those that are kept no longer. Needs an app context."""
    with db.engine.connect() as connection:
        made = partitions.keep_ahead(connection, clock())
        dropped = partitions.drop_old(connection, clock(), current_app.config["KEEP_READINGS_MONTHS"])
    for what, names in (("partitions-made", made), ("partitions-dropped", dropped)):
        if names:
            log.info(LogEvent(what, names=" ".join(names)))


def tell_of_expiring_tokens(clock: Clock = utcnow) -> None:
    """Tell of API tokens that are about to end. Needs an app context."""
    expiring_tokens.tell(clock)


def tell_of_late_feeds(clock: Clock = utcnow) -> None:
    """Tell of feeds that have not brought what is expected. Needs an app context."""
    feeds.tell_of_late(clock)


def expire_run_sites(clock: Clock = utcnow) -> None:
    """Forget what runs of long ago found at single sites. Needs an app context."""
    run_sites.expire(clock())


def count_runs(clock: Clock = utcnow) -> None:
    """Count what runs found by group and source, where no count holds. Needs an app context."""
    if runs := run_counts.count_waiting(clock()):
        log.info(LogEvent("runs-counted", runs=runs))


def expire_bulk_jobs(clock: Clock = utcnow) -> None:
    """Forget the jobs of actions that cannot be undone any more. Needs an app context."""
    bulk_actions.expire(clock())


def expire_lab_answers(clock: Clock = utcnow) -> None:
    """Forget what the threshold lab has worked out and nobody asks any more. Needs an app context."""
    lab.expire(clock())


def classify_readings(clock: Clock = utcnow) -> None:
    """Have all readings classified that wait for it, such as those of a former version."""
    with db.engine.connect() as connection:
        if sites := classify_waiting(connection, clock()):
            log.info(LogEvent("readings-classified", sites=sites))


def renew_reading_key() -> None:
    """Make the key of readings anew where a former version made it. Needs an app context."""
    if reading_key.renew():
        log.info(LogEvent("reading-key-renewed"))


WORK: tuple[Callable[[], object], ...] = (
    tick,
    background.process_pending,
    inbox.look,
    sending.process_pending,
    bulk_actions.process_pending,
    keep_partitions,
    expire_run_sites,
    count_runs,
    expire_bulk_jobs,
    expire_lab_answers,
    tell_of_expiring_tokens,
    tell_of_late_feeds,
    vacuum_changed,
    classify_readings,
    renew_reading_key,
    clear_abandoned,
)
"""A job each, so that neither a long import nor a slow mail server keeps a slot waiting."""
_at_work = [threading.Lock() for _ in WORK]
"""Held while each is done."""


def start_in_web_process(app: Flask) -> None:
    """Tick in the background of a process that serves pages, unless configured not to.

    A command that merely loads the application does not tick. A forked worker has none of its parent's
    threads, so it starts its own.
    """
    context = click.get_current_context(silent=True)
    if not app.config["SCHEDULER_ENABLED"] or (context is not None and context.info_name != "run"):
        return
    # A process that ends finishes its last run; each tick that cannot begin then would leave a traceback.
    logging.getLogger("apscheduler.scheduler").addFilter(lambda record: record.levelno < logging.ERROR)
    _start(app)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lambda: _let_go(app), after_in_parent=_go_on, after_in_child=lambda: _start_anew(app)
        )


def _let_go(app: Flask) -> None:
    # A child forked in the middle of a tick would inherit the half-done state of libraries whose other half
    # was in a thread that the child does not have.
    for lock in _at_work:
        lock.acquire()
    # Nor may it inherit connections. SQLite would believe that the child has the locks of its parent's, which
    # the system does not pass on; once the parent closed them, what the child saved would be lost.
    # https://www.sqlite.org/howtocorrupt.html, 2.6
    with app.app_context():
        db.engine.dispose()


def _go_on() -> None:
    for lock in _at_work:
        lock.release()


def _start_anew(app: Flask) -> None:
    _go_on()
    _start(app)


def serve(app: Flask) -> None:
    """Tick in the foreground until SIGTERM or SIGINT; a run under way is finished first."""
    told: SimpleQueue[int] = SimpleQueue()  # put() may interrupt get(), as set() of an Event may not wait()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: told.put(number))
    scheduler = _start(app)
    log.info(LogEvent("scheduler-start", tick_seconds=app.config["TICK_SECONDS"]))
    _await(told)
    scheduler.shutdown(wait=True)
    log.info(LogEvent("scheduler-end"))


def _await(told: SimpleQueue[int]) -> None:
    # A signal that comes in the instant before the thread falls asleep does not wake it: Python's handler
    # runs when the thread is next awake, so it looks up now and then.
    while True:
        with suppress(Empty):
            told.get(timeout=1)
            return


class Every(IntervalTrigger):  # type: ignore[misc] # APScheduler ships no types
    """An interval of which nothing is made up for, however far the clock is set forward or was asleep.

    APScheduler lists each time that was missed before it does one: those of a year take minutes, and those
    since 1970, where a machine that has no clock of its own begins, all memory.
    """

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next time, which is now if it has gone by."""
        upcoming: datetime = super().get_next_fire_time(previous, now)
        return max(upcoming, now)


def _start(app: Flask) -> BackgroundScheduler:
    every = timedelta(seconds=app.config["TICK_SECONDS"])
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(len(WORK))})
    for work, at_work in zip(WORK, _at_work, strict=True):
        scheduler.add_job(
            _in_context,
            Every(seconds=every.total_seconds()),
            [app, work, at_work],
            name=work.__name__,
            next_run_time=utcnow(),
            misfire_grace_time=None,  # by default a tick that is a second late is dropped
            coalesce=True,
            max_instances=1,
        )
    scheduler.start()
    threading.Thread(target=_watch, args=(scheduler, every), name="tick-watchdog", daemon=True).start()
    return scheduler


def _watch(scheduler: BackgroundScheduler, every: timedelta) -> None:
    while scheduler.running:
        time.sleep(every.total_seconds())  # by the monotonic clock, which nobody sets
        wake_if_set_back(scheduler, every, utcnow())


def wake_if_set_back(scheduler: BackgroundScheduler, every: timedelta, now: datetime) -> None:
    """Let work that lies further ahead than the next tick ever can begin at once.

    The scheduler waits by the clock on the wall: set back, it would be silent until that has come again to
    where it was.
    """
    for job in scheduler.get_jobs():
        if job.next_run_time > now + every:
            job.modify(next_run_time=now)


def _in_context(app: Flask, work: Callable[[], object], at_work: threading.Lock) -> None:
    with at_work, app.app_context():
        try:
            require_ready()
            work()
        except DatabaseNotReady as error:
            log.error(LogEvent("tick-failed", error=error))  # noqa: TRY400 (a sentence; the next tick tries again)
        except DatabaseError as error:
            log.error(LogEvent("tick-failed", error=describe_error(error)))  # noqa: TRY400 (the same)
        except Exception:
            log.exception(LogEvent("tick-failed"))
