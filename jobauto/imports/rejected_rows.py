"""The rejected rows of an import as a file: to be fixed, and imported again."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from .header import is_blank, is_separator_line
from .lines import physical_lines, to_bytes
from .profiles.document import Profile
from .profiles.packed import opened
from .uploads import rejects


def rejected_rows(path: Path) -> Iterator[bytes]:
    """The header and the rejected lines of a kept file, byte for byte as they came."""
    with path.open("rb") as file, rejects(path).open() as numbers:
        wanted = _next(numbers)
        in_header = True
        for number, line in enumerate(physical_lines(file), start=1):
            if in_header and not is_blank(line):
                in_header = is_separator_line(line)
                yield _bytes(line)
            elif number == wanted:
                yield _bytes(line)
                wanted = _next(numbers)


def with_reasons(path: Path, profile: Profile | None) -> Iterator[bytes]:
    """The rejected rows of a kept file with a column ``why``, in UTF-8.

    Of a file whose rows are no lines, such as a workbook, there is the number of the row instead.
    """
    is_text = profile is None or profile.file.kind == "delimited"
    delimiter = profile.file.delimiter if profile else ","
    with path.open("rb") as file, rejects(path).open() as numbers:
        rejected = groupby((_number_and_reason(line) for line in numbers), lambda one: one[0])
        reasons = ((number, "; ".join(why for _, why in group)) for number, group in rejected)
        if not is_text:
            yield _row(["row", "why"], ",")
            yield from (_row([str(number), why], ",") for number, why in reasons)
            return
        with opened(file) as found:
            encoding = profile.file.encoding if profile else "utf-8"
            lines = physical_lines(found.stream, "utf-8-sig" if encoding.lower() == "utf-8" else encoding)
            yield from _beside(lines, reasons, _wanted(profile), delimiter)


def _beside(
    lines: Iterable[str], reasons: Iterator[tuple[int, str]], header: frozenset[str] | None, delimiter: str
) -> Iterator[bytes]:
    is_header_next = header is not None
    number, why = next(reasons, (0, ""))
    for place, line in enumerate(lines, start=1):
        if not number:
            return
        if is_header_next and not is_blank(line) and not is_separator_line(line):
            cells = _cells(line, delimiter)
            if header is not None and header <= {cell.strip() for cell in cells}:
                is_header_next = False
                yield _row([*cells, "why"], delimiter)
        elif place == number:
            yield _row([*_cells(line, delimiter), why], delimiter)
            number, why = next(reasons, (0, ""))


def _wanted(profile: Profile | None) -> frozenset[str] | None:
    """The cells of the row that is the header: any, of a file of our own; None where there is no header."""
    if profile is None:
        return frozenset()
    return frozenset(profile.header.find) if profile.header and profile.header.find else None


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _row(cells: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return text.getvalue().encode(errors="surrogateescape")


def _number_and_reason(line: str) -> tuple[int, str]:
    number, _, why = line.rstrip("\n").partition("\t")
    return int(number), why


def _next(numbers: Iterator[str]) -> int | None:
    line = next(numbers, None)
    return int(line.partition("\t")[0]) if line else None


def _bytes(line: str) -> bytes:
    ended = line if line.endswith(("\n", "\r")) else f"{line}\n"
    return to_bytes(ended)
