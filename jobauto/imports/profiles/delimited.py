"""Text files with a sign between the fields: lines above the header, comments, no header at all."""

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import BinaryIO

from ..header import Header as HeaderLine
from ..header import is_blank, is_separator_line, what_bytes_are
from ..lines import SPACES, FileError, physical_lines, some_of, to_bytes
from ..rows import Rejected, blocks_below, records_of
from .cells import Cells, Lacking, Table
from .document import Profile

NOT_CSV = "not CSV: a quoted field must end on its line, and a delimiter must follow it"
EMPTY = "The file is empty."
KEPT_ABOVE = 50
_MARK = "\ufeff"
_UTF_8 = ("utf-8", "utf8", "utf_8")


def table_of(stream: BinaryIO, profile: Profile) -> Table:
    """The table of a file. Raises FileError where it is not such a file."""
    lines = lines_of(stream, profile)
    header = profile.heading
    if header.names is not None:
        first = list(islice(lines, 1))
        if not first:
            raise FileError(EMPTY)
        skipped = ["\n"] if is_separator_line(first[0]) else first
        every = chain(skipped, lines)
        return Table(header.names, partial(_nameless, every, profile.file.delimiter))
    number, names = _find(lines, header.find or [], profile.file.delimiter)
    number += _skip(lines, header.units_rows)
    return Table(names, partial(_below, lines, number, names, profile.file.delimiter))


def lines_of(stream: BinaryIO, profile: Profile) -> Iterator[str]:
    """The lines of a file, of which comments are as good as blank: so the others keep their numbers.

    Raises FileError.
    """
    encoding, comment = profile.file.encoding.lower(), profile.file.comment
    try:
        lines = physical_lines(stream, "utf-8-sig" if encoding in _UTF_8 else encoding)
        every = chain((line.removeprefix(_MARK) for line in islice(lines, 1)), lines)
        yield from every if comment is None else _without_comments(every, comment)
    except UnicodeError as error:
        raise FileError(f"The file is not in the encoding {encoding}, as the profile says.") from error


def _without_comments(lines: Iterable[str], comment: str) -> Iterator[str]:
    return ("\n" if line.startswith(comment) else line for line in lines)


def _find(lines: Iterator[str], wanted: Sequence[str], delimiter: str) -> tuple[int, list[str]]:
    """The first row that holds all these cells: its line and cells."""
    above: list[str] = []
    sought = set(wanted)
    for number, line in enumerate(lines, start=1):
        names = fields_of(line, delimiter)
        if sought <= set(names):
            return number, names
        if len(above) < KEPT_ABOVE:
            above.append(line)
    if not above or all(map(is_blank, above)):
        raise FileError(EMPTY)
    what = what_bytes_are(b"".join(map(to_bytes, above)))
    raise FileError(f"No row holds all of: {', '.join(wanted)}.{f' {what}' if what else ''}")


def fields_of(line: str, delimiter: str) -> list[str]:
    """The fields of a line that names columns, trimmed; none where it is not CSV."""
    try:
        (fields,) = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
    except (csv.Error, ValueError):
        return []
    return [field.strip(SPACES) for field in fields]


def _skip(lines: Iterator[str], rows: int) -> int:
    """Leave out so many rows; returns how many lines they took."""
    taken = 0
    for line in lines if rows else ():
        taken += 1
        rows -= not is_blank(line)
        if not rows:
            break
    return taken


def _below(
    lines: Iterator[str], number: int, names: list[str], delimiter: str, wanted: Sequence[int], size: int
) -> Iterator[Cells]:
    header = HeaderLine(number, names, delimiter, list(wanted), [])
    for block in blocks_below(lines, header, len(wanted), size):
        yield Cells(*block)


def _nameless(lines: Iterator[str], delimiter: str, wanted: Sequence[int], size: int) -> Iterator[Cells]:
    """Rows of any number of fields, of which only the wanted ones are held; what a row lacks is empty."""
    lacking = Lacking()
    width, above = wanted[-1] + 1, 0
    while taken := some_of(lines, size):
        numbers: list[int] = []
        records: list[list[str]] = []
        rejected: list[Rejected] = []
        for number, fields in records_of(taken, delimiter):
            if fields is None:
                rejected.append(Rejected(above + number, NOT_CSV))
            elif len(fields) > 1 or (fields and fields[0].strip(SPACES)):
                numbers.append(above + number)
                if len(fields) < width:
                    lacking.add(len(wanted) - bisect_left(wanted, len(fields)))
                    fields.extend([""] * (width - len(fields)))
                records.append([fields[at] for at in wanted])
        yield Cells(numbers, list(zip(*records, strict=True)) or [()] * len(wanted), rejected)
        above += len(taken)
