"""The first part of a file, by its bytes: what kind it is, its encoding, its rows and lines.

Whatever its size, so much of a file is looked at: ``HEAD`` bytes of text, ``WHOLE`` of XML, a workbook of
``WORKBOOK`` bytes within the bounds of every workbook.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

from ..lines import FileError
from ..profiles import excel
from ..profiles.cells import Cell
from ..profiles.packed import opened

HEAD = 262_144
WHOLE = 20_000_000
WORKBOOK = 50_000_000
LINES = 2000
"""So many lines or rows at most are looked at."""
WIDEST = 2000
"""So many columns."""
CELLS = 200_000
"""So many cells of a sheet: a hundred rows of the widest. They take ten times as much memory as in it."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_TELEGRAM = re.compile(r"^[^\n]*?(?<![0-9])[0-9]+\.[0-9]+\.[0-9]+(?:\*[0-9]+)?\([^()\n]*\)", re.MULTILINE)
_ENCODINGS = {
    "utf-8": "Its bytes are UTF-8.",
    "utf-16": "It begins with the mark of UTF-16.",
    "utf-16-le": "Every other byte is zero.",
    "utf-16-be": "Every other byte is zero.",
    "windows-1252": "Its bytes are no UTF-8; most other programs of Western Europe write Windows-1252.",
}


@dataclass(frozen=True)
class Sample:
    """The first part of a file. ``content`` is as much of it as a reader of its kind can read by itself."""

    kind: str
    why: str
    content: bytes
    file_name: str
    encoding: str = "utf-8"
    text: str = ""
    is_whole: bool = True
    workbook: excel.Looked | None = None

    @property
    def encoding_reason(self) -> str:
        """Why the encoding is taken to be this."""
        return _ENCODINGS[self.encoding]

    def lines(self, encoding: str | None = None) -> list[str]:
        """The first lines of text, without their ends."""
        text = self.text
        if encoding and encoding != self.encoding:
            text = self.content.decode(encoding, errors="replace").removeprefix("\ufeff")
        return list(islice((line.rstrip("\r\n") for line in _split(text)), LINES))

    def stream(self) -> BinaryIO:
        """The content, for a reader of its kind."""
        return self.workbook or BytesIO(self.content)

    def sheets(self) -> list[str]:
        """The names of a workbook's sheets."""
        return self.workbook.names if self.workbook else []

    def rows(self, name: str | None) -> Iterator[list[Cell]]:
        """The first rows of a sheet, one at a time: together they take more than it. Raises FileError."""
        return (row[:WIDEST] for row in islice(excel.rows_of_sheet(self.stream(), name), LINES))

    def sheet(self, name: str | None) -> list[list[Cell]]:
        """The same as a whole, of a wide sheet fewer. Raises FileError."""
        found: list[list[Cell]] = []
        room = CELLS
        for row in self.rows(name):
            if (room := room - len(row)) < 0:
                break
            found.append(row)
        return found

    def document(self) -> Any:
        """The JSON of the file. Raises FileError."""
        try:
            return json.loads(self.text, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise FileError("The file begins like JSON, but is none.") from error


def sample_of(file: BinaryIO, file_name: str) -> Sample:
    """Look at a file. Raises FileError for what cannot be read at all."""
    with opened(file) as found:
        name = file_name if found.name is None else found.name
        head = found.stream.read(HEAD)
        if not head.strip():
            raise FileError("The file is empty.")
        if head.startswith(_WORKBOOK):
            content = head + found.stream.read(WORKBOOK - len(head) + 1)
            if len(content) > WORKBOOK:
                raise FileError(
                    f"A workbook of more than {WORKBOOK:,} bytes is too large to be looked at here."
                )
            workbook = excel.Looked(content)
            return Sample("excel", "It is an Excel workbook.", content, name, workbook=workbook)
        encoding = _encoding_of(head)
        text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
        kind, why = _kind_of(text)
        is_whole = len(head) < HEAD
        if kind == "green_button":
            return _xml(head + found.stream.read(WHOLE - len(head) + 1), kind, why, name)
        if not is_whole:
            text = _closed(text) if kind == "json" else text[: text.rfind("\n") + 1] or text
        content = _encoded(text, encoding, head)
        return Sample(kind, why, content, name, encoding, text, is_whole)


def _xml(content: bytes, kind: str, why: str, name: str) -> Sample:
    return Sample(kind, why, content, name, is_whole=len(content) <= WHOLE)


def _encoding_of(head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    half = len(head) // 2 or 1
    if head[1::2].count(0) > half / 2:
        return "utf-16-le"
    if head[0::2].count(0) > half / 2:
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, len(head) < HEAD)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _encoded(text: str, encoding: str, head: bytes) -> bytes:
    return head if len(head) < HEAD else text.encode(encoding, errors="replace")


def _kind_of(text: str) -> tuple[str, str]:
    """The kind of a text file, and why."""
    start = text.lstrip()
    first = start.partition("\n")[0]
    if re.match(r"ZH[VDF]\||026\|[0-9]", first):
        return "d0010", "It begins like the flow D0010."
    if first.startswith("100,NEM12"):
        return "nem12", "It begins with 100,NEM12."
    if start.startswith("<") and "espi" in start[:100_000]:
        return "green_button", "It is XML of Green Button (ESPI)."
    if start.startswith("<"):
        raise FileError("This is XML or a page of the web, and not of Green Button: no profile reads it.")
    if start[:1] in ("{", "["):
        return "json", "It begins like JSON."
    if ("1.8.0" in start or "0.9." in start) and len(_TELEGRAM.findall(start[:20_000])) >= 2:
        return "iec62056", "It has registers such as 1.8.0(…), as read-outs by IEC 62056-21 have."
    return "delimited", "It is text."


def _split(text: str) -> Iterator[str]:
    start = 0
    for end in re.finditer(r"\r\n|\n|\r", text):
        yield text[start : end.end()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def _closed(text: str) -> str:
    """The beginning of a JSON document, cut off behind its last whole item, and closed."""
    stack: list[str] = []
    end = depth = 0
    in_string = is_escaped = False
    for at, sign in enumerate(text):
        if in_string:
            in_string = is_escaped or sign != '"'
            is_escaped = sign == "\\" and not is_escaped
        elif sign == '"':
            in_string = True
        elif sign in "{[":
            stack.append("}" if sign == "{" else "]")
        elif sign in "}]" and stack:
            stack.pop()
            end, depth = at + 1, len(stack)
    return text[:end] + "".join(reversed(stack[:depth]))  # behind the last item things were only opened
