"""The rejected rows of an import as a file: to be fixed, and imported again."""

from collections.abc import Iterator
from pathlib import Path

from .header import is_blank, is_separator_line
from .lines import physical_lines, to_bytes
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


def _next(numbers: Iterator[str]) -> int | None:
    line = next(numbers, None)
    return int(line) if line else None


def _bytes(line: str) -> bytes:
    ended = line if line.endswith(("\n", "\r")) else f"{line}\n"
    return to_bytes(ended)
