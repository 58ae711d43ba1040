"""The header of a CSV file: which column is which, and what a file is that has none.

1. Skip blank lines, and a line ``sep=;`` as spreadsheets write it.
2. Take the next line for the header, by the first of the delimiters with which it names all that is required.
   An exact name wins; else one that differs in case, spaces, ``_`` or ``-`` only.
3. Where there is no such line, say what the file is instead, and what to do.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .lines import SPACES, FileError, to_bytes

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
NAMED = 50
LONGEST = 60
"""So many columns are named that nobody takes, and so much of each name."""
SAID = 10
"""So many names of a header that is not ours are said."""
LOOKED_AT = 50
"""So many lines are searched for a header below titles."""

_JOINTS = re.compile(r"[\s_-]")
_SEPARATOR_LINE = re.compile(r'"?sep=.?"?\s*', re.IGNORECASE)
_DATUM = re.compile(r"[0-9]+([./:-][0-9]+)*([T ][0-9:.+-]*Z?)?")
_ANOTHER_FEED = "A file of another feed needs its profile. The page Profiles makes one from the file."
_EMPTY = "The file is empty. Its first line must name the columns."
_WORKBOOK = (
    "This is an Excel workbook. A profile reads it as it is; "
    "or save it as “CSV UTF-8 (comma delimited)”, and send that file."
)
_SIGNATURES = (
    (b"\x1f\x8b", "This is a gzip archive. Unpack it, and send the CSV file that is in it."),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\xff\xfe", "The file is in UTF-16. Save it as CSV in UTF-8, and send that file."),
    (b"\xfe\xff", "The file is in UTF-16. Save it as CSV in UTF-8, and send that file."),
    (b"%PDF", "This is a PDF document. Export the data as CSV in UTF-8, and send that file."),
)


@dataclass(frozen=True)
class Wanted:
    """The columns that a table takes, and those whose mere presence refuses a file of it."""

    required: Sequence[str]
    optional: Sequence[str] = ()
    refused: Sequence[str] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are taken, in the order of the table."""
        return (*self.required, *self.optional)


@dataclass(frozen=True)
class Header:
    """A header: its line and names, what stands between them, the wanted columns' places, the others."""

    line: int
    names: list[str]
    delimiter: str
    places: list[int | None]
    ignored: list[str]


def is_separator_line(line: str) -> bool:
    """Whether a line tells a spreadsheet what stands between the fields: ``sep=;``."""
    return _SEPARATOR_LINE.fullmatch(line) is not None


def is_blank(line: str) -> bool:
    """Whether a line holds no field at all."""
    return not line.strip(f"{SPACES}\r\n")


def read_header(lines: Iterator[str], wanted: Wanted, ignore: Collection[str] = ()) -> Header:
    """Read the lines up to the header, and it; columns to ``ignore`` count as unknown. Raises FileError."""
    above: list[str] = []
    for line in lines:
        above.append(line)
        if is_blank(line) or is_separator_line(line):
            continue
        delimiter = _delimiter_of(line, wanted)
        if delimiter is None:
            raise FileError(_what_it_is([*above, *islice(lines, LOOKED_AT)], len(above), [wanted]))
        return _header(len(above), _names(line, delimiter), delimiter, wanted, ignore)
    raise FileError(_EMPTY)


def tables_named(lines: Iterator[str], tables: Mapping[str, Wanted]) -> list[str]:
    """Those of several tables of which the first line that holds anything names all that is required.

    Raises FileError where it is none of them.
    """
    above: list[str] = []
    for line in lines:
        above.append(line)
        if is_blank(line) or is_separator_line(line):
            continue
        if named := [name for name, wanted in tables.items() if _delimiter_of(line, wanted)]:
            return named
        every = [*above, *islice(lines, LOOKED_AT)]
        raise FileError(_what_it_is(every, len(above), list(tables.values())))
    raise FileError(_EMPTY)


