"""Rows of a sample as a table: which row names the columns, and where the data begin."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from ..header import is_separator_line
from ..lines import SPACES, FileError
from ..preview import shown
from ..profiles.cells import Cell, as_line, as_text
from ..profiles.document import Profile
from ..profiles.json_file import items_at
from .numbers import MISSING
from .sample import LINES, WIDEST, Sample

MOST_PATHS = 100
"""So many lists of a JSON document are looked at."""
DELIMITERS = (";", "\t", "|", ",")
"""The comma last, for it also stands within numbers."""
Row = tuple[int, list[Cell]]

_DATE = re.compile(
    r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}([T ,].*)?"
    r"|[0-9]{1,2}[-/. ][A-Za-z]{3,9}[-/. ][0-9]{2,4}.*|[A-Za-z]{3,9} [0-9]{1,2},? [0-9]{4}.*"
    r"|(19|20)[0-9]{6}([0-9]{4}|[0-9]{6})?|1[0-9]{9}"
)
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,' \u00a0\u2019]*([eE][-+]?[0-9]+)?")
_UNIT = re.compile(
    r"\W*([kM]?Wh?|MWh|kVArh|[DMY]{1,4}[-./][DMY]{1,4}[-./][DMY]{1,4}.*)\W*", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Table:
    """A table of the sample; ``header`` is the line of its names, 0 where no row has them."""

    names: list[str]
    rows: list[Row]
    header: int = 0
    units_rows: int = 0
    above: tuple[str, ...] = ()
    """The texts of the rows between the header and the data."""

    @property
    def size(self) -> tuple[int, int]:
        """How many rows it has, and how many columns."""
        return len(self.rows), len(self.names)


def texts_table(
    lines: Sequence[str], delimiter: str, comment: str | None, header: int | None
) -> Table | None:
    """The table of lines with a sign between the fields; None where there is none."""
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if comment and line.startswith(comment):
            continue
        if number <= 1 and is_separator_line(line):
            continue
        rows.append((number, list(_fields(line, delimiter))))
    return table_of(rows, header, exact=True)


def separator_of(lines: Sequence[str]) -> str | None:
    """The sign that a line ``sep=;`` names."""
    if lines and is_separator_line(lines[0]):
        return lines[0].strip().strip('"')[len("sep=") :][:1] or None
    return None


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        (fields,) = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
    except (csv.Error, ValueError):
        return []
    return [field.strip(SPACES) for field in fields[:WIDEST]]


def table_of(rows: Sequence[Row], header: int | None, *, exact: bool) -> Table | None:
    """The table that begins with the first rows of data, or with a header that somebody names (0: none).

    ``exact``: all rows of a table have as many fields.
    """
    filled = [(line, cells) for line, cells in rows if any(as_text(cell) for cell in cells)]
    if header:
        at = next((at for at, (line, _) in enumerate(filled) if line == header), None)
        return _below(filled, at, None) if at is not None else None
    first = next(
        (at for at, row in enumerate(filled) if _is_data(row[1]) and _goes_on(filled, at, exact)), None
    )
    if first is None:
        return None
    at = None if header == 0 else _header_above(filled, first, exact)
    return _below(filled, at, first)


def _below(filled: Sequence[Row], header: int | None, first: int | None) -> Table:
    if header is None:
        start = first or 0
        width = max(len(cells) for _, cells in filled[start:])
        return Table([f"column {at}" for at in range(1, width + 1)], list(filled[start:]))
    line, cells = filled[header]
    names = [as_text(cell) for cell in cells]
    if first is None or first <= header:
        first = next((at for at in range(header + 1, len(filled)) if _is_data(filled[at][1])), header + 1)
    between = filled[header + 1 : first]
    above = tuple(as_text(cell) for _, row in between for cell in row)
    rows = [(number, row[: len(names)]) for number, row in filled[first:]]
    data = [row for row in rows if list(map(as_text, row[1])) != names]  # some stand further down again
    return Table(names, data, line, len(between), above)


def _goes_on(rows: Sequence[Row], at: int, exact: bool) -> bool:
    following = rows[at : at + 20]
    alike = sum(len(cells) == len(rows[at][1]) for _, cells in following)
    return not exact or 2 * alike >= len(following)


def _is_data(cells: Sequence[Cell]) -> bool:
    """Whether a row has a date, and beside it a number, or that there is none."""
    dates = sum(map(is_date, cells))
    return dates > 0 and any(_is_number(cell) and not is_date(cell) for cell in cells)


def is_date(cell: Cell) -> bool:
    """Whether a cell may be a date."""
    return isinstance(cell, date) or (
        isinstance(cell, str) and _DATE.fullmatch(cell.strip(SPACES)) is not None
    )


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        text = cell.strip(SPACES)
        return _NUMBER.fullmatch(text) is not None or text.lower() in MISSING
    return isinstance(cell, Decimal)


def _header_above(rows: Sequence[Row], first: int, exact: bool) -> int | None:
    """The row that names the columns: the lowest above the data that has text in it, and no units.

    Where its names are not all different, but those of a row above are, that one (as some inverters write).
    """
    width = len(rows[first][1])
    found: list[int] = []
    for at in range(first - 1, -1, -1):
        cells = rows[at][1]
        if (exact and len(cells) != width) or not _may_name(cells, width):
            break
        if not all(_UNIT.fullmatch(text) for text in map(as_text, cells) if text):
            found.append(at)
    different = [at for at in found if _are_different(rows[at][1])]
    return next(iter(different or found), None)


def _may_name(cells: Sequence[Cell], width: int) -> bool:
    texts = [cell for cell in cells if as_text(cell)]
    words = [cell for cell in texts if isinstance(cell, str) and not _is_number(cell) and not is_date(cell)]
    return len(texts) >= min(2, width) and 2 * len(texts) >= width and (2 * len(words) >= len(texts))


def _are_different(cells: Sequence[Cell]) -> bool:
    texts = [as_text(cell) for cell in cells if as_text(cell)]
    return len(set(texts)) == len(texts)


def lists_in(document: Any) -> list[tuple[str, Table]]:
    """The lists of a JSON document that may hold readings, each by its path; the longest first."""
    found: dict[str, Table] = {}
    for path in islice(dict.fromkeys(_paths(document, "", 0)), MOST_PATHS):
        with suppress(FileError):  # a key that is a number leads nowhere below a list: it counts its items
            if table := _of_items(items_at(document, path or None)[:LINES]):
                found[path] = table
    return sorted(found.items(), key=lambda pair: pair[1].size, reverse=True)


def _paths(inner: Any, path: str, depth: int) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(inner, list):
        yield path
        for item in inner[:3]:
            if isinstance(item, dict):
                yield from _paths(item, path, depth + 1)
    elif isinstance(inner, dict):
        for key, value in list(inner.items())[:200]:
            if isinstance(value, dict | list) and "." not in key:
                yield from _paths(value, f"{path}.{key}" if path else key, depth + 1)


def _of_items(items: Sequence[Any]) -> Table | None:
    objects = [_flat(item) for item in items if isinstance(item, dict)]
    if objects:
        names = list(dict.fromkeys(name for item in objects for name in item))[:WIDEST]
        rows: list[Row] = [
            (line, [item.get(name) for name in names]) for line, item in enumerate(objects, start=1)
        ]
    else:
        lists = [item[:WIDEST] for item in items if isinstance(item, list)]
        names = [""] * max(map(len, lists), default=0)
        rows = [(line, [_cell(cell) for cell in item]) for line, item in enumerate(lists, start=1)]
    return Table(names, rows) if any(_is_data(cells) for _, cells in rows) else None


def _flat(item: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for key, value in item.items():
        if isinstance(value, dict) and depth < 4:
            found |= _flat(value, f"{before}{key}.", depth + 1)
        elif not isinstance(value, list | dict):
            found[f"{before}{key}"] = _cell(value)
    return found


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        value if isinstance(value, str | Decimal | date | time | timedelta) or value is None else str(value)
    )


def raw_of(sample: Sample, table: Table | None, encoding: str = "") -> dict[int, str]:
    """What stands in the file, by the number of the line or row; of XML nothing."""
    if sample.kind in ("excel", "json"):
        if table is None:
            return {}
        header = {table.header: as_line(table.names)} if table.header else {}
        return header | {line: as_line(cells) for line, cells in table.rows}
    return dict(enumerate(sample.lines(encoding or None), start=1))


def raw_by(sample: Sample, profile: Profile) -> dict[int, str]:
    """The same of a file that is read by a profile; of a workbook as much of a row as is shown.

    Raises FileError.
    """
    if sample.kind == "excel":
        rows = enumerate(sample.rows(profile.file.sheet), start=1)
        return {line: shown(as_line(row)) for line, row in rows}
    table = dict(lists_in(sample.document())).get(profile.file.path or "") if sample.kind == "json" else None
    return raw_of(sample, table, profile.file.encoding)
