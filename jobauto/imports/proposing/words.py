"""Words that several steps look for or say."""

import re
from collections.abc import Sequence

from .columns import Column

NOTHING = (
    "No row of its first part has a date and a number beside it, so nothing can be proposed. "
    "Write the profile as JSON, or ask whoever sends the file what it holds."
)
END = re.compile(r"\b(end|ende|stop|until|bis|fin|tot|einde)\b|_stop|_end", re.IGNORECASE)
START = re.compile(r"\b(start|begin|from|von|van|beginn|inicio)\b|_start|_begin", re.IGNORECASE)


def named(names: Sequence[str]) -> str:
    """The first of some names."""
    found = [name for name in names if name]
    return ", ".join(found[:4]) + (" and more" if len(found) > 4 else "")


def with_example(column: Column) -> str:
    """A column as a person chooses it: by its name and what stands in it."""
    return f"{column.label} ({column.example[:40]})" if column.example else column.label
