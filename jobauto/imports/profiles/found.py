"""Readings that a reader of a standard kind has found, and how readings of one site and instant are added."""

import sqlite3
from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from .. import fields
from ..contradictions import IN_READINGS, describe
from ..lines import FileError
from ..rows import Rejected
from .values import EXACT

MOST = 2_000_000
"""So many readings can be added up at once: none is known to be whole before the file's end."""
AT_ONCE = 10_000
LONGEST_NAME = 200
"""Characters of the name of a meter or register. Nobody's has so many."""


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


def added(readings: Iterable[Found | Rejected]) -> Iterator[Found | Rejected]:
    """The sums of the readings of each site and instant; where one of its parts is none, there is no sum.

    Raises FileError for more than can be held.
    """
    with closing(_Parts()) as parts:
        for batch in several(readings, AT_ONCE):
            held: list[Found] = []
            for each in batch:
                if isinstance(each, Rejected):
                    yield each
                else:
                    yield from _hold(each, held)
            parts.add(held)
        for of_one_sum in parts.by_sums():
            yield from _sum(of_one_sum)


def _hold(found: Found, held: list[Found]) -> Iterator[Rejected]:
    """A file says a name once, and means it of many readings: where it is long, they would fill the disk."""
    try:
        fields.site_id(found.site)
    except fields.FieldError as error:
        yield Rejected(found.line, str(error))
        return
    names = [name for name in found.part if isinstance(name, str)] if isinstance(found.part, tuple) else []
    if max(map(len, names), default=0) > LONGEST_NAME:
        why = f"reading_value is of a meter or register whose name has more than {LONGEST_NAME} characters"
        yield Rejected(found.line, why)
        found = found._replace(kwh=None, part=None)  # what it is a part of has no sum
    held.append(found)


class _Part(NamedTuple):
    """A reading as it is held; ``place`` is that of the first one of its sum."""

    place: int
    line: int
    site: str
    date: str
    kwh: str | None
    is_estimated: int
    name: str


class _Parts:
    """Readings that are to be added up, in a file without a name: in memory each took a kilobyte."""

    def __init__(self) -> None:
        # Who reads on may be another thread, though never two at once.
        self._held = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._held.execute("PRAGMA journal_mode = OFF")
        self._held.execute("CREATE TABLE part (line, site, date, kwh, is_estimated, name)")
        self._held.execute("BEGIN")
        self._count = 0

    def add(self, readings: Sequence[Found]) -> None:
        """Hold some more. Raises FileError where they are too many, or the disk has no room for them."""
        self._count += len(readings)
        if self._count > MOST:
            raise FileError(
                f"More than {MOST:,} readings cannot be added up. Send the file in several parts."
            )
        with _as_file_error():
            self._held.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", map(_as_held, readings))

    def by_sums(self) -> Iterator[Iterator[_Part]]:
        """The parts of each sum, in the order of the file; those of one name one after the other."""
        with _as_file_error():
            found = self._held.execute(
                "SELECT min(rowid) OVER (PARTITION BY site, date) AS place, * FROM part "
                "ORDER BY place, name, rowid"
            )
            for _, of_one_sum in groupby(map(_Part._make, found), attrgetter("place")):
                yield of_one_sum

    def close(self) -> None:
        """Let the file go."""
        self._held.close()


@contextmanager
def _as_file_error() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise FileError("The disk has no room for what is to be added up.") from error


def _as_held(found: Found) -> tuple[object, ...]:
    kwh = None if found.kwh is None else str(found.kwh)
    return found.line, found.site, found.date, kwh, found.is_estimated, repr(found.part)


def _sum(parts: Iterable[_Part]) -> Iterator[Found | Rejected]:
    total: Decimal | None = Decimal(0)
    contradiction = array("q")
    line, is_estimated = 0, False
    first, kwh = None, None
    for part in parts:
        is_estimated |= bool(part.is_estimated)
        if first is None or part.name != first.name:
            line = min(line, part.line) if first else part.line
            first, kwh = part, _kwh(part)
            total = None if total is None or kwh is None else EXACT.add(total, kwh)
        elif _kwh(part) != kwh:
            contradiction.extend([part.line] if contradiction else [first.line, part.line])
    if contradiction:
        in_order = sorted(contradiction)
        why = describe(in_order, IN_READINGS)
        yield from (Rejected(line, why) for line in in_order)
    elif first is not None and total is not None:
        yield Found(line, first.site, first.date, total, is_estimated)


def _kwh(part: _Part) -> Decimal | None:
    return None if part.kwh is None else Decimal(part.kwh)


def several(items: Iterable[Found | Rejected], size: int) -> Iterator[list[Found | Rejected]]:
    """At most so many at a time."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
