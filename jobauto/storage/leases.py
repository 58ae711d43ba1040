"""Work that a process holds only while it proves that it lives.

What is held, and how, differs: see docs/decisions/three-claims-and-not-one.md.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, or_
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import InstrumentedAttribute

from ..logs import LogEvent
from .connections import write_on

log = logging.getLogger("job_automation")


class LeaseLost(Exception):
    """This process was silent for too long: another one has its work, and it may write nothing more."""


def is_stale(
    heartbeat_at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    now: datetime,
    after: timedelta,
) -> ColumnElement[bool]:
    """Which proofs of life are older than ``after``.

    One from the future counts as none: the clock was set back, and a process that lives renews it in seconds.
    """
    return or_(heartbeat_at < now - after, heartbeat_at > now + after)


@contextmanager
def kept_alive(
    engine: Engine, renew: Callable[[Connection], object], every: float, **whose: int | None
) -> Iterator[None]:
    """Renew a proof of life every so many seconds, from a thread of its own, while the block lasts.

    Where ``renew`` raises LeaseLost it ends: whoever does the work finds out with its next write. ``whose``
    is what the log names, as in ``run=17``.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(engine, renew, every, stop, whose), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(
    engine: Engine,
    renew: Callable[[Connection], object],
    every: float,
    stop: threading.Event,
    whose: dict[str, int | None],
) -> None:
    while not stop.wait(every):
        try:
            with engine.connect() as connection, write_on(connection):
                renew(connection)
        except LeaseLost:
            return
        except DatabaseError as error:
            log.warning(LogEvent("heartbeat-failed", **whose, error=error.orig))
