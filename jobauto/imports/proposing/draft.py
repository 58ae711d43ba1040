"""A proposal that is being made: what is settled so far, which the steps that follow rest on."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ..profiles.cells import as_text
from ..profiles.document import check_encoding
from ..profiles.stamps import check_format
from .columns import Column
from .dates import Way, read_any
from .feeds import Feed
from .numbers import Style
from .proposal import SAID, Answers, Proposal, Proposed, Value
from .sample import Sample
from .tables import Table

IsSite = Callable[[Collection[str]], Collection[str]]
"""Which of some names are sites of the fleet."""
_CHECKS: dict[str, Callable[[str], None]] = {"encoding": check_encoding, "formats": check_format}
"""What must hold of each line of an answer, because the file is read by it. They raise ValueError."""


@dataclass
class Draft:
    """A sample, what a person has said of it, and what follows for its columns."""

    sample: Sample
    answers: Answers
    is_site: IsSite
    zone: ZoneInfo
    now: datetime
    found: Proposal = field(default_factory=Proposal)
    feed: Feed | None = None
    table: Table = field(default_factory=lambda: Table([], []))
    columns: list[Column] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)
    """The places of the columns that are a day's intervals."""
    time: list[Column] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    site: Column | None = None
    values: list[Column] = field(default_factory=list)
    style: Style = field(default_factory=lambda: Style(".", None, exponent=False, values={}))

    def settle(
        self, name: str, own: Value | None, reason: str, options: Sequence[tuple[str, str]] = ()
    ) -> Value | None:
        """Propose a value with its reason; None asks the reason as a question. Returns what counts.

        An answer that cannot be one does not count.
        """
        if self.feed and name in self.feed.values:
            own, reason = self.feed.values[name], "As in all files of this feed."
        said = self.answers.get(name)
        if error := _why_not(name, said):
            self.found.fields[name] = Proposed(own, own, reason, tuple(options), said, error)
            return own
        value = said or own
        if name in self.answers and self.answers[name] == "" and own is not None:
            value = ""
        is_answered = own is not None and value != own
        told = f"{SAID} Proposed was: {_shown(own)}. {reason}" if is_answered else reason
        self.found.fields[name] = Proposed(value, own, told, tuple(options))
        return value

    def text(self, name: str) -> str:
        return self.found.text(name)

    @property
    def way(self) -> Way | None:
        """The way in which dates are read, as far as is known: all have the same clocks and offsets."""
        return self.ways[0] if self.ways else None

    def time_texts(self) -> Iterator[str]:
        """What stands in the columns of time of each row, joined as a reader joins it; no dates of cells."""
        for cells in zip(*(column.cells for column in self.time), strict=True):
            days = [cell for cell in cells if not isinstance(cell, str | Decimal) and cell is not None]
            text = " ".join(filter(None, map(as_text, cells)))
            if text and (not days or not hasattr(days[0], "year")):
                yield text

    def key_columns(self) -> list[Column]:
        return [*self.time, *([self.site] if self.site else [])]

    def chosen(self, name: str) -> list[Column]:
        """The columns that a field names."""
        wanted = self.found.several(name)
        return [column for ref in wanted for column in self.columns if column.ref == ref]

    def chosen_one(self, name: str, before: str) -> Column | None:
        """The column that a field names behind a word."""
        text = self.text(name)
        return next((column for column in self.columns if text == f"{before}{column.ref}"), None)

    @cached_property
    def moments(self) -> list[datetime | None]:
        """The time of each row on the clock's face, as it is read so far."""
        rows = zip(*(map(as_text, column.cells) for column in self.time), strict=True)
        return [read_any(" ".join(filter(None, texts)), [*self.formats, "iso"]) for texts in rows]

    def keep(self, column: Column, condition: dict[str, Any]) -> None:
        """Only rows count whose column is such."""
        self.found.keep = [*self.found.keep, {"column": column.number_or_name, **condition}]


def _why_not(name: str, said: Value | None) -> str:
    if name not in _CHECKS or not isinstance(said, str):
        return ""
    try:
        for line in said.splitlines():
            _CHECKS[name](line)
    except ValueError as error:
        return str(error)
    return ""


def _shown(value: Value | None) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value).replace("\n", ", ")) or "nothing"
