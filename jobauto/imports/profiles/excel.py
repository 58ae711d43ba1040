"""Workbooks, by python-calamine: it gives text as text, and numbers and dates as the workbook has them.

A midnight is a date alone to a workbook. In a column of times of which any has a time of day it is a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, partial
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from ..lines import SPACES, FileError
from ..rows import Rejected
from .cells import Cell, Cells, Table, as_text
from .document import Profile
from .workbook import NO_WORKBOOK, check_cells, check_size

Row = list[Any]
NO_CELL = "A cell of the workbook cannot be read, such as a date that no calendar has."


def table_of(stream: BinaryIO, profile: Profile) -> Table:
    """The table of a sheet. Raises FileError."""
    header = profile.heading
    sheet = _opened(stream, profile.file.sheet)
    rows = enumerate(_rows(sheet), start=1)
    if header.names is not None:
        midnights = _Midnights(sheet, _time_at(profile, header.names))
        return Table(header.names, partial(_blocks, rows, len(header.names), None, midnights))
    wanted = set(header.find or [])
    for _, row in rows:
        names = [as_text(_cell(cell)) for cell in row]
        if wanted <= set(names):
            list(islice((row for _, row in rows if row), header.units_rows))
            midnights = _Midnights(sheet, _time_at(profile, names))
            return Table(names, partial(_blocks, rows, len(names), len(names), midnights))
    raise FileError(f"No row holds all of: {', '.join(header.find or [])}.")


class Looked(BytesIO):
    """A workbook that many look at: it takes seconds to read, so the sheet that was read last is kept.

    Raises FileError for what is no workbook, or too large a one.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        check_size(self)
        self.seek(0)
        with _as_file_error(), CalamineWorkbook.from_filelike(self) as workbook:
            self.names: list[str] = workbook.sheet_names
        self._last: tuple[str | None, CalamineSheet] | None = None

    def sheet(self, name: str | None) -> CalamineSheet:
        """The sheet of a name, or the first one. Raises FileError."""
        wanted = name or next(iter(self.names), None)
        if self._last is None or self._last[0] != wanted:
            self._last = wanted, _measured(self, wanted)
        return self._last[1]


def rows_of_sheet(stream: BinaryIO, sheet: str | None) -> Iterator[list[Cell]]:
    """The cells of a sheet's rows, without the empty ones at their ends. Raises FileError."""
    return ([_cell(cell) for cell in row] for row in _rows(_opened(stream, sheet)))


@contextmanager
def _as_file_error(why: str = NO_WORKBOOK) -> Iterator[None]:
    try:
        yield
    except (CalamineError, ValueError, OSError) as error:
        raise FileError(why) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what Rust raises, outside Python's exceptions
            raise
        raise FileError(why) from error


def _opened(stream: BinaryIO, sheet: str | None) -> CalamineSheet:
    """A sheet that is not too large. Raises FileError."""
    if isinstance(stream, Looked):
        return stream.sheet(sheet)
    check_size(stream)
    return _measured(stream, sheet)


def _measured(stream: BinaryIO, sheet: str | None) -> CalamineSheet:
    stream.seek(0)
    with _as_file_error():
        found = _sheet(stream, sheet)
    check_cells(found.total_height * found.total_width)
    return found


def _rows(sheet: CalamineSheet) -> Iterator[Row]:
    """The rows of a sheet, from its first one on, without the empty cells at their ends."""
    with _as_file_error(NO_CELL):  # a row's cells become dates and numbers when it is asked for
        yield from map(_without_end, sheet.iter_rows())


def _time_at(profile: Profile, names: Sequence[str]) -> int | None:
    """Where the one column of the time stands, if the profile does not say what a date alone means."""
    if profile.time.date_only is not None or len(profile.time.columns) != 1:
        return None
    (column,) = profile.time.columns
    if isinstance(column, int):
        return column - 1
    return names.index(column) if column in names else None


class _Midnights:
    """Dates alone of a column, as midnights where any other cell of it has a time of day."""

    def __init__(self, sheet: CalamineSheet, at: int | None) -> None:
        self._sheet = sheet
        self.at = at

    def within(self, cells: list[Cell]) -> list[Cell]:
        """The cells of a block of that column."""
        if not any(type(cell) is date for cell in cells) or not self._are_times:
            return cells
        return [datetime.combine(cell, time()) if type(cell) is date else cell for cell in cells]

    @cached_property
    def _are_times(self) -> bool:
        at = self.at or 0
        return any(isinstance(row[at], datetime) for row in _rows(self._sheet) if at < len(row))


def _sheet(stream: BinaryIO, sheet: str | None) -> CalamineSheet:
    with CalamineWorkbook.from_filelike(stream) as workbook:
        names = workbook.sheet_names
        if not names or (sheet is not None and sheet not in names):
            raise FileError(f"The workbook has no sheet {sheet or ''}. Its sheets: {', '.join(names)}.")
        return workbook.get_sheet_by_name(sheet or names[0])


def _without_end(cells: list[Any]) -> Row:
    end = len(cells)
    while end and _is_empty(cells[end - 1]):
        end -= 1
    return cells[:end]


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip(SPACES))


def _cell(cell: Any) -> Cell:
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return Decimal(repr(cell))
    if isinstance(cell, str | date | datetime | time | timedelta) or cell is None:
        return cell
    return str(cell)


def _blocks(
    rows: Iterator[tuple[int, Row]],
    width: int,
    most: int | None,
    midnights: _Midnights,
    wanted: Sequence[int],
    size: int,
) -> Iterator[Cells]:
    """The rows below the header, at most so many at a time; those with more than ``most`` cells are none.

    Only the cells that are wanted are kept, for a row takes far more memory than it does in the workbook.
    """
    while True:
        lines: list[int] = []
        columns: list[list[Cell]] = [[] for _ in wanted]
        rejected: list[Rejected] = []
        is_end = True
        for number, row in islice(rows, size):
            is_end = False
            if most is not None and len(row) > most:
                rejected.append(Rejected(number, f"{len(row)} fields, but the header has {most}"))
            elif row:
                lines.append(number)
                for column, at in zip(columns, wanted, strict=True):
                    column.append(_cell(row[at]) if at < min(len(row), width) else None)
        if is_end:
            return
        if midnights.at in wanted:
            columns[wanted.index(midnights.at)] = midnights.within(columns[wanted.index(midnights.at)])
        yield Cells(lines, columns, rejected)
