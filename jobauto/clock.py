"""The clock, read at the edges of the program only and handed down from there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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


def instants_at(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When the clocks of a zone show a naive time, as times of that zone: once; twice, in order, where they
    go back over it; never where they skip it.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return (first,)
    is_shown = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
    return (first, second) if is_shown else ()
