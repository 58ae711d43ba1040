"""JSON: a list somewhere in the document, of objects, or of lists whose columns are numbered."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, BinaryIO

from ..lines import FileError
from ..rows import Rejected
from .cells import Cell, Cells, Lacking, Table
from .document import Column, Profile

LARGEST = 50_000_000
"""Bytes of a document, which is read as a whole, and takes up to ten times that in memory."""
MOST_VALUES = 1_500_000
"""Commas and opening brackets of one: a value takes up to 300 bytes of memory, and two in the file."""
MOST_NAMES = 100_000
"""Different keys: one takes 100 bytes of memory and more, and the same again nothing."""


class _NoRow(Exception):
    """An item of the list that is no row; says why."""


def table_of(stream: BinaryIO, profile: Profile) -> Table:
    """The table of a document. Its rows are numbered from 1. Raises FileError."""
    items = items_at(_document(stream, profile.file.encoding), profile.file.path)
    names = _names(items, profile)
    return Table(names, partial(_blocks, items, names))


def _document(stream: BinaryIO, encoding: str) -> Any:
    body = stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise FileError(f"A JSON file may have at most {LARGEST:,} bytes.")
    if not body.strip():
        raise FileError("The file is empty.")
    try:
        text = body.decode(encoding).removeprefix("\ufeff")
        del body  # both need not be held while what they say is made
        if sum(map(text.count, ",[{")) > MOST_VALUES:
            raise FileError(f"The JSON has more than {MOST_VALUES:,} values. Send it in several parts.")
        made = _Objects()
        return json.loads(
            text, object_pairs_hook=made.of, parse_float=Decimal, parse_int=Decimal, parse_constant=str
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise FileError("The file is not JSON.") from error


class _Objects:
    """Makes the objects of a document, which together have no more than so many different keys."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object. Raises FileError."""
        if len(pairs) <= MOST_NAMES:
            made = dict(pairs)
            self._names.update(made)
            if len(self._names) <= MOST_NAMES:
                return made
        raise FileError(f"The JSON has more than {MOST_NAMES:,} different keys.")


def items_at(document: Any, path: str | None) -> list[Any]:
    """The items of the list at a path, or of the lists. Raises FileError."""
    found = [document]
    for step in path.split(".") if path else ():
        found = [inner for outer in found for inner in _step(outer, step)]
    if path and not found:
        raise FileError(f"The document has nothing at {path}.")
    rows: list[Any] = []
    for each in found:
        rows += each if isinstance(each, list) else [each]
    return rows


def _step(outer: Any, step: str) -> list[Any]:
    """What stands at one step of a path; of a list, in each of its items, or in the one with that number."""
    found: list[Any] = []
    remaining = [outer]
    while remaining:  # and no function that calls itself: lists may stand in one another as deep as JSON may
        each = remaining.pop()
        if isinstance(each, dict):
            found += [each[step]] if step in each else []
        elif isinstance(each, list) and step.isdecimal():
            found += each[int(step) : int(step) + 1]
        elif isinstance(each, list):
            remaining += reversed(each)
    return found


def _names(items: list[Any], profile: Profile) -> list[str]:
    """The keys of all objects in their order; for lists, as many columns without a name as the longest.

    A key that some objects lack is an empty cell of theirs; ``a.b`` is b in a. Raises FileError for one that
    all lack.
    """
    objects = [item for item in items if isinstance(item, dict)]
    names = dict.fromkeys(name for item in objects for name in item)
    if not names:
        return [""] * max((len(item) for item in items if isinstance(item, list)), default=0)
    if name := _nowhere(objects, [name for name in _needed(profile) if name not in names]):
        raise FileError(f"No object has {name}. They have: {', '.join(list(names)[:20])}.")
    asked = [*_needed(profile), *(condition.column for _, condition in profile.conditions)]
    return list(names | dict.fromkeys(column for column in asked if isinstance(column, str)))


def _needed(profile: Profile) -> list[Column]:
    """The columns without which nothing can be read."""
    site = [] if profile.site.column is None else [profile.site.column]
    zone = [] if profile.time.zone_column is None else [profile.time.zone_column]
    return [*site, *zone, *profile.time.columns, *profile.value.columns]


def _nowhere(objects: list[Any], columns: Sequence[Column]) -> str | None:
    """The first of these names that is no key and leads nowhere inside any object.

    Raises FileError where looking on would take too long.
    """
    sought = [name for name in dict.fromkeys(columns) if isinstance(name, str)]
    lacking = Lacking()
    for item in objects:
        if not sought:
            return None
        sought = [name for name in sought if _inside(item, name) is None]
        lacking.add(len(sought))
    return next(iter(sought), None)


def _blocks(items: list[Any], names: list[str], wanted: Sequence[int], size: int) -> Iterator[Cells]:
    lacking = Lacking()
    for start in range(0, len(items), size):
        lines: list[int] = []
        rows: list[list[Cell]] = []
        rejected: list[Rejected] = []
        for line, item in enumerate(items[start : start + size], start=start + 1):
            try:
                rows.append([_cell(item, names[at], at) for at in wanted])
                lines.append(line)
                lacking.add(rows[-1].count(None))
            except _NoRow as error:
                rejected.append(Rejected(line, str(error)))
        yield Cells(lines, list(zip(*rows, strict=True)) or [()] * len(wanted), rejected)


def _cell(item: Any, name: str, at: int) -> Cell:
    if isinstance(item, dict):
        value = item[name] if name in item else _inside(item, name)
    elif isinstance(item, list):
        value = item[at] if at < len(item) else None
    else:
        raise _NoRow("not an object")
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | Decimal):
        return value
    raise _NoRow("a field is not text or a number")


def _inside(item: Any, name: str) -> Any:
    for step in name.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return item
