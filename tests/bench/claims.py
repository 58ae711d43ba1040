"""What docs/performance.md says of the speed: its table is the one place of truth, and is held to be true."""

from collections.abc import Iterator
from pathlib import Path

from tests.bench.table import Measured, shown

PAGE = Path(__file__).parent.parent.parent / "docs" / "performance.md"
SECTION = "## How fast"
HALF = 2

Claims = dict[tuple[str, str], float]


def claims(text: str) -> Claims:
    """By line and engine, the ratios that the page says for the small size."""
    section = text.partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in row.strip("| ").split("|")]
        for row in section.splitlines()
        if row[:1] == "|"
    ]
    heading, _, *lines = rows
    return {
        (cells["line"], engine): float(cells[f"{engine}, small"])
        for cells in (dict(zip(heading, line, strict=True)) for line in lines)
        for engine in ("SQLite", "PostgreSQL")
    }


def fallen(said: Claims, measured: Iterator[Measured] | list[Measured]) -> Iterator[tuple[Measured, str]]:
    """What is only half as good as the page says, or is not in it at all, and a sentence about it."""
    for one in measured:
        claim = said.get((one.line.name, one.engine))
        where = f"{one.line.name} on {one.engine}"
        if claim is None:
            yield one, f"{where}: {PAGE.name} says nothing of it"
        elif one.broken:
            yield one, f"{where}: {one.broken}"
        elif one.ratio < claim / HALF if one.line.faster else one.ratio > claim * HALF:
            yield one, f"{where}: {shown(one.ratio)}, and {PAGE.name} says {shown(claim)}"
