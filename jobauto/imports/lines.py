"""The lines of a file as text, before anybody asks what they hold."""

import io
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO
from unicodedata import category

SPACES = " \t"
LONGEST = 500_000
"""Characters of a line. A row of 20,000 columns has fewer."""
MOST_AT_ONCE = 10_000_000
"""Characters of the lines that are held at a time, and those of ``_PIECE`` lines."""
_PIECE = 10
LONGEST_REASON = 1000
_NO_TEXT = ("Cc", "Cs")
"""Categories of Unicode: controls, and the surrogates that stand for bytes that are not text."""


class FileError(Exception):
    """The file as a whole cannot be imported; nothing was.

    Says why in a sentence that can be stored and shown, whatever it repeats of the file: a name in it may
    be megabytes long, or hold what is no text.
    """

    def __init__(self, why: str) -> None:
        super().__init__(shown(why, LONGEST_REASON))


def shown(text: str, longest: int) -> str:
    """What a sentence may repeat of a file: so many characters, and what is no text marked as such."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join("\ufffd" if category(sign) in _NO_TEXT else sign for sign in cut)


def physical_lines(stream: BinaryIO, encoding: str = "utf-8-sig") -> Iterator[str]:
    """The lines of a file as their numbers count them; bytes that are not text are kept as surrogates.

    Raises FileError for a line longer than :data:`LONGEST`: an archive may hold one of a gigabyte.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        for number, line in enumerate(iter(partial(text.readline, LONGEST + 1), ""), start=1):
            if len(line) > LONGEST:
                raise FileError(f"The line {number} has more than {LONGEST:,} characters.")
            yield line
    finally:
        if not stream.closed:
            text.detach()  # the stream is its opener's to close


def some_of(lines: Iterator[str], size: int) -> list[str]:
    """The next lines, at most so many; fewer where they are long."""
    found: list[str] = []
    characters = 0
    while len(found) < size and characters < MOST_AT_ONCE:
        piece = list(islice(lines, min(_PIECE, size - len(found))))
        if not piece:
            break
        found += piece
        characters += sum(map(len, piece))
    return found


def to_bytes(line: str) -> bytes:
    """A line as it came, less a mark of byte order."""
    return line.encode("utf-8", errors="surrogateescape")


def trimmed(text: str | None) -> str | None:
    """A field without the spaces and tabs round it."""
    return None if text is None else text.strip(SPACES)
