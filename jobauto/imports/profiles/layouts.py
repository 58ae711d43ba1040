"""From a table's rows to readings, as the profile's layout says.

* ``rows``: a row is a reading; several value columns are added up.
* ``wide_times``: a row is a local day, and its columns are the day's intervals, from midnight on.
* ``wide_sites``: a row is an instant, and its columns are the sites.

Columns are worked on as wholes, with as little Python a reading as can be.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, compress, repeat
from operator import not_
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ..columns import Remembered
from ..left_out import LeftOut
from ..lines import FileError
from ..rows import Rejected
from .cells import Cell, Cells, Table, as_text
from .document import Condition, Profile
from .times import Days, Times
from .values import Values, are_trimmed

_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?(\s*-\s*([01]?[0-9]|2[0-4]):[0-5][0-9])?")
_NUMBERED = re.compile(r"[Pp]([0-9]{1,3})")
FEW = 10
"""Columns that make a row no larger than others. Of larger ones fewer are held at a time."""


class Readings(NamedTuple):
    """Readings side by side: lines, sites, instants in UTC, cells of value, whether they are estimated.

    ``values`` are columns, each as long as there are readings, to be added up. Rows that are none were
    rejected.
    """

    lines: Sequence[int]
    sites: Sequence[str]
    dates: Sequence[str]
    values: Sequence[Sequence[Cell]]
    estimated: Sequence[bool]
    rejected: list[Rejected]


def intervals_among(names: Sequence[str]) -> list[int]:
    """The places of columns that are a day's intervals: named by times of day, or P1, P2 and so on."""
    return [at for at, name in enumerate(names) if _CLOCK.fullmatch(name) or _NUMBERED.fullmatch(name)]


class Sites(Remembered[Cell, str]):
    """From a cell to the site that it names: trimmed, stripped, then by the aliases."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._site = profile.site

    def meaning(self, key: Cell) -> str:
        """The site."""
        text = as_text(key)
        if self._site.strip:
            text = text.strip(self._site.strip).strip()
        return self._site.aliases.get(text, text)


def readings_of(
    table: Table,
    profile: Profile,
    site: str | None,
    zone: ZoneInfo,
    now: datetime,
    left_out: LeftOut,
    size: int,
) -> Iterator[Readings]:
    """The readings of a table, some at a time. ``site`` is that of all rows, where no column says it.

    Raises FileError where the table lacks a column.
    """
    rows = _Rows(table, profile, Times(profile, zone, now), left_out)
    layout = _LAYOUTS[profile.layout](rows, profile, site)
    at_a_time = max(1, size // max(layout.readings_in_a_row, len(rows.wanted) // FEW, 1))
    return (layout.readings(rows.kept(cells)) for cells in table.blocks(rows.wanted, at_a_time))


class _Kept(NamedTuple):
    """The rows of a block that count, by their columns' places in the file."""

    lines: Sequence[int]
    columns: dict[int, Sequence[Cell]]
    estimated: Sequence[bool]
    rejected: list[Rejected]


class _Rows:
    """The rows of a table that a profile keeps, and which columns it wants of them."""

    def __init__(self, table: Table, profile: Profile, times: Times, left_out: LeftOut) -> None:
        self.table = table
        self.times = times
        self.left_out = left_out
        place = table.place
        zone = profile.time.zone_column
        self.time = [place(column) for column in profile.time.columns]
        self._has_zone_column = zone is not None
        self.time += [] if zone is None else [place(zone)]
        self._keep = [(place(condition.column), condition) for condition in profile.keep]
        self._estimated = (
            (place(profile.estimated.column), profile.estimated) if profile.estimated is not None else None
        )
        self._also: list[int] = []

    @property
    def asked(self) -> list[int]:
        """The places of the columns of conditions."""
        return [at for at, _ in [*self._keep, *([self._estimated] if self._estimated else [])]]

    @property
    def wanted(self) -> list[int]:
        """The places of all columns that are needed."""
        return sorted({*self.time, *self.asked, *self._also})

    def want(self, places: Sequence[int]) -> None:
        """More columns that are needed."""
        self._also += places

    def kept(self, cells: Cells) -> _Kept:
        """The rows of a block that count."""
        lines, columns = cells.lines, dict(zip(self.wanted, cells.columns, strict=True))
        for at, condition in self._keep:
            mask = _verdicts(columns[at], condition)
            if not all(mask):
                lines = list(compress(lines, mask))
                columns = {place: list(compress(column, mask)) for place, column in columns.items()}
        self.left_out.by_conditions(len(cells.lines) - len(lines))
        estimated: Sequence[bool] = ()
        if self._estimated:
            at, condition = self._estimated
            estimated = _verdicts(columns[at], condition)
        return _Kept(lines, columns, estimated or [False] * len(lines), cells.rejected)

    def time_keys(self, columns: dict[int, Sequence[Cell]]) -> Sequence[Any]:
        """The cells of time of each row: one, or a tuple; texts as they are read, joined by a space."""
        chosen = [columns[at] for at in self.time]
        if len(chosen) == 1:
            return chosen[0]
        if not self._has_zone_column and all(map(are_trimmed, chosen)):
            return list(map(" ".join, zip(*chosen, strict=True)))
        return list(zip(*chosen, strict=True))


