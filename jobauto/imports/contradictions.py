"""Rows of one file that say different things of the same: none of them is right by being last."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from .result import CONTRADICTION
from .rows import Rejected

LINES_NAMED = 5
IN_READINGS = f"{CONTRADICTION} and time"
IN_SITES = CONTRADICTION

K = TypeVar("K", bound=Hashable)


def rejected_together(lines_of: Mapping[K, Sequence[int]], what: str) -> list[Rejected]:
    """All rows of each key, with a reason that names their lines."""
    return [
        Rejected(line, reason)
        for lines in lines_of.values()
        for reason in [describe(lines, what)]
        for line in lines
    ]


def describe(lines: Sequence[int], what: str) -> str:
    """``lines 2 and 5 give different values for the same site and time``."""
    if len(lines) > LINES_NAMED:
        first = ", ".join(map(str, lines[:LINES_NAMED]))
        return f"lines {first} and {len(lines) - LINES_NAMED} more give {what}"
    *others, last = map(str, lines)
    return f"lines {', '.join(others)} and {last} give {what}"
