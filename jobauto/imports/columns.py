"""Columns of fields, read as wholes with as little Python a row as can be.

What is plain goes a fast way. Whatever is not, or is met for the first time, is asked of the one function
in ``fields`` that decides. None stands for a field that does not hold what it must.
"""

import re
from abc import abstractmethod
from collections.abc import Sequence
from operator import mul
from typing import Any, Generic, TypeVar

from ..models.types import to_microseconds
from . import fields
from .lines import trimmed

Key = TypeVar("Key")
Meaning = TypeVar("Meaning")

REMEMBERED = 50_000
"""So many texts at most, so that memory stays bounded whatever a file holds."""
LONGEST = 100
"""So many characters of each, and cells: longer ones are met once, or were made to fill the memory."""

_DIGITS_AS_ZEROS = str.maketrans("123456789", "0" * 9)
_PLAIN = re.compile(r"-?0{1,12}(?:\.(00?))?")


class Remembered(dict[Key, Meaning], Generic[Key, Meaning]):
    """From fields of a file to what they mean: a file has many of a kind, which are worked out once."""

    most = REMEMBERED

    @abstractmethod
    def meaning(self, key: Key) -> Meaning:
        """What a field means that is met for the first time."""

    def __missing__(self, key: Key) -> Meaning:
        found = self.meaning(key)
        if _is_short(key):
            if len(self) >= self.most:
                self.clear()
            self[key] = found
        return found


def _is_short(key: Any) -> bool:
    if isinstance(key, tuple):
        return len(key) <= LONGEST and all(map(_is_short, key))
    return not isinstance(key, str) or len(key) <= LONGEST


class Instants(Remembered[str | None, int | None]):
    """From texts of ``reading_date`` to microseconds since 1970: a file has many readings of an instant."""

    def __init__(self, read: fields.InstantReader) -> None:
        super().__init__()
        self._read = read

    def meaning(self, key: str | None) -> int | None:
        """The instant; None of what is none."""
        try:
            return to_microseconds(self._read(trimmed(key)))
        except fields.FieldError:
            return None


class _Factors(Remembered[str, int]):
    """From the shape of a number, all its digits written as 0, to the watt-hours of its last digit.

    0 for a shape that is not plain. Few shapes occur in a file.
    """

    def meaning(self, key: str) -> int:
        plain = _PLAIN.fullmatch(key)
        return 10 ** (3 - len(plain[1] or "")) if plain else 0


_FACTORS = _Factors()


def watt_hours(texts: Sequence[str]) -> list[int | None]:
    """Texts of ``reading_value`` in whole watt-hours."""
    return read_registers(texts)[0]


def read_registers(texts: Sequence[str]) -> tuple[list[int | None], bool]:
    """The same, and whether some of them may have three decimals."""
    whole = "\n".join(texts)
    shape = whole.translate(_DIGITS_AS_ZEROS)
    if texts and _are_hundredths(shape, len(texts)):
        return list(map(int, (whole.replace(".", "").replace("\n", "0\n") + "0").split("\n"))), False
    return _read(texts, whole, shape), ".000" in shape


def _read(texts: Sequence[str], whole: str, shape: str) -> list[int | None]:
    shapes = shape.split("\n")
    if len(shapes) != len(texts):  # a text from JSON may hold a line break
        return [_watt_hours(text) for text in texts]
    factors = list(map(_FACTORS.__getitem__, shapes))
    if 0 not in factors:
        return list(map(mul, map(int, whole.replace(".", "").split("\n")), factors))
    return [
        int(text.replace(".", "")) * factor if factor else _watt_hours(text)
        for text, factor in zip(texts, factors, strict=True)
    ]


def _are_hundredths(shape: str, count: int) -> bool:
    """Whether all numbers, one a line, are one to twelve digits, a point, and two more, as most are."""
    lines = f"\n{shape}\n"
    return (
        lines.replace("0", "") == "\n" + ".\n" * count
        and lines.count(".00\n") == count
        and "\n." not in lines
        and "0" * 13 not in lines
    )


def interval_watt_hours(text: str) -> int | None:
    """The energy of an interval in whole watt-hours."""
    try:
        return fields.interval_watt_hours(trimmed(text))
    except fields.FieldError:
        return None


def _watt_hours(text: str) -> int | None:
    try:
        return fields.watt_hours(trimmed(text))
    except fields.FieldError:
        return None