def _verdicts(column: Sequence[Cell], condition: Condition) -> list[bool]:
    known = {cell: condition.holds(as_text(cell)) for cell in set(column)}
    return list(map(known.__getitem__, column))


class _ARowAReading:
    readings_in_a_row = 1

    def __init__(self, rows: _Rows, profile: Profile, site: str | None) -> None:
        self._rows = rows
        self._sites = Sites(profile)
        self._values = Values(profile)
        self._places = [rows.table.place(column) for column in profile.value.columns]
        self._site = site
        self._site_at = rows.table.place(profile.site.column) if profile.site.column is not None else None
        rows.want([*self._places, *([] if self._site_at is None else [self._site_at])])

    def readings(self, kept: _Kept) -> Readings:
        lines, columns, estimated, rejected = kept
        count = len(lines)
        for at in self._places:
            if missing := self._values.are_missing(columns[at]):
                mask = list(map(not_, missing))
                lines, estimated = list(compress(lines, mask)), list(compress(estimated, mask))
                columns = {place: list(compress(column, mask)) for place, column in columns.items()}
        self._rows.left_out.without_value(count - len(lines))
        keys = self._rows.time_keys(columns)
        dates = list(map(self._rows.times.__getitem__, keys))
        if None in dates:
            rejected = [*rejected, *self._without_instant(lines, keys, dates)]
            mask = [date is not None for date in dates]
            lines, estimated = list(compress(lines, mask)), list(compress(estimated, mask))
            columns = {place: list(compress(column, mask)) for place, column in columns.items()}
            dates = list(compress(dates, mask))
        return Readings(
            lines,
            self._sites_of(columns, len(lines)),
            dates,  # type: ignore[arg-type] # no None is left
            [columns[at] for at in self._places],
            estimated,
            rejected,
        )

    def _without_instant(
        self, lines: Sequence[int], keys: Sequence[Any], dates: Sequence[str | None]
    ) -> Iterator[Rejected]:
        for line, key, date in zip(lines, keys, dates, strict=True):
            if date is None:
                yield Rejected(line, self._rows.times.why(key))

    def _sites_of(self, columns: dict[int, Sequence[Cell]], count: int) -> list[str]:
        if self._site_at is None:
            return [self._site or ""] * count
        return list(map(self._sites.__getitem__, columns[self._site_at]))


class _Wide:
    """Rows of which each has many readings."""

    empty_means_no_value = True
    """Whether an empty cell is a value that is missing: not of columns that longer days fill alone."""

    def __init__(self, rows: _Rows, profile: Profile, places: list[int]) -> None:
        self._rows = rows
        self._values = Values(profile)
        self._places = places
        self.readings_in_a_row = len(places)
        rows.want(places)

    def _spread(self, kept: _Kept, of_row: Callable[[int, list[bool]], "_OfRow"]) -> Readings:
        """The readings of each row, without the cells that hold none; ``of_row`` tells of which sites and
        instants, by the row's number and which of its cells are filled."""
        count = len(self._places)
        flat = list(chain.from_iterable(zip(*(kept.columns[at] for at in self._places), strict=True)))
        missing = self._values.are_missing(flat)
        filled = list(map(not_, missing)) if missing else [True] * len(flat)
        rejected = list(kept.rejected)
        sites: list[Sequence[str]] = []
        dates: list[Sequence[str]] = []
        for row, line in enumerate(kept.lines):
            in_row = filled[row * count : row * count + count]
            told = of_row(row, in_row)
            if told.why:
                filled[row * count : row * count + count] = [False] * count
                if any(in_row):
                    rejected.append(Rejected(line, told.why))
            elif missing and self.empty_means_no_value:
                self._rows.left_out.without_value(in_row.count(False), "cell")
            sites.append(told.sites)
            dates.append(told.dates)
        taken: Callable[[Any], list[Any]] = lambda each: list(compress(each, filled))  # noqa: E731
        return Readings(
            taken(chain.from_iterable(repeat(line, count) for line in kept.lines)),
            taken(chain.from_iterable(sites)),
            taken(chain.from_iterable(dates)),
            [taken(flat)],
            taken(chain.from_iterable(repeat(each, count) for each in kept.estimated)),
            rejected,
        )


