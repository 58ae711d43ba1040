"""Work that a process holds only while it proves that it lives.

What is held, and how, differs: see docs/decisions/three-claims-and-not-one.md.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute


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
