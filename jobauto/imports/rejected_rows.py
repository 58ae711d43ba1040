"""The rejected rows of an import as a file: to be fixed, and imported again."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from .header import is_blank, is_separator_line
from .lines import physical_lines, to_bytes
from .profiles.delimited import fields_of, lines_of
from .profiles.document import Header, Profile
from .profiles.packed import opened
from .uploads import rejects

AT_ONCE = 8_000
"""So many bytes, about, are read at once of each run of rejected rows."""


def rejected_rows(path: Path) -> Iterator[bytes]:
    """The header and the rejected lines of a kept file, byte for byte as they came."""
    rejected = groupby(_in_order(path), itemgetter(0))
    wanted, _ = next(rejected, (0, None))
    with path.open("rb") as file:
        in_header = True
        for number, line in enumerate(physical_lines(file), start=1):
            if in_header and not is_blank(line):
                in_header = is_separator_line(line)
                yield _bytes(line)
            elif number == wanted:
                yield _bytes(line)
                wanted, _ = next(rejected, (0, None))


def with_reasons(path: Path, profile: Profile) -> Iterator[bytes]:
    """The rejected rows of a kept file with a column ``why``, such that the profile can read them again.

    They are in the encoding of :func:`encoding_of`. Of a file whose rows are no lines, such as a workbook,
    there is the number of the row instead.
    """
    delimiter, encoding = profile.file.delimiter, encoding_of(profile)
    by_row = groupby(_in_order(path), itemgetter(0))
    reasons = ((number, "; ".join(why for _, why in group)) for number, group in by_row)
    if profile.file.kind != "delimited":
        yield from _encoded([["row", "why"]], ",", encoding)
        yield from _encoded(([str(number), why] for number, why in reasons), ",", encoding)
        return
    with path.open("rb") as file, opened(file) as found:
        lines = enumerate(lines_of(found.stream, profile), start=1)
        yield from _encoded(_beside(lines, reasons, profile), delimiter, encoding)


def encoding_of(profile: Profile | None) -> str:
    """The encoding in which rejected rows are given."""
    return profile.file.encoding if profile and profile.file.kind == "delimited" else "utf-8"


def _beside(
    lines: Iterator[tuple[int, str]], reasons: Iterator[tuple[int, str]], profile: Profile
) -> Iterator[list[str]]:
    delimiter, heading = profile.file.delimiter, profile.heading
    if heading.find:
        yield from _heading(lines, heading, delimiter)
    columns = len(heading.names or ())
    number, why = next(reasons, (0, ""))
    for place, line in lines:
        if place == number:
            cells = _cells(line, delimiter)
            yield [*cells, *[""] * (columns - len(cells)), why]
            number, why = next(reasons, (0, ""))
        if not number:
            return


def _heading(lines: Iterator[tuple[int, str]], heading: Header, delimiter: str) -> Iterator[list[str]]:
    """The row that names the columns, and those below it that are skipped."""
    rows = (fields_of(line, delimiter) for _, line in lines)
    header = next(fields for fields in rows if set(heading.find or ()) <= set(fields))
    yield [*header, "why"]
    below = (line for _, line in lines if not is_blank(line))
    yield from ([*_cells(line, delimiter), ""] for line in islice(below, heading.units_rows))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter != " "), [])
    except csv.Error:  # it was rejected for that: a field is longer than any may be
        return line.rstrip("\r\n").split(delimiter)


def _encoded(rows: Iterable[list[str]], delimiter: str, encoding: str) -> Iterator[bytes]:
    encoder = codecs.getincrementalencoder(encoding)("surrogateescape")
    for row in rows:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(row)
        yield encoder.encode(_writable(text.getvalue(), encoding))


def _writable(text: str, encoding: str) -> str:
    """A text, with a question mark for each sign that an encoding has not; a reason may have such."""
    try:
        text.encode(encoding, "surrogateescape")
    except UnicodeError:
        return text.encode(encoding, "replace").decode(encoding)
    return text


def _in_order(path: Path) -> Iterator[tuple[int, str]]:
    """The rejected rows by their numbers.

    They were written batch by batch, each in order; but a row that a later one contradicts was rejected with
    that one. So there are runs that rise, which are merged as they are read: they may be very many rows.
    """
    with rejects(path).open("rb") as file:
        runs = [_rows_between(file, start, end) for start, end in _runs(file)]
        yield from merge(*runs, key=itemgetter(0))


def _runs(file: BinaryIO) -> list[tuple[int, int]]:
    """Where each run begins and ends in the file: within it no number is lower than the one before."""
    starts, at, before = [0], 0, 0
    for line in file:
        number, _ = _number_and_reason(line)
        if number < before:
            starts.append(at)
        at, before = at + len(line), number
    return [*zip(starts, [*starts[1:], at], strict=True)]


def _rows_between(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, str]]:
    at = start
    while at < end:
        file.seek(at)
        for line in file.readlines(min(end - at, AT_ONCE) - 1):  # whole lines, until they are more than that
            at += len(line)
            yield _number_and_reason(line)


def _number_and_reason(line: bytes) -> tuple[int, str]:
    number, _, why = line.decode().rstrip("\n").partition("\t")
    return int(number), why


def _bytes(line: str) -> bytes:
    ended = line if line.endswith(("\n", "\r")) else f"{line}\n"
    return to_bytes(ended)
