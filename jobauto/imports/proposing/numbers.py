"""How the numbers of a column are written: every way that reads all of them."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from ..fields import FieldError
from ..profiles.document import ValueFrom
from ..profiles.values import number

MOST = 1000
MISSING = frozenset(
    {
        "-",
        "--",
        "---",
        "nan",
        "n/a",
        "na",
        "null",
        "none",
        "no data",
        "#n/a",
        "missing",
        "*",
        ".",
        "unknown",
        "unavailable",
    }
)
"""What senders write where there is no reading, in small letters."""
_SMALL = re.compile(r"-?0([.,'])[0-9]")
_ANY_DIGIT = re.compile(r"[0-9]")
_STYLES = (
    (".", None),
    (",", None),
    (".", ","),
    (",", "."),
    (".", " "),
    (",", " "),
    (".", "\u00a0"),
    (",", "\u00a0"),
    (".", "'"),
    (".", "\u2019"),
)


class Style(NamedTuple):
    """A way to read all numbers, and what they are by it."""

    decimal: str
    thousands: str | None
    exponent: bool
    values: dict[str, Decimal]


class Numbers(NamedTuple):
    """Every way to read a column, and its texts that mean no reading."""

    styles: list[Style]
    missing: list[str]


def numbers_of(texts: Sequence[str]) -> Numbers | None:
    """How a column's texts can be read as numbers; None where one is no number."""
    distinct = list(dict.fromkeys(text for text in texts if text))[:MOST]
    missing = [text for text in distinct if text.lower() in MISSING]
    given = [text for text in distinct if text.lower() not in MISSING]
    if not given or not all(map(_ANY_DIGIT.search, given)):
        return None
    styles = list(_styles(given))
    return Numbers(styles, missing) if styles else None


def _styles(texts: Sequence[str]) -> list[Style]:
    found: list[Style] = []
    exponent = any("e" in text.lower() for text in texts)
    decimals = {found[1] for found in map(_SMALL.match, texts) if found}
    for decimal, thousands in _STYLES:
        if thousands is not None and (thousands in decimals or not any(thousands in text for text in texts)):
            continue  # 0.811 has no thousands
        value = ValueFrom(decimal=decimal, thousands=thousands, exponent=exponent)
        try:
            values = {text: number(text, value) for text in texts}
        except FieldError:
            continue
        if all(values != style.values for style in found):
            found.append(Style(decimal, thousands, exponent, values))
    return found
