"""Readings that a reader of a standard kind has found, and how readings of one site and instant are added."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from ..contradictions import IN_READINGS, describe
from ..lines import FileError
from ..rows import Rejected
from .values import EXACT

MOST = 2_000_000
"""So many readings can be added up at once: none is known to be whole before the file's end."""


class Found(NamedTuple):
    """A reading: its line, site, instant as text in UTC, and kWh; None where it says that there is none.

    ``part`` tells what it is a part of apart from others, such as a register: the same part twice is not
    added.
    """

    line: int
    site: str
    date: str
    kwh: Decimal | None
    is_estimated: bool = False
    part: Hashable = None


@dataclass(slots=True)
class _Sum:
    line: int
    is_estimated: bool = False
    parts: dict[Hashable, tuple[int, Decimal | None]] = field(default_factory=dict)
    contradiction: list[int] = field(default_factory=list)

    @property
    def held(self) -> int:
        """How many readings it remembers."""
        return len(self.parts) + len(self.contradiction)

    def add(self, found: Found) -> None:
        self.is_estimated |= found.is_estimated
        line, kwh = self.parts.setdefault(found.part, (found.line, found.kwh))
        if kwh != found.kwh:
            self.contradiction = self.contradiction or [line]
            self.contradiction.append(found.line)


def added(readings: Iterable[Found | Rejected]) -> Iterator[Found | Rejected]:
    """The sums of the readings of each site and instant; where one of its parts is none, there is no sum.

    Raises FileError for more than can be held.
    """
    sums: dict[tuple[str, str], _Sum] = {}
    held = 0
    for found in readings:
        if isinstance(found, Rejected):
            yield found
            continue
        total = sums.setdefault((found.site, found.date), _Sum(found.line))
        held -= total.held
        total.add(found)
        held += total.held
        if held > MOST:
            raise FileError(
                f"More than {MOST:,} readings cannot be added up. Send the file in several parts."
            )
    for (site, date_text), total in sums.items():
        if total.contradiction:
            why = describe(total.contradiction, IN_READINGS)
            yield from (Rejected(line, why) for line in total.contradiction)
            continue
        values = [kwh for _, kwh in total.parts.values() if kwh is not None]
        if len(values) == len(total.parts):
            kwh = Decimal(0)
            for value in values:
                kwh = EXACT.add(kwh, value)
            yield Found(total.line, site, date_text, kwh, total.is_estimated)


def several(items: Iterable[Found | Rejected], size: int) -> Iterator[list[Found | Rejected]]:
    """At most so many at a time."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
