"""Rows with their line numbers, from a CSV file or a JSON list. What cannot be a row is named, never lost."""

import csv
import io
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

SPACES = " \t"


class FileError(Exception):
    """The file as a whole cannot be imported; nothing was."""


class Row(NamedTuple):
    """The trimmed texts of a row, in the order of the table's columns; None where a file lacks a column."""

    line: int
    values: list[str | None]


class Rejected(NamedTuple):
    """A row that was not taken, and why."""

    line: int
    reason: str


class _Lines:
    """Physical lines for the csv reader, remembering which of them it took for one record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Read the lines after the record's first one again: a quote was left open and ran on into them."""
        self._again.extendleft(reversed(self.taken[1:]))


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Each line's number and fields, or None where it is not CSV. A record never spans lines."""
    source = _Lines(lines)
    reader = csv.reader(source, strict=True, skipinitialspace=True)
    number = 0
    while True:
        source.taken.clear()
        try:
            fields: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = None
        number += 1
        if len(source.taken) > 1:
            source.give_back()
            fields = None
        yield number, fields


def _is_blank(fields: list[str]) -> bool:
    return not fields or (len(fields) == 1 and not fields[0].strip(SPACES))


def _header(
    records: Iterator[tuple[int, list[str] | None]], required: Sequence[str], optional: Sequence[str]
) -> list[str]:
    for _, fields in records:
        if fields is None or not _is_blank(fields):
            header = [name.strip(SPACES) for name in fields or []]
            if missing := [name for name in required if name not in header]:
                raise FileError(f"The first line must name the columns. Missing: {', '.join(missing)}.")
            if twice := [name for name in (*required, *optional) if header.count(name) > 1]:
                raise FileError(f"The first line names a column twice: {', '.join(twice)}.")
            return header
    raise FileError("The file is empty. Its first line must name the columns.")


def physical_lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a file as their numbers count them; bytes that are not UTF-8 are kept as surrogates."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from text
    finally:
        if not stream.closed:
            text.detach()  # the stream is its opener's to close


def from_csv(
    stream: BinaryIO, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[Row | Rejected]:
    """The rows of a CSV file: UTF-8 with or without BOM, commas, a header, columns in any order.

    Bytes that are not UTF-8 spoil their own line only. Raises FileError when the header is not right.
    """
    records = _records(physical_lines(stream))
    header = _header(records, required, optional)
    columns = [header.index(name) if name in header else None for name in (*required, *optional)]
    return _rows(records, header, columns)


def _rows(
    records: Iterator[tuple[int, list[str] | None]], header: list[str], columns: list[int | None]
) -> Iterator[Row | Rejected]:
    width = len(header)
    for line, fields in records:
        if fields is None:
            yield Rejected(line, "not CSV: a quoted field must end on its line, and a comma must follow it")
        elif fields[:1] == header[:1] and [field.strip(SPACES) for field in fields] == header:
            yield Rejected(line, "the header again")
        elif len(fields) == width:
            yield Row(line, [None if at is None else fields[at].strip(SPACES) for at in columns])
        elif not _is_blank(fields):
            yield Rejected(line, f"{len(fields)} fields, but the header has {width}")


def from_json(body: bytes, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row | Rejected]:
    """The rows of a JSON list of objects, or of one object; the first is line 1.

    Numbers are taken as they were written, never through a float. Raises FileError.
    """
    try:
        document = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise FileError("The body is not JSON.") from error
    items = [document] if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise FileError("The body must be a JSON list of objects.")
    return (_json_row(line, item, required, optional) for line, item in enumerate(items, start=1))


def _json_row(line: int, item: Any, required: Collection[str], optional: Collection[str]) -> Row | Rejected:
    if not isinstance(item, dict):
        return Rejected(line, "not an object")
    if missing := [name for name in required if name not in item]:
        return Rejected(line, f"missing: {', '.join(missing)}")
    values = [item.get(name, _ABSENT) for name in (*required, *optional)]
    if any(isinstance(value, list | dict) for value in values):
        return Rejected(line, "a field is not text or a number")
    return Row(line, [_as_text(value) for value in values])


_ABSENT = object()


def _as_text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip(SPACES)
