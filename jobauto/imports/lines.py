"""The lines of a file as text, before anybody asks what they hold."""

import io
from collections.abc import Iterator
from typing import BinaryIO

SPACES = " \t"


class FileError(Exception):
    """The file as a whole cannot be imported; nothing was."""


def physical_lines(stream: BinaryIO, encoding: str = "utf-8-sig") -> Iterator[str]:
    """The lines of a file as their numbers count them; bytes that are not text are kept as surrogates."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        yield from text
    finally:
        if not stream.closed:
            text.detach()  # the stream is its opener's to close


def to_bytes(line: str) -> bytes:
    """A line as it came, less a mark of byte order."""
    return line.encode("utf-8", errors="surrogateescape")


def trimmed(text: str | None) -> str | None:
    """A field without the spaces and tabs round it."""
    return None if text is None else text.strip(SPACES)
