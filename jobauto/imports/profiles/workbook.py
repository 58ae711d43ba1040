"""How large a workbook is, before it is read into memory.

A sheet is held as a whole, from its first cell to its last: two cells in opposite corners would take more
than any machine has. And an archive may hold far more than its size tells.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from ..lines import FileError
from .packed import SIGNATURE

MOST_CELLS = 2_000_000
LARGEST = 500_000_000
"""Bytes of all that is in a workbook, unpacked."""
NO_WORKBOOK = "This is not an Excel workbook (.xlsx)."
OLD_KIND = "This is an old Excel workbook (.xls), or has a password. Save it as .xlsx, without a password."
_OLE = b"\xd0\xcf\x11\xe0"
_CHUNK = 1_000_000
_LONGEST_TAG = 2000
_TAG = re.compile(rb"<(?:[A-Za-z0-9]+:)?(row|c)(\s[^>]{0,1900}?)?(/?)>")
_PLACE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")


def check_size(stream: BinaryIO) -> None:
    """Raises FileError for what is no workbook, or too large a one."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    if head == _OLE:  # all its sheets would be held at once, however large, before one could be measured
        raise FileError(OLD_KIND)
    if head != SIGNATURE:
        raise FileError(NO_WORKBOOK)
    try:
        with ZipFile(stream) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise FileError(NO_WORKBOOK)
            _check(archive)
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileError("The workbook is damaged, or has a password.") from error


def check_cells(cells: int) -> None:
    """Raises FileError where a sheet has too many cells."""
    if cells > MOST_CELLS:
        raise FileError(
            f"The sheet has {cells:,} cells, more than {MOST_CELLS:,}. Save it as CSV, or in several parts."
        )


def _check(archive: ZipFile) -> None:
    if sum(member.file_size for member in archive.infolist()) > LARGEST:
        raise FileError(f"The workbook holds more than {LARGEST:,} bytes.")
    for member in archive.infolist():  # the size that is told holds for this library alone: read them all
        with archive.open(member) as part:
            chunks = iter(lambda part=part: part.read(_CHUNK), b"")  # type: ignore[misc]
            if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
                check_cells(_extent(_tags(chunks)))
            else:
                for _ in chunks:
                    pass


def _tags(chunks: Iterator[bytes]) -> Iterator[re.Match[bytes]]:
    """The tags of rows and cells."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        end = 0
        for tag in _TAG.finditer(text):
            yield tag
            end = tag.end()
        rest = text[max(end, len(text) - _LONGEST_TAG) :]


def _extent(tags: Iterator[re.Match[bytes]]) -> int:
    """How many cells lie between the first and the last row and column that hold anything."""
    row = column = 0
    rows: list[int] = []
    columns: list[int] = []
    for tag in tags:
        place = _PLACE.search(tag[2] or b"")
        if tag[1] == b"row":
            row, column = (int(place[2]) if place else row + 1), 0
            continue
        if place and place[1]:
            row, column = int(place[2]), _number(place[1])
        else:
            column += 1
        if not tag[3]:
            rows = [min(rows[0], row), max(rows[1], row)] if rows else [row, row]
            columns = [min(columns[0], column), max(columns[1], column)] if columns else [column, column]
    return (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1) if rows else 0


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
