"""Workbooks, by python-calamine: it gives text as text, and numbers and dates as the workbook has them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
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
    rows = enumerate(_rows(stream, profile.file.sheet), start=1)
    if header.names is not None:
        return Table(header.names, partial(_blocks, rows, len(header.names), None))
    wanted = set(header.find or [])
    for _, row in rows:
        names = [as_text(_cell(cell)) for cell in row]
        if wanted <= set(names):
            list(islice((row for _, row in rows if row), header.units_rows))
            return Table(names, partial(_blocks, rows, len(names), len(names)))
    raise FileError(f"No row holds all of: {', '.join(header.find or [])}.")


def sheets_of(stream: BinaryIO) -> list[str]:
    """The names of a workbook's sheets. Raises FileError."""
    check_size(stream)
    stream.seek(0)
    with _as_file_error(), CalamineWorkbook.from_filelike(stream) as workbook:
        return workbook.sheet_names


def rows_of_sheet(stream: BinaryIO, sheet: str | None) -> Iterator[list[Cell]]:
    """The cells of a sheet's rows, without the empty ones at their ends. Raises FileError."""
    return ([_cell(cell) for cell in row] for row in _rows(stream, sheet))


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


def _rows(stream: BinaryIO, sheet: str | None) -> Iterator[Row]:
    """The rows of a sheet, from its first one on, without the empty cells at their ends."""
    check_size(stream)
    stream.seek(0)
    with _as_file_error():
        found = _sheet(stream, sheet)
    check_cells(found.total_height * found.total_width)
    return _read(found)


def _read(sheet: CalamineSheet) -> Iterator[Row]:
    with _as_file_error(NO_CELL):  # a row's cells become dates and numbers when it is asked for
        yield from map(_without_end, sheet.iter_rows())


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
    rows: Iterator[tuple[int, Row]], width: int, most: int | None, wanted: Sequence[int], size: int
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
        yield Cells(lines, columns, rejected)
