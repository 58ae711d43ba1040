"""Importing a file of readings, against the engine's bulk way into the same table, and against itself."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.engines import Engine
from tests.bench.imports import Figures, measure
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import LEAST, Turns

BULK = {
    "SQLite": "executemany of ready rows, in one transaction",
    "PostgreSQL": "COPY of ready rows",
}


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """The first import, whose rows a second count, and what is done with that: by site, and by day."""
    for by_day in (False, True):
        with TemporaryDirectory(prefix="jobauto-bench-") as folder:
            found = measure(engine.source, Path(folder), sizes.rows, by_day=by_day, rounds=LEAST)
        first = [turn.first for turn in found.rounds]
        order, mark = ("day by day", ", by day") if by_day else ("site by site", "")
        bulk = Line(
            f"import{mark}",
            f"{found.rows:,} readings from CSV, {order}",
            f"{BULK[engine.name]}, into the same keyed table, in the same order",
            0.5,
            faster=True,
        )
        yield Measured(bulk, engine.name, Turns(first, [turn.reference for turn in found.rounds]))
        same = Line(f"same file{mark}", "the same file again", "the first import", 1.0)
        yield Measured(same, engine.name, Turns([turn.again for turn in found.rounds], first))
        if not by_day:
            yield _classifying(engine, found)


def _classifying(engine: Engine, found: Figures) -> Measured:
    what = f"{found.rows:,} readings of a former version classified"
    line = Line("classify", what, "their import", 1.0, faster=True)
    turns = Turns([turn.classified for turn in found.rounds], [turn.first for turn in found.rounds])
    return Measured(line, engine.name, turns)
