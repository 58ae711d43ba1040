"""How large a workbook is, before it is read into memory.

A sheet is held as a whole, from its first cell to its last: two cells in opposite corners would take more
than any machine has. A text that many cells share is held once for each. And an archive may hold far more
than its size tells. So each part is parsed; what cannot be measured for sure is refused.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..lines import FileError
from .packed import SIGNATURE, archive_in

MOST_CELLS = 2_000_000
LARGEST = 200_000_000
"""Bytes of all that is in a workbook, unpacked; of the texts of a sheet, each as often as it stands there."""
NO_WORKBOOK = "This is not an Excel workbook (.xlsx)."
OLD_KIND = "This is an old Excel workbook (.xls), or has a password. Save it as .xlsx, without a password."
_OLE = b"\xd0\xcf\x11\xe0"
MOST_ROWS = 1_048_576
"""Of a sheet: Excel itself has no more."""
_CHUNK = 1_000_000
_MOST_NAMES = 1_000
"""Of tags and attributes in a part, all of which the parser remembers. Those that Excel writes are fewer."""
_LONGEST_NUMBER = 100
_LONGEST_TAG = 10_000_000
"""Bytes. The parser looks at a tag from its start with each chunk, until it ends."""
_DEEPEST = 100
"""Elements in one another, which the parser remembers until they end. Excel writes a dozen."""
_TEXTS = "xl/sharedstrings.xml"
_OTHER_KINDS = {"content.xml", "xl/workbook.bin"}
"""Parts by which the library would take it for a workbook of another kind, when it cannot read it as this."""
BESIDE_SHEETS = {"_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml", "xl/styles.xml"}
"""Parts that the library holds as wholes, for any sheet: a byte takes up to eight in memory."""
LARGEST_BESIDE = 20_000_000
"""Bytes of all of them."""
_CELLS = b"sheetData"
_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class _Damaged(Exception):
    """What Excel does not write, and cannot be measured."""


_UNREADABLE = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    zlib.error,
    ExpatError,
    _Damaged,
)


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
        with archive_in(stream) as archive:
            parts = {member.filename.lower(): member for member in archive.infolist()}
            if "xl/workbook.xml" not in parts or not _OTHER_KINDS.isdisjoint(parts):
                raise FileError(NO_WORKBOOK)
            _check(archive, parts)
    except _UNREADABLE as error:
        raise FileError("The workbook is damaged, or has a password.") from error


def check_cells(cells: int) -> None:
    """Raises FileError where a sheet has too many cells."""
    if cells > MOST_CELLS:
        raise FileError(f"The sheet has more than {MOST_CELLS:,} cells. Save it as CSV, or in several parts.")


def _check(archive: ZipFile, parts: Mapping[str, ZipInfo]) -> None:
    if len(parts) < len(archive.infolist()):  # which of two of one name would be read?
        raise _Damaged
    if sum(part.file_size for part in parts.values()) > LARGEST:
        raise FileError(f"The workbook holds more than {LARGEST:,} bytes.")
    if sum(part.file_size for name, part in parts.items() if name in BESIDE_SHEETS) > LARGEST_BESIDE:
        raise FileError(
            f"The workbook says more than {LARGEST_BESIDE:,} bytes of its sheets, names and styles."
        )
    texts = _Texts()
    if _TEXTS in parts:
        texts.measure(_chunks(archive, parts[_TEXTS]))
    for part in parts.values():
        if _is_sheet(_chunks(archive, part)):
            sheet = _Sheet(texts.sizes)
            sheet.measure(_chunks(archive, part))


def _chunks(archive: ZipFile, part: ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _is_sheet(chunks: Iterator[bytes]) -> bool:
    """Whether a part has what the library looks for in a sheet, whatever the part is called."""
    before = b""
    found = False
    for chunk in chunks:  # to the end, where its checksum is compared
        found = found or _CELLS in before + chunk
        before = chunk[-len(_CELLS) :]
    return found


class _Part:
    """A part of a workbook, as its XML is parsed."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        # UTF-8, whatever the part says: the library takes it for that.
        self._parser: XMLParserType = ParserCreate("utf-8", intern=self._names)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _no_doctype
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._depth = 0

    def measure(self, chunks: Iterator[bytes]) -> None:
        """Raises FileError, ExpatError or _Damaged."""
        taken = 0
        for chunk in chunks:
            self._parser.Parse(chunk)
            taken += len(chunk)
            unread = taken - max(self._parser.CurrentByteIndex, 0)
            if len(self._names) > _MOST_NAMES or unread > _LONGEST_TAG:
                raise _Damaged
            self._compare()
        self._parser.Parse(b"", True)
        self._compare()  # after a long tag, newer versions of expat keep back what follows until the end

    def _open(self, name: str, attributes: Mapping[str, str], /) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Damaged
        self._start(name, attributes)

    def _close(self, _name: str, /) -> None:
        self._depth -= 1
        self._end()

    def _start(self, name: str, attributes: Mapping[str, str], /) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        """What follows from the end of an element."""

    def _compare(self) -> None:
        """Raises FileError where so much was met already that the rest need not be."""