def _header(line: int, names: list[str], delimiter: str, wanted: Wanted, ignore: Collection[str]) -> Header:
    left_out = set(map(plain, ignore))
    offered = [None if plain(name) in left_out else name for name in names]
    places = [_place_of(column, offered) for column in wanted.columns]
    if missing := [column for column, at in zip(wanted.required, places, strict=False) if at is None]:
        raise FileError(_missing(missing))
    unknown = named(name for at, name in enumerate(names) if at not in places and name)
    refused = set(map(plain, wanted.refused)) - left_out
    for name in unknown:
        if plain(name) in refused:
            raise FileError(
                f"The file has a column {name}: its values may not be what they seem. A profile says how to "
                f"read such a file. To take it without that column: --ignore-column {name}, in the API "
                f"&ignore_column={name}, on the page “Columns to ignore”."
            )
    return Header(line, names, delimiter, places, unknown)


def plain(name: str) -> str:
    """A column's name without what does not matter in it."""
    return _JOINTS.sub("", name).casefold()


def named(columns: Iterable[str]) -> list[str]:
    """Columns as they can be told of: each once, the first ones, in characters that can be shown."""
    shown = ("".join(sign if sign.isprintable() else "?" for sign in name[:LONGEST]) for name in columns)
    return list(islice(dict.fromkeys(shown), NAMED))


def _place_of(column: str, names: Sequence[str | None]) -> int | None:
    exact = [at for at, name in enumerate(names) if name == column]
    if len(exact) > 1:
        raise FileError(f"The first line names a column twice: {column}.")
    alike = exact or [at for at, name in enumerate(names) if name and plain(name) == plain(column)]
    if len(alike) > 1:
        found = ", ".join(str(names[at]) for at in alike)
        raise FileError(f"More than one column could be {column}: {found}. Rename or remove the others.")
    return alike[0] if alike else None


def _names(line: str, delimiter: str) -> list[str]:
    try:
        (fields,) = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        return []
    return [field.strip(SPACES) for field in fields]


def _delimiter_of(line: str, wanted: Wanted) -> str | None:
    required = set(map(plain, wanted.required))
    return next((one for one in DELIMITERS if required <= set(map(plain, _names(line, one)))), None)


def _what_it_is(lines: Sequence[str], first: int, tables: Sequence[Wanted]) -> str:
    """Why a file cannot be imported as one of these tables, by its first lines.

    ``first`` is the first that holds anything.
    """
    if by_its_bytes := what_bytes_are(b"".join(map(to_bytes, lines))):
        return by_its_bytes
    for number, line in enumerate(lines, start=1):
        if any(_delimiter_of(line, wanted) for wanted in tables):
            return (
                f"The header is in line {number}, below other lines. "
                "Remove what stands above it, and send the file again."
            )
    delimiter, names = max(
        ((one, _names(lines[first - 1], one)) for one in DELIMITERS), key=lambda found: len(found[1])
    )
    missing = _none_of(tables) if len(tables) > 1 else _missing(_lacking(names, tables[0]))
    if any(map(_DATUM.fullmatch, names)):
        lines_to_put = " or ".join(",".join(wanted.required) for wanted in tables)
        return f"{missing} The file has no header: put a first line {lines_to_put} above its rows."
    if len(names) == 1:
        return f"{missing} {_ANOTHER_FEED}"
    first_names = named(names)[:SAID]
    given = ", ".join([*first_names, *["others"] * (len(names) > SAID)])
    return f"{missing} It names {given}, separated by {DELIMITERS[delimiter]}. {_ANOTHER_FEED}"


def _lacking(names: Iterable[str], wanted: Wanted) -> list[str]:
    known = set(map(plain, names))
    return [column for column in wanted.required if plain(column) not in known]


def _none_of(tables: Iterable[Wanted]) -> str:
    every = " or of ".join(", ".join(wanted.required) for wanted in tables)
    return f"The first line must name the columns of {every}."


def _missing(columns: Iterable[str]) -> str:
    return f"The first line must name the columns. Missing: {', '.join(columns)}."


def what_bytes_are(head: bytes) -> str | None:
    if head.startswith(b"PK\x03\x04"):
        if b"[Content_Types].xml" in head or b"xl/" in head:
            return _WORKBOOK
        if b"opendocument.spreadsheet" in head:
            return "This is an OpenDocument spreadsheet. Save it as CSV in UTF-8, and send that file."
        return "This is a zip archive. Unpack it, and send the CSV file that is in it."
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            return sentence
    start = head[:200]
    if len(start) >= 8 and max(start[0::2].count(0), start[1::2].count(0)) > len(start) / 4:
        return _SIGNATURES[2][1]
    return None
