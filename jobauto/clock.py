"""The clock, read at the edges of the program only and handed down from there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

FURTHEST_WEST, FURTHEST_EAST = timedelta(hours=-12), timedelta(hours=14)
"""The offsets from UTC between which all clocks of the world are."""


def utcnow() -> datetime:
    """Now, aware and in UTC."""
    return datetime.now(UTC)


def has_real_offset(moment: datetime) -> bool:
    """Whether there are clocks with an aware moment's offset from UTC."""
    offset = moment.utcoffset()
    return offset is not None and FURTHEST_WEST <= offset <= FURTHEST_EAST
