"""The clock, read at the edges of the program only and handed down from there."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utcnow() -> datetime:
    """Now, aware and in UTC."""
    return datetime.now(UTC)
