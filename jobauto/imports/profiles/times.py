"""From a row's cells of time to the instant of its reading, as the program's own rows write it.

1. The first of the profile's formats that fits reads the text; a date alone gets the time of ``date_only``.
2. Without an offset, of its own or of ``zone_column``, it is local time of the profile's zone. What that
   zone's clocks skip or show twice is refused, as in every import.
3. Where the label is the start of an interval, the instant moves to its end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from .. import fields
from ..columns import Remembered
from ..lines import shown
from .cells import Cell, as_text
from .document import Profile
from .stamps import DAY, Stamp, parse_offset, reader, since_midnight

WHOLE_DAY = 1440
MOST_ENDS = 500_000
"""Of the intervals of days, so many at once are remembered."""
LONGEST_NAMED = 200
"""Characters of the formats, as the reason of each row repeats them: they may have 20,000."""
_OFFSET = re.compile("([+\u2212-])([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9:])")
_OFFSET_OF_UTC = re.compile(r"\s*(?:UTC|GMT|Z)\s*", re.IGNORECASE)
Key = Cell | tuple[Cell, ...]


class Times(Remembered[Key, str | None]):
    """From the cells of a row (of several columns, as a tuple) to the instant of its reading, as text in UTC;
    None where there is none.

    Remembered, for a file has many readings of an instant.
    """

    def __init__(self, profile: Profile, zone: ZoneInfo, now: datetime) -> None:
        super().__init__()
        self._time = profile.time
        self._zone = zone
        self._has_zone_column = profile.time.zone_column is not None
        self._read = fields.InstantReader(zone, now)

    def meaning(self, key: Key) -> str | None:
        """The instant as text; None of what is none."""
        try:
            return utc_text(self.instant(*self._split(key)))
        except fields.FieldError:
            return None

    def why(self, key: Key) -> str:
        """Why a row has no instant."""
        try:
            self.instant(*self._split(key))
        except fields.FieldError as error:
            return str(error)
        return ""

    def instant(self, cells: Sequence[Cell], zone_cell: Cell = None) -> datetime:
        """The instant of a reading, in UTC. Raises FieldError."""
        stamp = self._with_clock(self.stamp(cells, zone_cell))
        return self._at_its_end(self._local(stamp), stamp.offset)

    def text_of(self, stamp: Stamp) -> str:
        """The instant of a stamp, as text in UTC, whatever the label. Raises FieldError."""
        return utc_text(self._local(self._with_clock(stamp)))

    def day(self, key: Key) -> tuple[date, tzinfo]:
        """The local day of a row of intervals, and in which zone. Raises FieldError."""
        stamp = self.stamp(*self._split(key))
        if stamp.clock is None or (stamp.offset is None and stamp.clock == timedelta(0)):
            return stamp.day, self._zone_of(stamp.offset)
        local = self._local(stamp).astimezone(self._zone)
        if local.time() != time(0):
            raise fields.FieldError("reading_date is not a day, but a time of day")
        return local.date(), self._zone

    def stamp(self, cells: Sequence[Cell], zone_cell: Cell = None) -> Stamp:
        """What the cells say. Raises FieldError."""
        stamp = _joined(cells, self._time.formats)
        if self._has_zone_column and stamp.offset is None:
            stamp = stamp._replace(offset=_offset_in(as_text(zone_cell)))
        if stamp.offset is not None and abs(stamp.offset) >= DAY:
            raise fields.FieldError(fields.NO_OFFSET)
        return stamp

    def _split(self, key: Key) -> tuple[tuple[Cell, ...], Cell]:
        cells = key if isinstance(key, tuple) else (key,)
        return (cells[:-1], cells[-1]) if self._has_zone_column else (cells, None)

    def _with_clock(self, stamp: Stamp) -> Stamp:
        if stamp.clock is not None:
            return stamp
        if self._time.date_only is None:
            raise fields.FieldError("reading_date is a date alone: time.date_only says which time it means")
        hours, minutes = map(int, self._time.date_only.split(":"))
        return stamp._replace(clock=timedelta(hours=hours, minutes=minutes))

    def _local(self, stamp: Stamp) -> datetime:
        try:
            moment = datetime.combine(stamp.day, time(0)) + (stamp.clock or timedelta(0))
        except OverflowError as error:
            raise fields.FieldError("reading_date does not exist in the calendar") from error
        return self._read.instant(
            moment if stamp.offset is None else moment.replace(tzinfo=timezone(stamp.offset))
        )

    def _at_its_end(self, instant: datetime, offset: timedelta | None) -> datetime:
        if self._time.label == "end" or self._time.minutes is None:
            return instant
        if self._time.minutes != WHOLE_DAY:
            return instant + timedelta(minutes=self._time.minutes)
        zone = self._zone_of(offset if self._has_zone_column else None)
        return midnight(instant.astimezone(zone).date() + DAY, zone)

    def _zone_of(self, offset: timedelta | None) -> tzinfo:
        return self._zone if offset is None else timezone(offset)


def utc_text(instant: datetime) -> str:
    """An instant in UTC, as a file of the program's own has it."""
    return f"{instant.replace(tzinfo=None).isoformat()}Z"


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a local day begins, in UTC: where clocks skip midnight, at the first instant after it."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


