"""``make load``: the figures for docs/performance.md, on both databases."""

import os
import sys
import tempfile
from pathlib import Path

from tests.databases import Postgresql, Sqlite
from tests.load.load import CLIENTS, DAYS, SITES, press, site_under_load

TURNS = 60
ROWS = 200_000


def measure(name: str, engine: Sqlite | Postgresql) -> bool:
    """Press, and say what came of it; whether all went well."""
    with (
        engine.fresh() as uri,
        tempfile.TemporaryDirectory() as folder,
        site_under_load(uri, Path(folder)) as clients,
    ):
        figures = press(clients, TURNS, rows=ROWS)
    sys.stdout.write(f"{name}: {figures.in_words()}; answers {dict(figures.statuses)}; ")
    sys.stdout.write(f"runs {dict(figures.runs)}; {figures.imported:,} rows imported\n")
    return set(figures.statuses) == {200} and set(figures.runs) <= {200, 409} and figures.imported == ROWS


def main() -> None:
    """Both databases, one after the other."""
    sys.stdout.write(
        f"{CLIENTS} clients, {TURNS} requests each, {SITES:,} sites with {DAYS} days of readings, "
        f"{os.cpu_count()} cores\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        went_well = [measure("SQLite", Sqlite(Path(folder)))]
    server = Postgresql()
    try:
        went_well.append(measure("PostgreSQL", server))
    finally:
        server.stop()
    sys.exit(0 if all(went_well) else 1)


main()
