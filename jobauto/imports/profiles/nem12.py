"""NEM12, the interval data of the Australian market: a kind of row a line.

``200`` names the NMI, its suffix, unit and interval; each ``300`` is a day; ``400`` rows below it tell which
of its intervals have which quality. The suffixes of an NMI and instant are added up.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from .. import fields
from ..lines import SPACES, FileError, physical_lines
from ..rows import Rejected
from .found import Found
from .stamps import reader
from .standard import Context

ESTIMATED = ("E", "S", "F")
NO_READING = "N"
_DAY = reader("%Y%m%d")


@dataclass
class _Stream:
    """A row 200: whose intervals follow."""

    nmi: str
    known: dict[str, str]
    unit: str
    minutes: int


@dataclass
class _Day:
    """A row 300, and the qualities of its intervals so far."""

    line: int
    stream: _Stream
    day: date
    values: list[str]
    qualities: list[str] = field(default_factory=list)


def readings(stream: BinaryIO, context: Context) -> Iterator[Found | Rejected]:
    """The readings of a file. Raises FileError."""
    return _found(physical_lines(stream), context)


def _found(lines: Iterable[str], context: Context) -> Iterator[Found | Rejected]:
    rows = ((number, row) for number, line in enumerate(lines, start=1) if (row := _fields(line)))
    if next(rows, (0, [""]))[1][:2] != ["100", "NEM12"]:
        raise FileError("This is not a NEM12: its first row must begin with 100,NEM12.")
    taking = _Reader(context)
    for number, row in rows:
        try:
            yield from taking.take(number, row)
        except fields.FieldError as error:
            yield Rejected(number, str(error))
    yield from taking.day_so_far()


class _Reader:
    """Takes the rows in their order. A day is known when the next row is none of its qualities."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stream: _Stream | None = None
        self._day: _Day | None = None

    def take(self, number: int, row: list[str]) -> Iterator[Found | Rejected]:
        """The readings that are whole with this row. Raises FieldError for a row that says nothing."""
        if row[0] == "400":
            if self._day:
                _qualify(self._day, row)
            return
        yield from self.day_so_far()
        if row[0] == "200":
            self._stream = None
            self._stream = _stream(row)
        elif row[0] == "300":
            self._day = _day(number, self._stream, row)

    def day_so_far(self) -> Iterator[Found | Rejected]:
        """The readings of the day whose rows have been taken."""
        day, self._day = self._day, None
        return _of_day(day, self._context) if day else iter(())


def _fields(line: str) -> list[str]:
    try:
        (row,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        return []
    found = [each.strip(SPACES) for each in row]
    return found if any(found) else []


def _stream(row: list[str]) -> _Stream:
    row = row + [""] * 10
    minutes = int(row[8]) if row[8].isdecimal() and len(row[8]) <= 4 else 0
    if not minutes or 1440 % minutes:
        raise fields.FieldError("reading_date has an interval that does not divide a day")
    known = {"register": row[3], "NMISuffix": row[4], "meter": row[6]}
    return _Stream(row[1], known, row[7], minutes)


def _day(number: int, about: _Stream | None, row: list[str]) -> _Day:
    if about is None:
        raise fields.FieldError("site_id is empty: no row 200 above that can be read")
    count = 1440 // about.minutes
    stamp = _DAY(row[1]) if len(row) > 1 else None
    if stamp is None:
        raise fields.FieldError("reading_date is not a day written as YYYYMMDD")
    values, rest = row[2 : 2 + count], row[2 + count :]
    if not rest or not rest[0]:
        raise fields.FieldError(f"reading_value: the row has not {count} values and a quality")
    return _Day(number, about, stamp.day, values, [rest[0]] * count)


def _qualify(day: _Day, row: list[str]) -> None:
    row = row + [""] * 4
    count = len(day.qualities)
    if not all(text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= count for text in row[1:3]):
        raise fields.FieldError("reading_value: the row 400 names no intervals of the day")
    first, last = int(row[1]), int(row[2])
    day.qualities[first - 1 : last] = [row[3]] * (last - first + 1)


def _of_day(day: _Day, context: Context) -> Iterator[Found | Rejected]:
    known = day.stream.known
    if not context.keeps(known, len(day.values)):
        return
    try:
        ends = context.ends_of(day.day, day.stream.minutes)
    except fields.FieldError as error:
        yield Rejected(day.line, str(error))
        return
    if len(ends) != len(day.values):
        yield Rejected(day.line, f"reading_date is a day of {len(ends)} intervals, not of {len(day.values)}")
        return
    part = known["NMISuffix"], known["register"], known["meter"]
    estimated = context.is_estimated(known)
    site = context.site(day.stream.nmi)
    for end, text, quality in zip(ends, day.values, day.qualities, strict=True):
        value = "" if quality.startswith(NO_READING) else text
        is_estimated = estimated or quality.startswith(ESTIMATED)
        unit = day.stream.unit or "of no name"
        yield from context.reading(day.line, site, end, value, unit, part, is_estimated=is_estimated)
