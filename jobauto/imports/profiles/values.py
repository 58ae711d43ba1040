"""From a row's cells of value to kWh, exactly: as numbers are written in the file, never through a float."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import cast

from .. import fields
from ..lines import shown
from .cells import Cell, as_text
from .document import Profile, ValueFrom

EXACT = Context(prec=10_000, rounding=ROUND_HALF_UP)
"""Sums and products of what a field may hold are exact in it."""
DIVIDED = Context(prec=60)
"""Enough for a quotient that is rounded to three decimals."""
LONGEST = 1000
"""Digits of a number. Nobody's meter has so many; Python would take its time with them."""
LONGEST_UNIT = 20
"""Characters of a unit that is none, as the reason of each of its rows repeats them."""
HOUR = Decimal(60)
_NUMBER = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(?:[eE]([+-]?[0-9]{1,3}))?")
_FACTORS = {"kWh": Decimal(1), "Wh": Decimal("0.001"), "MWh": Decimal(1000), "kW": Decimal(1)}
ENERGY = {"wh": Decimal("0.001"), "kwh": Decimal(1), "mwh": Decimal(1000)}
_STEPS = {"register": Decimal("0.01"), "interval": Decimal("0.001")}


def are_trimmed(column: Sequence[Cell]) -> bool:
    """Whether a column is text without any space."""
    if set(map(type, column)) != {str}:
        return False
    whole = "".join(cast("Sequence[str]", column))
    return " " not in whole and "\t" not in whole


class Values:
    """The values of a profile's rows."""

    def __init__(self, profile: Profile) -> None:
        self._value = value = profile.value
        self._minutes = profile.time.minutes if value.unit == "kW" else None
        self._factor = _FACTORS[value.unit]
        self._step = _STEPS[profile.measure]
        self._missing = frozenset({"", *(text.strip() for text in value.missing)})

    def are_missing(self, column: Sequence[Cell]) -> list[bool] | None:
        """Which cells say that there is no reading; None where none does."""
        texts = column if are_trimmed(column) else list(map(as_text, column))
        if self._missing.isdisjoint(texts):
            return None
        return list(map(self._missing.__contains__, texts))

    def as_wholes(self, column: Sequence[Cell]) -> Sequence[str] | None:
        """A column of values as the program's own rows have them, by a fast way: a sixth of the time of one
        by one. None where there is none. What is no number stays none."""
        value = self._value
        if value.exponent or value.thousands or set(map(type, column)) != {str}:
            return None
        texts = cast("Sequence[str]", column)
        if value.unit == "kWh" and value.decimal == ".":
            return texts
        whole = "\n".join(texts)
        if value.unit == "kWh" and value.decimal == "," and "." not in whole:
            return whole.replace(",", ".").split("\n")
        if value.unit == "Wh" and whole.isascii() and whole.replace("\n", "").isdigit():
            return self._of_watt_hours(texts)
        return None

    def _of_watt_hours(self, texts: Sequence[str]) -> list[str] | None:
        if "" in texts or max(map(len, texts)) > LONGEST:
            return None
        if self._step == _STEPS["register"]:
            hundredths = (str((int(text) + 5) // 10).zfill(3) for text in texts)
            return [f"{text[:-2]}.{text[-2:]}" for text in hundredths]
        thousandths = (text.zfill(4) for text in texts)
        return [f"{text[:-3]}.{text[-3:]}" for text in thousandths]

    def kwh(self, cells: Sequence[Cell]) -> Decimal:
        """The sum of cells that hold values, made kWh, not rounded. Raises FieldError."""
        total = Decimal(0)
        for cell in cells:
            total = EXACT.add(total, self._number(cell))
        if self._minutes is None:
            return EXACT.multiply(total, self._factor)
        return DIVIDED.divide(EXACT.multiply(total, Decimal(self._minutes)), HOUR)

    def one(self, text: str) -> Decimal | None:
        """A text in kWh; None where it says that there is no reading. Raises FieldError."""
        return None if self.are_missing([text]) else self.kwh([text])

    def with_unit(self, text: str, unit: str) -> Decimal | None:
        """The same, of a text to which its file gives the unit."""
        if self.are_missing([text]):
            return None
        factor = ENERGY.get(unit.strip().lower())
        if factor is None:
            given = shown(unit.strip(), LONGEST_UNIT) or "no unit"
            raise fields.FieldError(f"reading_value is in {given}, which is no energy")
        return EXACT.multiply(self._number(text), factor)

    def text(self, kwh: Decimal) -> str:
        """A value as the program's own rows have it, rounded half up to the decimals of its measure."""
        return f"{EXACT.quantize(kwh, self._step):f}"

    def _number(self, cell: Cell) -> Decimal:
        if isinstance(cell, Decimal):
            return checked(cell)
        return number(as_text(cell), self._value)


def number(text: str, value: ValueFrom) -> Decimal:
    """A number as a profile says that it is written. Raises FieldError."""
    plain = _plain(text, value)
    found = _NUMBER.fullmatch(plain) if plain is not None else None
    if not found or (found[2] is not None and not value.exponent):
        raise fields.FieldError(f"reading_value is not a number like {_example(value)}")
    if len(text) > LONGEST:
        raise fields.FieldError("reading_value is too large")
    return checked(Decimal(found[0]))


def checked(given: Decimal) -> Decimal:
    """A number that a file has as such, within bounds; one next to nothing is 0. Raises FieldError."""
    if not given.is_finite():
        raise fields.FieldError("reading_value is not a number")
    if given and given.adjusted() > LONGEST:
        raise fields.FieldError("reading_value is too large")
    if given and given.adjusted() < -LONGEST:
        return Decimal(0)
    return given


def _plain(text: str, value: ValueFrom) -> str | None:
    """A number with a point and without thousands; None where it is not written as the profile says."""
    whole, point, fraction = text.partition(value.decimal)
    if value.thousands and value.thousands in whole:
        first, *groups = whole.split(value.thousands)
        if not 1 <= len(first.lstrip("-")) <= 3 or any(len(group) != 3 for group in groups):
            return None
        whole = first + "".join(groups)
    if "." in whole or "." in fraction:
        return None
    return f"{whole}{'.' if point else ''}{fraction}"


def _example(value: ValueFrom) -> str:
    return f"1{value.thousands or ''}234{value.decimal}56"
