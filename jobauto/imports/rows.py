"""Rows with their line numbers, from a CSV file or a JSON list. What cannot be a row is named, never lost."""

import csv
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, compress, count, islice
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple

from .header import NAMED, Header, Wanted, named, read_header
from .left_out import LeftOut
from .lines import SPACES, FileError, physical_lines, some_of, trimmed

BATCH = 25_000
"""So many lines are read and checked at a time, unless whoever stores them wants others."""
MOST_VALUES = 1_000_000
"""Of a list in JSON, which are all in memory at once: 10 MB of the shortest rows have fewer."""
_BEFORE_A_VALUE = (b",", b"[", b"{")


class Row(NamedTuple):
    """The trimmed texts of a row, in the order of the table's columns; None where a file lacks a column."""

    line: int
    values: list[str | None]


class Rejected(NamedTuple):
    """A row that was not taken, and why."""

    line: int
    reason: str


class Block(NamedTuple):
    """Rows side by side: their line numbers, and each column's texts, not trimmed; None where it lacks.

    The lines among them that are no rows are set aside with their reasons.
    """

    lines: Sequence[int]
    columns: Sequence[Sequence[str | None]]
    rejected: list[Rejected]

    def rows(self) -> list[Row | Rejected]:
        """The same one by one, in the order of the lines."""
        texts = zip(*([trimmed(text) for text in column] for column in self.columns), strict=True)
        rows = [Row(line, list(values)) for line, values in zip(self.lines, texts, strict=True)]
        return sorted([*rows, *self.rejected], key=itemgetter(0))


class Source(Iterator[Row | Rejected]):
    """Rows in their order, and the columns of theirs that nobody takes: those that were met so far."""

    ignored_columns: list[str]
    measure: str | None = None
    """What all its values are, where that is known: ``register`` or ``interval``."""
    given_source: str | None = None
    """The source that it gives to those of its sites that have none."""
    left_out: LeftOut | None = None
    """What is left out of it, as far as it was read."""


class Rows(Source):
    """The rows of a file in their order: one by one, or a block at a time, which is much faster."""

    def __init__(self, blocks: Callable[[int], Iterator[Block]], ignored_columns: list[str]) -> None:
        self.blocks = blocks
        self.ignored_columns = ignored_columns
        self._rows = chain.from_iterable(block.rows() for block in blocks(BATCH))

    def __next__(self) -> Row | Rejected:
        return next(self._rows)


def in_blocks(rows: Iterable[Row | Rejected], size: int) -> Iterator[Block]:
    """Rows from anywhere, a block of at most so many at a time."""
    if isinstance(rows, Rows):
        yield from rows.blocks(size)
        return
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        good = [row for row in batch if isinstance(row, Row)]
        rejected = [row for row in batch if isinstance(row, Rejected)]
        yield Block(
            [row.line for row in good], list(zip(*(row.values for row in good), strict=True)), rejected
        )


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


