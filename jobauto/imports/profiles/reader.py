"""From a file and its profile to the rows that an import takes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from .. import fields
from ..columns import Remembered
from ..left_out import LeftOut
from ..lines import FileError, physical_lines
from ..preview import shown
from ..rows import Block, Rejected, Rows
from . import d0010, delimited, excel, green_button, iec62056, json_file, nem12
from .cells import Cell, as_line
from .document import Profile
from .found import Found, added, several
from .layouts import Readings, readings_of
from .names import LONGEST_NAME, site_in
from .packed import LARGEST, Opened, opened
from .standard import Context
from .values import Values

_TABLES: dict[str, Callable[[BinaryIO, Profile], Any]] = {
    "delimited": delimited.table_of,
    "excel": excel.table_of,
    "json": json_file.table_of,
}
_KINDS: dict[str, Callable[[BinaryIO, Context], Iterator[Found | Rejected]]] = {
    "d0010": d0010.readings,
    "nem12": nem12.readings,
    "green_button": green_button.readings,
    "iec62056": iec62056.readings,
}
_QUALITY = ("", "estimated")
_ADD_UP = ("d0010", "nem12")
"""Kinds whose registers of one instant are parts of one value."""


@contextmanager
def rows_of(
    file: BinaryIO,
    profile: Profile,
    file_name: str | None,
    of_schedule: ZoneInfo,
    now: datetime,
    largest: int = LARGEST,
) -> Iterator[Rows]:
    """The rows of a file: site, instant in UTC, kWh as text. A file in an archive may have ``largest``.

    Raises FileError.
    """
    with ExitStack() as stack:
        found = stack.enter_context(opened(file, largest))
        site = profile.site.constant or _site_of(profile, file_name, found)
        zone = profile.zone(of_schedule)
        if profile.file.kind in _TABLES:
            table = _TABLES[profile.file.kind](found.stream, profile)
            left_out = LeftOut()
            of_table = _TableRows(profile, partial(readings_of, table, profile, site, zone, now, left_out))
            yield _given(Rows(of_table, []), profile, left_out)
            return
        context = Context(profile, site, zone, now)
        readings = _KINDS[profile.file.kind](found.stream, context)
        yield _given(Rows(partial(_of_kind, readings, profile), []), profile, context.left_out)


def _given(rows: Rows, profile: Profile, left_out: LeftOut) -> Rows:
    rows.measure, rows.given_source, rows.left_out = profile.measure, profile.source, left_out
    return rows


def adds_up(profile: Profile) -> bool:
    """Whether rows of one site and instant are parts of one value."""
    return profile.same_instant == "add" or profile.file.kind in _ADD_UP


def needs_file_name(profile: Profile) -> bool:
    """Whether a file cannot be read without its name."""
    return profile.site.file_name is not None


def _site_of(profile: Profile, file_name: str | None, found: Opened) -> str | None:
    pattern = profile.site.file_name
    if pattern is None:
        return None
    if not file_name:
        raise FileError("The profile takes the site from the file's name, and there is none.")
    names = [name.replace("\\", "/").rsplit("/", 1)[-1] for name in (file_name, found.name) if name]
    if any(len(name) > LONGEST_NAME for name in names):
        raise FileError(f"The file's name has more than {LONGEST_NAME} characters.")
    for name in names:
        if text := site_in(name, pattern):
            stripped = text.strip(profile.site.strip or None).strip()
            return profile.site.aliases.get(stripped, stripped)
    raise FileError(f"The name {names[0]} is not such as the profile says: {pattern}.")


class _TableRows:
    """The blocks of a table's readings, as an import takes them."""

    def __init__(self, profile: Profile, readings: Callable[[int], Iterator[Readings]]) -> None:
        self._readings = readings
        self._adds = profile.same_instant == "add"
        self._values = Values(profile)
        self._texts = _Texts(self._values)

    def __call__(self, size: int) -> Iterator[Block]:
        if self._adds:
            return in_blocks(added(self._found(size)), self._values, size)
        return map(self._block, self._readings(size))

    def _block(self, found: Readings) -> Block:
        keys: Any = found.values[0] if len(found.values) == 1 else list(zip(*found.values, strict=True))
        wholes = self._values.as_wholes(keys) if len(found.values) == 1 else None
        texts = list(map(self._texts.__getitem__, keys)) if wholes is None else wholes
        if None not in texts:
            return Block(found.lines, [found.sites, found.dates, texts, _qualities(found)], found.rejected)
        rejected = list(found.rejected)
        good = []
        for row in zip(found.lines, found.sites, found.dates, texts, _qualities(found), keys, strict=True):
            if row[3] is None:
                rejected.append(Rejected(row[0], self._texts.why(row[5])))
            else:
                good.append(row[:5])
        lines, *columns = list(zip(*good, strict=True)) or [()] * 5
        return Block(lines, columns, rejected)

    def _found(self, size: int) -> Iterator[Found | Rejected]:
        for some in self._readings(size):
            yield from some.rejected
            rows = zip(
                some.lines,
                some.sites,
                some.dates,
                zip(*some.values, strict=True),
                some.estimated,
                strict=True,
            )
            for number, (line, site, date, cells, is_estimated) in enumerate(rows):
                try:
                    kwh = self._values.kwh(cells)
                except fields.FieldError as error:
                    yield Rejected(line, str(error))
                    yield Found(line, site, date, None, is_estimated, (line, number))
                else:
                    yield Found(line, site, date, kwh, is_estimated, (line, number))


def _qualities(found: Readings) -> list[str]:
    return list(map(_QUALITY.__getitem__, found.estimated))


class _Texts(Remembered[Any, str | None]):
    """From the cells of a value to its text in kWh; None for what is no number."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values

    def meaning(self, key: Cell | tuple[Cell, ...]) -> str | None:
        """The text; None of what is no number."""
        try:
            return self._values.text(self._values.kwh(key if isinstance(key, tuple) else (key,)))
        except fields.FieldError:
            return None

    def why(self, key: Cell | tuple[Cell, ...]) -> str:
        """Why a value is none."""
        try:
            self._values.kwh(key if isinstance(key, tuple) else (key,))
        except fields.FieldError as error:
            return str(error)
        return "reading_value is too large"


def _of_kind(found: Iterable[Found | Rejected], profile: Profile, size: int) -> Iterator[Block]:
    return in_blocks(added(found) if adds_up(profile) else found, Values(profile), size)


def in_blocks(found: Iterable[Found | Rejected], values: Values, size: int) -> Iterator[Block]:
    """Single readings as an import takes them, so many at a time."""
    for batch in several(found, size):
        rejected = [each for each in batch if isinstance(each, Rejected)]
        rows = [
            (each.line, each.site, each.date, values.text(each.kwh), _QUALITY[each.is_estimated])
            for each in batch
            if isinstance(each, Found) and each.kwh is not None
        ]
        lines, *columns = list(zip(*rows, strict=True)) or [()] * 5
        yield Block(lines, columns, rejected)


def raw_of(profile: Profile) -> Callable[[Path, int], list[str]]:
    """How the first lines of a file are shown, or rows of a workbook; JSON and XML have none to show."""

    def lines(path: Path, last: int) -> list[str]:
        if profile.file.kind in ("json", "green_button"):
            return []
        with path.open("rb") as file, opened(file) as found:
            if profile.file.kind == "excel":
                rows = islice(excel.rows_of_sheet(found.stream, profile.file.sheet), last)
                return [shown(as_line(row)) for row in rows]
            return [shown(line) for line in islice(physical_lines(found.stream, profile.file.encoding), last)]

    return lines