def _no_doctype(*_: Any) -> None:
    raise _Damaged


class _Texts(_Part):
    """The texts that cells share: the bytes of each."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._parser.CharacterDataHandler = self._text

    def _start(self, name: str, _attributes: Mapping[str, str], /) -> None:
        if _local(name) == "si":
            self.sizes.append(0)
            if len(self.sizes) > MOST_CELLS:
                raise FileError(f"The workbook has more than {MOST_CELLS:,} texts.")

    def _text(self, text: str) -> None:
        if self.sizes:
            self.sizes[-1] += len(text.encode())


class _Sheet(_Part):
    """The cells from the first to the last row and column that hold anything, and their shared texts."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self._sizes = sizes
        self._copied = 0
        self._row = self._column = 0
        self._are_named: bool | None = None
        self._is_shared = False
        self._number = ""
        self._rows: tuple[int, int] | None = None
        self._columns = (0, 0)

    @property
    def cells(self) -> int:
        """How many cells it takes."""
        if self._rows is None:
            return 0
        return (self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1)

    def _compare(self) -> None:
        check_cells(self.cells)

    def _start(self, name: str, attributes: Mapping[str, str], /) -> None:
        local = _local(name)
        if local == "c":
            self._cell(attributes)
        elif local in ("v", "is", "f"):
            self._fill()
            if local == "v" and self._is_shared:
                self._number = ""
                self._parser.CharacterDataHandler = self._digits
        elif local == "row":
            self._row, self._column = _row(attributes, self._row + 1), 0

    def _cell(self, attributes: Mapping[str, str]) -> None:
        is_named = "r" in attributes
        if self._are_named not in (None, is_named):  # what the others count from is not told
            raise _Damaged
        self._are_named = is_named
        self._is_shared = attributes.get("t") == "s"
        if not is_named:
            self._column += 1
            return
        place = _PLACE.fullmatch(attributes["r"])
        if not place:
            raise _Damaged
        self._row, self._column = int(place[2]), _number(place[1].upper())

    def _fill(self) -> None:
        row, column = self._row, self._column
        if self._rows is None:
            self._rows, self._columns = (row, row), (column, column)
            return
        self._rows = min(self._rows[0], row), max(self._rows[1], row)
        self._columns = min(self._columns[0], column), max(self._columns[1], column)

    def _digits(self, text: str) -> None:
        self._number += text
        if len(self._number) > _LONGEST_NUMBER:
            raise _Damaged

    def _end(self) -> None:
        if self._parser.CharacterDataHandler is None:
            return
        self._parser.CharacterDataHandler = None
        at = self._number.strip()
        if at.isdecimal() and len(at) < 8 and int(at) < len(self._sizes):
            self._copied += self._sizes[int(at)]
        if self._copied > LARGEST:
            raise FileError(f"The sheet has texts of more than {LARGEST:,} bytes.")


def _row(attributes: Mapping[str, str], following: int) -> int:
    row = attributes.get("r", str(following))
    if not row.isdecimal() or len(row) > 7 or int(row) > MOST_ROWS:
        raise _Damaged
    return int(row)


def _local(name: str) -> str:
    return name.partition(":")[2] or name


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