class _OfRow(NamedTuple):
    """The sites and instants of a row's cells; or why none counts."""

    sites: Sequence[str]
    dates: Sequence[str]
    why: str = ""


class _ARowADay(_Wide):
    def __init__(self, rows: _Rows, profile: Profile, site: str | None) -> None:
        names, columns = rows.table.names, profile.value.columns
        places = [rows.table.place(column) for column in columns] or intervals_among(names)
        if not places:
            raise FileError("The file has no columns whose names are times of day, or P1, P2 and so on.")
        numbers = [_NUMBERED.fullmatch(names[at]) for at in places]
        self._numbers = [int(found[1]) for found in numbers if found]
        self._are_numbered = len(self._numbers) == len(places)
        super().__init__(rows, profile, places)
        self.empty_means_no_value = not self._are_numbered
        self._days = Days(rows.times, profile.time.minutes or 0)
        self._sites = Sites(profile)
        self._site = site
        self._site_at = rows.table.place(profile.site.column) if profile.site.column is not None else None
        rows.want([] if self._site_at is None else [self._site_at])

    def readings(self, kept: _Kept) -> Readings:
        keys = self._rows.time_keys(kept.columns)
        sites = (
            [self._site or ""] * len(kept.lines)
            if self._site_at is None
            else list(map(self._sites.__getitem__, kept.columns[self._site_at]))
        )
        count = len(self._places)
        return self._spread(
            kept, lambda row, filled: self._of_day(repeat_of(sites[row], count), keys[row], filled)
        )

    def _of_day(self, sites: Sequence[str], key: Any, filled: list[bool]) -> _OfRow:
        day = self._days[key]
        nothing = [""] * len(filled)
        if day.why:
            return _OfRow(nothing, nothing, day.why)
        if not self._are_numbered:
            if day.count == len(filled):
                return _OfRow(sites, day.ends)
            return _OfRow(nothing, nothing, _other_count(day.count, len(filled), "columns"))
        given = list(compress(self._numbers, filled))
        if len(given) != day.count or sorted(given) != list(range(1, day.count + 1)):
            return _OfRow(nothing, nothing, _other_count(day.count, len(given), "filled columns"))
        return _OfRow(sites, [day.ends[n - 1] if n <= day.count else "" for n in self._numbers])


def repeat_of(text: str, count: int) -> list[str]:
    """A text so many times."""
    return [text] * count


def _other_count(intervals: int, columns: int, what: str) -> str:
    return f"reading_date is a day of {intervals} intervals, but the row has {columns} {what}"


class _AColumnASite(_Wide):
    def __init__(self, rows: _Rows, profile: Profile, site: str | None) -> None:  # noqa: ARG002
        names = rows.table.names
        others = {*rows.time, *rows.asked}
        places = [rows.table.place(column) for column in profile.value.columns] or [
            at for at, name in enumerate(names) if name and at not in others
        ]
        if not places:
            raise FileError("The file has no columns of sites beside that of the time.")
        super().__init__(rows, profile, places)
        sites = Sites(profile)
        self._names = [sites[names[at]] for at in places]

    def readings(self, kept: _Kept) -> Readings:
        times, keys, count = self._rows.times, self._rows.time_keys(kept.columns), len(self._places)

        def of_row(row: int, _filled: list[bool]) -> _OfRow:
            text = times[keys[row]]
            return _OfRow(self._names, repeat_of(text or "", count), "" if text else times.why(keys[row]))

        return self._spread(kept, of_row)


_LAYOUTS: dict[str, Any] = {"rows": _ARowAReading, "wide_times": _ARowADay, "wide_sites": _AColumnASite}