def records_of(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each line's number and fields, or None where it is not CSV. A record never spans lines."""
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    for number in count(1):
        source.taken.clear()
        try:
            fields: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = None
        if len(source.taken) > 1:
            source.give_back()
            fields = None
        yield number, fields


def _is_blank(fields: list[str]) -> bool:
    return not fields or (len(fields) == 1 and not fields[0].strip(SPACES))


def from_csv(
    stream: BinaryIO,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    refused: Sequence[str] = (),
    ignore: Collection[str] = (),
) -> Rows:
    """The rows of a CSV file: UTF-8 with or without BOM, a header, columns in any order.

    Commas stand between fields, or what the header has between its names (see :mod:`.header`). A blank cell
    of an ``optional`` column says nothing. A ``refused`` column refuses the file, unless it is one to
    ``ignore``. Bytes that are not UTF-8 spoil their own line only. Raises FileError.
    """
    lines = physical_lines(stream)
    header = read_header(lines, Wanted(required, optional, refused), ignore)
    return Rows(partial(blocks_below, lines, header, len(required)), header.ignored)


def blocks_below(lines: Iterator[str], header: Header, required: int, size: int) -> Iterator[Block]:
    """The rows of the lines below a header, of which so many columns are required, as columns."""
    number = header.line + 1
    taken = [some_of(lines, size)]
    while taken[0]:
        following = number + len(taken[0])
        # Nothing here holds on to a block, whose texts would be in memory while its rows are stored.
        yield _block(header, required, number, taken.pop())
        number = following
        taken.append(some_of(lines, size))


def _block(header: Header, required: int, first: int, lines: list[str]) -> Block:
    numbers: Sequence[int] = range(first, first + len(lines))
    rejected: list[Rejected] = []
    found = _split(lines, header)
    if found is None:
        numbers, lines = _without_blank(numbers, lines, header.delimiter)
        numbers, lines, rejected = _without_miscounted(numbers, lines, header)
        found = _split(lines, header) or _plain(lines, header)
    if found is None:
        numbers, records, others = set_aside(numbers, lines, header.names, header.delimiter)
        rejected = sorted([*rejected, *others]) if others else rejected
        found = list(zip(*records, strict=True)) or [()] * len(header.names)
    nothing = [None] * len(numbers)
    columns = [nothing if at is None else found[at] for at in header.places]
    said = (column if column is nothing else _said(column) for column in columns[required:])
    return Block(numbers, [*columns[:required], *said], rejected)


def _said(column: Sequence[str | None]) -> Sequence[str | None]:
    return [text if trimmed(text) else None for text in column]


def _without_blank(
    numbers: Sequence[int], lines: list[str], delimiter: str
) -> tuple[Sequence[int], list[str]]:
    """The lines that hold anything, with their numbers: millions of others cost next to nothing."""
    nothing = SPACES.replace(delimiter, "") + "\r\n"
    filled = [bool(line.strip(nothing)) for line in lines]
    return list(compress(numbers, filled)), list(compress(lines, filled))


def _without_miscounted(
    numbers: Sequence[int], lines: list[str], header: Header
) -> tuple[Sequence[int], list[str], list[Rejected]]:
    """The lines but for those that are no rows as their delimiters tell; these with their reasons.

    A million of them cost a tenth of what the csv reader takes to say the same.
    """
    delimiter, delimiters = header.delimiter, len(header.names) - 1
    if delimiter == " ":  # the csv reader skips those that follow one
        return numbers, lines, []
    longest = csv.field_size_limit()
    counts = [line.count(delimiter) for line in lines]
    may_be = [
        count == delimiters or '"' in line or len(line) > longest
        for count, line in zip(counts, lines, strict=True)
    ]
    if all(may_be):
        return numbers, lines, []
    why = {count: _miscounted(count + 1, header.names) for count in set(counts)}
    each = zip(numbers, counts, may_be, strict=True)
    rejected = [Rejected(number, why[count]) for number, count, is_kept in each if not is_kept]
    return list(compress(numbers, may_be)), list(compress(lines, may_be)), rejected


def _miscounted(fields: int, header: Sequence[str]) -> str:
    return f"{fields} fields, but the header has {len(header)}"


def _split(lines: list[str], header: Header) -> Sequence[Sequence[str]] | None:
    """The columns of lines without any quote, a row each; None if there is anything else.

    For one list of all fields, Python needs a third of the time of the csv reader's list for each line.
    """
    if not lines:
        return None
    names, delimiter = header.names, header.delimiter
    text = "".join(lines).replace("\r\n", "\n")
    if '"' in text or "\r" in text or max(map(len, lines)) > csv.field_size_limit():
        return None
    fields = text.removesuffix("\n").replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    each = len(names) + 1
    line_ends = fields[len(names) :: each]
    if len(fields) != each * len(lines) - 1 or line_ends.count("\n") != len(lines) - 1:
        return None
    columns = [fields[at::each] for at in range(len(names))]
    return None if names[0] in columns[0] else columns


def _plain(lines: list[str], header: Header) -> Sequence[Sequence[str]] | None:
    """The columns of lines that are a row each, as nearly all are; None if there is anything else."""
    try:
        records = list(csv.reader(lines, delimiter=header.delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    if len(records) != len(lines) or set(map(len, records)) != {len(header.names)}:
        return None
    columns = list(zip(*records, strict=True))
    return None if header.names[0] in columns[0] else columns


def set_aside(
    of: Sequence[int], lines: list[str], header: list[str], delimiter: str = ","
) -> tuple[list[int], list[list[str]], list[Rejected]]:
    """The numbers (out of those ``of`` the lines) and fields of rows, and the others with their reasons."""
    numbers, records, rejected = [], [], []
    for number, (_, fields) in zip(of, records_of(lines, delimiter), strict=True):
        why = _why_no_row(fields, header)
        if why:
            rejected.append(Rejected(number, why))
        elif fields and len(fields) == len(header):
            numbers.append(number)
            records.append(fields)
    return numbers, records, rejected


def _why_no_row(fields: list[str] | None, header: list[str]) -> str | None:
    if fields is None:
        return "not CSV: a quoted field must end on its line, and a comma must follow it"
    if fields[:1] == header[:1] and [field.strip(SPACES) for field in fields] == header:
        return "the header again"
    if len(fields) == len(header) or _is_blank(fields):
        return None
    return _miscounted(len(fields), header)


def from_json(body: bytes, required: Sequence[str], optional: Sequence[str] = ()) -> Source:
    """The rows of a JSON list of objects, or of one object; the first is line 1.

    Numbers are taken as they were written, never through a float. Raises FileError.
    """
    if sum(map(body.count, _BEFORE_A_VALUE)) > MOST_VALUES:
        raise FileError(f"The body has more than {MOST_VALUES:,} values. Send it in several parts.")
    try:
        document = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise FileError("The body is not JSON.") from error
    items = [document] if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise FileError("The body must be a JSON list of objects.")
    return _JsonRows(items, Wanted(required, optional))


class _JsonRows(Source):
    def __init__(self, items: list[Any], wanted: Wanted) -> None:
        self.ignored_columns = []
        self._items = enumerate(items, start=1)
        self._wanted = wanted

    def __next__(self) -> Row | Rejected:
        line, item = next(self._items)
        if not isinstance(item, dict):
            return Rejected(line, "not an object")
        self._name_unknown(item)
        if missing := [name for name in self._wanted.required if name not in item]:
            return Rejected(line, f"missing: {', '.join(missing)}")
        values = [item.get(name, _ABSENT) for name in self._wanted.columns]
        if any(isinstance(value, list | dict) for value in values):
            return Rejected(line, "a field is not text or a number")
        return Row(line, [_as_text(value) for value in values])

    def _name_unknown(self, item: Mapping[str, Any]) -> None:
        if len(self.ignored_columns) == NAMED:
            return  # each object may have a name of its own
        known = (*self._wanted.columns, *self.ignored_columns)
        if unknown := [name for name in item if name not in known]:
            self.ignored_columns = named([*self.ignored_columns, *unknown])


_ABSENT = object()


def _as_text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip(SPACES)
