"""A site as the lab walks it: numbers only, for there are very many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..models.types import DAY as ONE_DAY
from ..models.types import MICROSECOND

DAY = ONE_DAY // MICROSECOND

Judged = tuple[int, int, int]
"""A slot's index, and the thresholds that flag the site at it and those that find it ok, a bit each."""


@dataclass(frozen=True)
class Series:
    """One site's readings in the order of their instants, and what else a rule asks of it.

    ``heard`` are the instants of all readings that are a sign of life, in microseconds since 1970. ``times``,
    ``values`` (watt-hours; of a site that counts down turned round) and ``meters`` are those of its good
    readings, and ``monitored_from`` is the date from which on it is judged, if one is set.
    """

    heard: Sequence[int]
    times: Sequence[int]
    values: Sequence[int]
    meters: Sequence[int]
    monitored_from: date | None = None
    is_interval: bool = False


def bits(first: int, last: int) -> int:
    """The thresholds from first to last, both included; none where they are the wrong way round."""
    return (2 << last) - (1 << first) if first <= last else 0
