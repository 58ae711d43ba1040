"""The rejected rows of an import as a file: to be fixed, and imported again."""

from collections.abc import Iterator
from pathlib import Path

from .background import rejects
from .rows import physical_lines


def rejected_rows(path: Path) -> Iterator[bytes]:
    """The header and the rejected lines of a kept file, byte for byte as they came."""
    with path.open("rb") as file, rejects(path).open() as numbers:
        wanted = _next(numbers)
        in_header = True
        for number, line in enumerate(physical_lines(file), start=1):
            if in_header and line.strip():
                in_header = False
                yield _bytes(line)
            elif number == wanted:
                yield _bytes(line)
                wanted = _next(numbers)


def _next(numbers: Iterator[str]) -> int | None:
    line = next(numbers, None)
    return int(line) if line else None


def _bytes(line: str) -> bytes:
    ended = line if line.endswith(("\n", "\r")) else f"{line}\n"
    return ended.encode("utf-8", errors="surrogateescape")
