"""Green Button, the energy data of North America: ESPI in an Atom feed.

The parser is the standard library's expat. It resolves no address, and a document type is refused, so that
nothing can be declared that would be expanded.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import BinaryIO
from xml.parsers import expat

from .. import fields
from ..lines import FileError, shown
from ..rows import Rejected
from .found import MOST, Found
from .standard import Context
from .times import utc_text
from .values import EXACT, LONGEST_UNIT

WATT_HOURS = "72"
_NO_XML = "The file is not XML of Green Button."
MOST_BYTES = 10_000_000
"""Of one tag or comment, which the parser holds as a whole."""
DEEPEST = 100
MOST_NAMES = 1_000
"""Of tags and attributes, all of which the parser remembers. ESPI and Atom have some 200."""
LONGEST_NAME = 1_000
LONGEST_ADDRESS = 1_000
MOST_TEXT = 100_000_000
"""Bytes of all addresses and texts that are kept. Of two million readings they have some 50 million."""
_CHUNK = 1_000_000
_PIECES = 10
"""Of a text, each of some kilobytes: none that is wanted is longer."""


@dataclass(slots=True)
class _Reading:
    """An interval as it stands in the file."""

    line: int
    entry: int
    start: str = ""
    duration: str = ""
    value: str = ""
    multiplier: str = ""
    quality: str = ""


@dataclass(slots=True)
class _Entry:
    """An entry of the feed: its addresses, and what it says of the readings that point to it."""

    own: str = ""
    related: list[str] = field(default_factory=list)
    kind: str = ""
    uom: str = ""
    multiplier: str = ""
    direction: str = ""


class _Feed:
    """Listens to the parser, and keeps entries and readings."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = [_Entry()]
        self.readings: list[_Reading] = []
        self._links = 0
        self._held = 0
        self._path: list[str] = []
        self._text: list[str] = []
        self._names: dict[str, str] = {}
        # Namespaces stay prefixes: written out, one of 1 MB would be as long again in each name that has it.
        self._parser = expat.ParserCreate(intern=self._names)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._take_text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def read(self, stream: BinaryIO) -> None:
        """Read a whole file. Raises FileError."""
        try:
            taken = 0
            while chunk := stream.read(_CHUNK):
                self._parser.Parse(chunk, False)
                taken += len(chunk)
                if taken - max(self._parser.CurrentByteIndex, 0) > MOST_BYTES:
                    raise FileError(f"{_NO_XML} It has a tag longer than {MOST_BYTES:,} bytes.")
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise FileError(f"{_NO_XML} Line {error.lineno}: {expat.ErrorString(error.code)}.") from error

    def _refuse(self, *_: object) -> None:
        raise FileError("The file declares a document type, which Green Button has not: it is not read.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if len(self._names) > MOST_NAMES or any(len(each) > LONGEST_NAME for each in (name, *attributes)):
            raise FileError(f"{_NO_XML} It has too many names of tags and attributes, or too long ones.")
        self._path.append(tag)
        if len(self._path) > DEEPEST:
            raise FileError(f"{_NO_XML} Its elements are deeper than {DEEPEST}.")
        self._text.clear()
        self._add(tag, attributes)
        if len(self.entries) + len(self.readings) + self._links > MOST:
            raise FileError(f"The file has more than {MOST:,} readings, entries and links. Split it.")

    def _add(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "entry":
            self.entries.append(_Entry())
        elif tag == "link":
            self._link(attributes.get("rel", ""), attributes.get("href", ""))
        elif tag in ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock"):
            self.entries[-1].kind = tag
        elif tag == "IntervalReading":
            line = self._parser.CurrentLineNumber
            self.readings.append(_Reading(line, len(self.entries) - 1))

    def _link(self, rel: str, address: str) -> None:
        if len(address) > LONGEST_ADDRESS:
            raise FileError(f"{_NO_XML} It has an address longer than {LONGEST_ADDRESS:,} characters.")
        self._hold(address)
        if rel == "self":
            self.entries[-1].own = self.entries[-1].own or address
        else:
            self.entries[-1].related.append(address)
            self._links += 1

    def _hold(self, text: str) -> None:
        """Count the memory of a text that is kept: one sign can make all others of it four times as wide."""
        self._held += sys.getsizeof(text) - sys.getsizeof("")
        if self._held > MOST_TEXT:
            raise FileError(f"The file has texts of more than {MOST_TEXT:,} bytes. Split it.")

    def _take_text(self, text: str) -> None:
        if len(self._text) < _PIECES:
            self._text.append(text)

    def _end(self, _name: str) -> None:
        tag = self._path.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        if "IntervalReading" in self._path:
            self._of_reading(tag, text)
        elif "ReadingType" in self._path:
            self._of_type(tag, text)

    def _of_reading(self, tag: str, text: str) -> None:
        reading = self.readings[-1]
        self._hold(text)
        if tag in ("start", "value"):
            setattr(reading, tag, text)
        elif tag in ("duration", "quality"):
            setattr(reading, tag, sys.intern(text))  # nearly all have the same
        elif tag == "powerOfTenMultiplier":
            reading.multiplier = sys.intern(text)

    def _of_type(self, tag: str, text: str) -> None:
        entry = self.entries[-1]
        self._hold(text)
        if tag == "uom":
            entry.uom = text
        elif tag == "powerOfTenMultiplier":
            entry.multiplier = text
        elif tag == "flowDirection":
            entry.direction = text


def readings(stream: BinaryIO, context: Context) -> Iterator[Found | Rejected]:
    """The readings of a file. Raises FileError."""
    feed = _Feed()
    feed.read(stream)
    if not any(entry.kind for entry in feed.entries):
        raise FileError(_NO_XML)
    types = _Types(feed.entries)
    for entry, of_entry in groupby(feed.readings, attrgetter("entry")):
        yield from _of_entry(of_entry, _Meaning.of(feed.entries[entry], types), context)


def _of_entry(
    readings: Iterable[_Reading], meaning: "_Meaning", context: Context
) -> Iterator[Found | Rejected]:
    for reading in readings:
        known = {
            "UsagePoint": meaning.usage_point,
            "flowDirection": meaning.type.direction,
            "quality": reading.quality,
        }
        if context.keeps(known):
            try:
                yield from _reading(reading, meaning, context.is_estimated(known), context)
            except fields.FieldError as error:
                yield Rejected(reading.line, str(error))


@dataclass(frozen=True)
class _Meaning:
    """What the readings of an entry are of."""

    usage_point: str
    address: str
    type: _Entry

    @classmethod
    def of(cls, entry: _Entry, types: "_Types") -> "_Meaning":
        """By the addresses of the entry and of those that it is a part of."""
        own = next((href for href in (entry.own, *entry.related) if "/UsagePoint/" in href), "")
        head, _, rest = own.partition("/UsagePoint/")
        usage_point = rest.split("/")[0]
        return cls(usage_point, f"{head}/UsagePoint/{usage_point}", types.of(own))


class _Types:
    """The types of readings, by the meters that point to them. Each entry of a file is looked at once."""

    def __init__(self, entries: list[_Entry]) -> None:
        types = {entry.own: entry for entry in entries if entry.kind == "ReadingType"}
        self._only = next(iter(types.values())) if len(types) == 1 else _Entry()
        self._of_meter: dict[str, tuple[int, _Entry]] = {}
        for at, entry in enumerate(entries):
            if entry.kind == "MeterReading" and entry.own and entry.own not in self._of_meter:
                named = next((types[href] for href in entry.related if href in types), None)
                if named is not None:
                    self._of_meter[entry.own] = at, named

    def of(self, address: str) -> _Entry:
        """The type of what stands at an address: by the first of the meters above it, or the only one."""
        parts = address.split("/", DEEPEST)
        above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        found = [self._of_meter[each] for each in above if each in self._of_meter]
        return min(found, key=itemgetter(0))[1] if found else self._only


def _reading(
    reading: _Reading, meaning: _Meaning, is_estimated: bool, context: Context
) -> Iterator[Found | Rejected]:
    if meaning.type.uom not in ("", WATT_HOURS):
        given = shown(meaning.type.uom, LONGEST_UNIT)
        raise fields.FieldError(f"reading_value has the unit (uom) {given}, not {WATT_HOURS} (Wh)")
    try:
        start, duration = int(reading.start), int(reading.duration or "0")
        power = int(reading.multiplier or meaning.type.multiplier or "0")
        end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=start + duration)
    except (ValueError, OverflowError) as error:
        raise fields.FieldError("reading_date, or the multiplier, is not a whole number") from error
    if abs(power) > 15:
        raise fields.FieldError("reading_value has a multiplier that no meter has")
    named = meaning.address if context.is_known(meaning.address) else meaning.usage_point
    site, part = context.site(named), (reading.entry, reading.start)
    value = context.reading(
        reading.line, site, utc_text(end), reading.value, "Wh", part, is_estimated=is_estimated
    )
    for each in value:
        if isinstance(each, Found) and each.kwh is not None:
            yield each._replace(kwh=EXACT.scaleb(each.kwh, Decimal(power)))
        else:
            yield each
