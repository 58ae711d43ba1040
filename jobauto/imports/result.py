"""What an import did."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .rows import Rejected

NAMED = 1000
"""So many rejected rows are named; all are counted."""


@dataclass
class ImportResult:
    """How many rows were new, updated, unchanged and rejected; and the first rejected ones, by line."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: list[Rejected] = field(default_factory=list)

    def reject(self, rows: list[Rejected]) -> None:
        """Count rejected rows, and name them as far as there is room."""
        self.rejected += len(rows)
        self.errors += rows[: max(0, NAMED - len(self.errors))]

    @property
    def rows(self) -> int:
        """All rows of the file that were not blank."""
        return self.new + self.updated + self.unchanged + self.rejected

    def describe(self) -> str:
        """The counts in a line."""
        return f"{self.new} new, {self.updated} updated, {self.unchanged} unchanged, {self.rejected} rejected"


Progress = Callable[[ImportResult, list[Rejected]], None]
"""Told after each batch: the counts so far, and the rows of the batch that were rejected, by line."""


def unwatched(_result: ImportResult, _rejected: list[Rejected]) -> None:
    """For an import whose progress nobody wants to see."""
