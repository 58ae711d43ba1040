"""Cells of a table, and how its columns are found. Text stays text; a spreadsheet has dates and numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from ..lines import SPACES, FileError
from ..rows import Rejected
from .document import Column

Cell = str | Decimal | datetime | date | time | timedelta | None
"""None and empty text are no value."""
LONGEST_NUMBER = 40
MOST_LACKING = 20_000_000
LACKING_A_ROW = 10
"""So many cells may the rows of a file lack, beside so many each: they cost as much as those that are there,
and nothing in the file."""


def as_line(cells: Sequence[Cell]) -> str:
    """The cells of a row that is no line of text, as they can be shown."""
    return " | ".join(map(as_text, cells))


class Cells(NamedTuple):
    """Rows of a table side by side: their line numbers and columns; and lines that are no rows."""

    lines: Sequence[int]
    columns: Sequence[Sequence[Cell]]
    rejected: list[Rejected]


class Lacking:
    """Counts the cells that the rows of a file lack of the columns that the profile asks for."""

    def __init__(self) -> None:
        self._left = MOST_LACKING

    def add(self, cells: int) -> None:
        """Those of a row. Raises FileError where they are too many."""
        self._left -= max(0, cells - LACKING_A_ROW)
        if self._left < 0:
            raise FileError(f"The rows lack more than {MOST_LACKING:,} cells that the profile asks for.")


@dataclass(frozen=True)
class Table:
    """The names of a table's columns, and its rows: only some columns, at most so many rows at a time."""

    names: list[str]
    blocks: Callable[[Sequence[int], int], Iterator[Cells]]

    def place(self, column: Column) -> int:
        """Where a column stands. Raises FileError."""
        if isinstance(column, int):
            if column > len(self.names):
                raise FileError(f"The file has {len(self.names)} columns, and the profile asks for {column}.")
            return column - 1
        if column not in self._places:
            shown = ", ".join(name for name in self.names[:20] if name)
            raise FileError(f"The file has no column {column}. Its columns: {shown}.")
        return self._places[column]

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where the first column of each name stands."""
        return {name: at for at, name in reversed(list(enumerate(self.names)))}


def as_text(cell: Cell) -> str:
    """A cell as trimmed text; a whole number as its plain digits."""
    if isinstance(cell, str):
        return cell.strip(SPACES)
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, time):
        return cell.strftime("%H:%M" if not cell.second else "%H:%M:%S")
    return str(cell)


def number_text(number: Decimal) -> str:
    """A number's digits, without an exponent; a whole one without a fraction."""
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
