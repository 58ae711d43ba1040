"""Rows by pieces, where they may have texts of any length."""

from collections.abc import Iterable, Iterator
from typing import Any

LONG = 1_000_000
"""In characters: where the texts of a piece are longer together, it ends."""


def pieces(rows: Iterable[Iterable[Any]], most: int) -> Iterator[list[tuple[Any, ...]]]:
    """So many rows at once at most, and no more than those whose texts are long together."""
    piece: list[tuple[Any, ...]] = []
    length = 0
    for row in rows:
        piece.append(tuple(row))
        length += sum(len(str(value)) for value in piece[-1] if isinstance(value, str | list | dict))
        if len(piece) == most or length > LONG:
            yield piece
            piece, length = [], 0
    if piece:
        yield piece