class Days(Remembered[Key, "Day"]):
    """From the cells of a row to the intervals of its day."""

    def __init__(self, times: Times, minutes: int) -> None:
        super().__init__()
        self.most = MOST_ENDS * minutes // WHOLE_DAY
        self._times = times
        self._minutes = minutes

    def meaning(self, key: Key) -> "Day":
        """The day, or why there is none."""
        try:
            return day_of(*self._times.day(key), self._minutes)
        except (fields.FieldError, OverflowError) as error:
            return Day(datetime.max.replace(tzinfo=UTC), timedelta(0), 0, str(error))


@dataclass(frozen=True)
class Day:
    """The intervals of a day: where it begins, how many there are; or none, and why."""

    first: datetime
    interval: timedelta
    count: int
    why: str = ""

    @cached_property
    def ends(self) -> list[str]:
        """Their ends, as text in UTC: up to 1,440, and worked out only for who has so many values."""
        return [utc_text(self.first + self.interval * number) for number in range(1, self.count + 1)]


class Ends(Remembered[tuple[date, int], list[str]]):
    """From a local day and the minutes of its intervals to their ends."""

    most = MOST_ENDS // WHOLE_DAY

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def meaning(self, key: tuple[date, int]) -> list[str]:
        """The ends, as text in UTC."""
        day, minutes = key
        return day_of(day, self._zone, minutes).ends


def day_of(day: date, zone: tzinfo, minutes: int) -> Day:
    """The intervals of a local day; where they do not fill it, only those that end within it.

    Raises FieldError for the first and the last day that there is.
    """
    try:
        first, last = midnight(day, zone), midnight(day + DAY, zone)
    except OverflowError as error:
        raise fields.FieldError("reading_date does not exist in the calendar") from error
    interval = timedelta(minutes=minutes)
    return Day(first, interval, (last - first) // interval)


def _joined(cells: Sequence[Cell], formats: Sequence[str]) -> Stamp:
    """What several cells say: texts are joined by a space; a date cell and a time cell are one time."""
    if len(cells) == 1 and isinstance(cells[0], str):  # nearly always, and then there is nothing to join
        return _first_that_fits(as_text(cells[0]), formats)
    moments = [cell for cell in cells if isinstance(cell, date | time | timedelta)]
    text = " ".join(as_text(cell) for cell in cells if not isinstance(cell, date | time | timedelta)).strip()
    if not moments:
        return _first_that_fits(text, formats)
    days = [cell for cell in moments if isinstance(cell, date)]
    if not days:
        day = _first_that_fits(text, formats)
        return day._replace(clock=_clock_of(moments, day.clock or timedelta(0)))
    if text:
        return _first_that_fits(f"{days[0]:%Y-%m-%d} {text}", ["iso"])
    day_of = days[0].date() if isinstance(days[0], datetime) else days[0]
    return Stamp(day_of, _clock_of(moments, None))


def _clock_of(moments: Sequence[date | time | timedelta], clock: timedelta | None) -> timedelta | None:
    """The times of day of some cells, added up; None where none has one."""
    for moment in moments:
        if isinstance(moment, timedelta):
            clock = (clock or timedelta(0)) + moment
        elif isinstance(moment, datetime | time):
            clock = (clock or timedelta(0)) + since_midnight(moment)
    return clock


def _first_that_fits(text: str, formats: Sequence[str]) -> Stamp:
    for each in formats:
        if found := reader(each)(text):
            return found
    if not text:
        raise fields.FieldError("reading_date is empty")
    named = shown(", ".join(formats), LONGEST_NAMED)
    raise fields.FieldError(f"reading_date is not written as the profile says: {named}")


def _offset_in(text: str) -> timedelta:
    if _OFFSET_OF_UTC.fullmatch(text):
        return timedelta(0)
    found = _OFFSET.search(text)
    if not found:
        raise fields.FieldError("reading_date has no offset such as +01:00 in its column of zones")
    return parse_offset(found)
