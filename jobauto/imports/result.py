"""What an import did."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .fields import MADE_BY_A_SPREADSHEET
from .rows import Rejected

COUNTS = ("new", "updated", "unchanged", "rejected")
NAMED = 1000
"""So many rejected rows are named; all are counted."""
REASONS = 50
"""So many reasons are told apart, and so many sites counted for one."""
SITES = 10_000
SITES_NAMED = 10
UNKNOWN_SITE = "unknown site: "
CONTRADICTION = "different values for the same site"
OTHERS = "other reasons"


@dataclass
class Reasons:
    """Why rows were rejected, summed up."""

    rows: Counter[str] = field(default_factory=Counter)
    unknown_sites: dict[str, None] = field(default_factory=dict)

    def add(self, reason: str, rows: int = 1) -> None:
        """Count rejected rows."""
        kind = reason
        if reason.startswith(UNKNOWN_SITE):
            kind = UNKNOWN_SITE
            if len(self.unknown_sites) < SITES:
                self.unknown_sites[reason.removeprefix(UNKNOWN_SITE)] = None
        elif CONTRADICTION in reason:
            kind = CONTRADICTION + (" and time" if f"{CONTRADICTION} and time" in reason else "")
        elif reason.endswith(MADE_BY_A_SPREADSHEET):
            kind = f"site_id is {MADE_BY_A_SPREADSHEET}"
        if kind not in self.rows and len(self.rows) >= REASONS:
            kind = OTHERS
        self.rows[kind] += rows

    def describe(self) -> list[str]:
        """A line a reason, the most frequent first: ``1,000 rows of 10 unknown sites: S1, S2, ...``."""
        return [
            f"{count:,} row{'' if count == 1 else 's'}{self._tail(kind)}"
            for kind, count in self.rows.most_common()
        ]

    def by_column(self, columns: Sequence[str]) -> dict[str, list[str]]:
        """The reasons by the column that each begins with; those that begin with none by the first column."""
        found: dict[str, list[str]] = {}
        kinds = [kind for kind, _ in self.rows.most_common()]
        for kind, described in zip(kinds, self.describe(), strict=True):
            column = next((column for column in columns if kind.startswith(column)), columns[0])
            found.setdefault(column, []).append(described)
        return found

    def _tail(self, kind: str) -> str:
        if kind != UNKNOWN_SITE:
            return f": {kind}"
        sites = len(self.unknown_sites)
        named = list(self.unknown_sites)[:SITES_NAMED] + ["..."] * (sites > SITES_NAMED)
        count = f"{sites:,}{' or more' if sites == SITES else ''}"
        return f" of {count} unknown site{'' if sites == 1 else 's'}: {', '.join(named)}"


@dataclass
class ImportResult:
    """How many rows were new, updated, unchanged and rejected; the first rejected ones, by line, and why.

    ``checked`` were only looked at, and not compared with what is stored.

    ``warnings`` are sentences on what was taken and may have been meant otherwise; ``ignored_columns`` those
    that nobody takes. ``sites_given`` are the sites that have their source from it. ``left_out`` is a
    sentence on what was neither taken nor rejected.
    """

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    checked: int = 0
    errors: list[Rejected] = field(default_factory=list)
    reasons: Reasons = field(default_factory=Reasons)
    warnings: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    sites_given: int = 0
    left_out: str = ""

    def reject(self, rows: list[Rejected]) -> None:
        """Count rejected rows, and name them as far as there is room."""
        self.rejected += len(rows)
        self.errors += rows[: max(0, NAMED - len(self.errors))]
        for reason, count in Counter(row.reason for row in rows).items():
            self.reasons.add(reason, count)

    @property
    def rows(self) -> int:
        """All rows of the file that were not blank."""
        return self.new + self.updated + self.unchanged + self.rejected + self.checked

    def describe(self) -> str:
        """The counts in a line."""
        return f"{self.new} new, {self.updated} updated, {self.unchanged} unchanged, {self.rejected} rejected"


Progress = Callable[[ImportResult, list[Rejected]], None]
"""Told after each batch: the counts so far, and the rows of the batch that were rejected, by line."""


def unwatched(_result: ImportResult, _rejected: list[Rejected]) -> None:
    """For an import whose progress nobody wants to see."""
