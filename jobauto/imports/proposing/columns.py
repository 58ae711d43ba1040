"""What the columns of a table seem to hold: times, times of day, numbers, names of sites."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import islice

from ..profiles.cells import Cell, as_text
from ..profiles.document import Column as Ref
from .dates import Way, ways_of
from .numbers import Numbers, numbers_of
from .tables import Table, is_date

_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?( ?[AaPp][Mm])?")
_OF_TIMES = re.compile(r"time|date|datum|stamp|zeit|data|hora|fecha|day|when|read ?at", re.IGNORECASE)
_DIGITS = re.compile(r"([01][0-9]|2[0-4])[0-5][0-9]")
_OF_CLOCKS = re.compile(r"time|zeit|hora\b|heure|tijd|hhmm", re.IGNORECASE)
"""In a column of such a name four digits are a time of day."""
_OF_SITES = re.compile(
    r"site|mpan|\bmpn\b|\bmsn\b|\bnmi\b|\bean|eancode|\bcpe\b|\bcups\b|\bpod\b|\bprm\b|meter|serial|plant|anlage|"
    r"device|station|inverter|logger|contador|locatie|asset|system|\bid\b",
    re.IGNORECASE,
)
_OF_NO_SITES = re.compile(
    r"metering|totwh|type|status|unit|company|owner|customer|read by|register|reading|wh\b|date|time|total|"
    r"quality",
    re.IGNORECASE,
)
_OF_ENERGY = re.compile(
    r"wh\b|\bkw\b|reading|register|value|energy|export|generat|produc|yield|output|feed.?in|inje|teruglever|gelvr",
    re.IGNORECASE,
)
_OF_MONEY = re.compile(r"cost|price|amount|tax|fee|£|€|\$|\bp\b|revenue|tariff", re.IGNORECASE)
_OF_REGISTERS = re.compile(r"(register|channel|tariff|rate)[ _]?(id|no|nr|number)?", re.IGNORECASE)
"""Which of several registers a row is of: a number that is no reading."""
_UNIT = re.compile(r"(?<![A-Za-z])(kWh|MWh|Wh|kW)(?![A-Za-z])", re.IGNORECASE)
_FRACTION = re.compile(r"[0-9][.,][0-9]")
MOST_NAMES = 500
UNITS = {"kwh": "kWh", "mwh": "MWh", "wh": "Wh", "kw": "kW"}


@dataclass(frozen=True)
class Column:
    """A column of a sample, with its cells of all rows."""

    at: int
    name: str
    is_first_of_name: bool
    cells: Sequence[Cell]
    today: date

    @property
    def ref(self) -> str:
        """How a form names it: by name, or by number as ``#3``."""
        return (
            self.name
            if self.name and self.is_first_of_name and not self.name.startswith("#")
            else f"#{self.at + 1}"
        )

    @property
    def number_or_name(self) -> Ref:
        """How a profile names it."""
        return ref_of(self.ref)

    @property
    def label(self) -> str:
        """How a person knows it."""
        called = self.name or f"column {self.at + 1}"
        return called if self.is_first_of_name else f"{called} (column {self.at + 1})"

    @cached_property
    def texts(self) -> list[str]:
        """Its cells as text, without the empty ones."""
        return [text for text in map(as_text, self.cells) if text]

    @property
    def example(self) -> str:
        """What stands in it."""
        return self.texts[0] if self.texts else ""

    @cached_property
    def ways(self) -> list[Way]:
        """All ways to read its texts as dates."""
        written = [as_text(cell) for cell in self.cells if isinstance(cell, str | Decimal)]
        named = _OF_TIMES.search(self.name) is not None
        if not named and not any(map(is_date, written)):
            return []
        return ways_of(written, self.today, may_be_numbers=named)

    @property
    def has_dates(self) -> bool:
        """Whether a spreadsheet has its cells as dates."""
        return any(isinstance(cell, date) for cell in self.cells)

    @property
    def is_time(self) -> bool:
        """Whether it holds dates."""
        return self.has_dates or bool(self.ways)

    @property
    def is_clock(self) -> bool:
        """Whether it holds times of day alone."""
        filled = [cell for cell in self.cells if as_text(cell)]
        forms = (_CLOCK, _DIGITS) if _OF_CLOCKS.search(self.name) else (_CLOCK,)
        return bool(filled) and any(
            all(
                isinstance(cell, time | timedelta) or (isinstance(cell, str) and form.fullmatch(cell.strip()))
                for cell in filled
            )
            for form in forms
        )

    @property
    def has_clock(self) -> bool:
        """Whether its dates come with times of day."""
        return any(isinstance(cell, datetime) for cell in self.cells) or any(
            way.has_clock for way in self.ways
        )

    @property
    def varies(self) -> bool:
        """Whether not all its cells are the same."""
        return len(set(self.texts)) > 1

    @cached_property
    def numbers(self) -> Numbers | None:
        """How its texts can be read as numbers; numbers of a spreadsheet need no reading."""
        written = [as_text(cell) for cell in self.cells if isinstance(cell, str)]
        return numbers_of(written)

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        if self.is_clock or self.has_dates or not self.texts:
            return False
        has_text = any(isinstance(cell, str) and cell.strip() for cell in self.cells)
        return self.numbers is not None if has_text else any(isinstance(cell, Decimal) for cell in self.cells)

    @property
    def unit(self) -> str | None:
        """The unit that its name says."""
        found = _UNIT.search(self.name)
        return UNITS[found[1].lower()] if found else None

    @property
    def may_be_site(self) -> bool:
        """Whether its name is such as columns of sites have."""
        return (
            bool(self.texts)
            and _OF_SITES.search(self.name) is not None
            and _OF_NO_SITES.search(self.name) is None
        )

    @property
    def may_hold_names(self) -> bool:
        """Whether it may hold names of anything: not if it has fractions, or a name of energy."""
        return (
            bool(self.texts)
            and not self.is_clock
            and not (self.is_number and (self.may_be_energy or any(map(_FRACTION.search, self.texts))))
        )

    @property
    def names(self) -> set[str]:
        """Its different texts, as many as are looked at."""
        return set(islice(dict.fromkeys(self.texts), MOST_NAMES))

    @property
    def may_be_energy(self) -> bool:
        """Whether its name is such as columns of readings have."""
        return (
            _OF_ENERGY.search(self.name) is not None
            and _OF_MONEY.search(self.name) is None
            and _OF_REGISTERS.fullmatch(self.name) is None
        )


def columns_of(table: Table, today: date) -> list[Column]:
    """The columns of a table."""
    return [
        Column(
            at,
            name,
            table.names.index(name) == at,
            [row[at] if at < len(row) else None for _, row in table.rows],
            today,
        )
        for at, name in enumerate(table.names)
    ]


def ref_of(text: str) -> Ref:
    """A column as the document names it."""
    return int(text[1:]) if text.startswith("#") and text[1:].isdecimal() else text


def form_of(column: Ref) -> str:
    """The reverse."""
    return f"#{column}" if isinstance(column, int) else column
