"""Importing the file of a feed through its profile, against the program's own CSV of the same readings."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from time import perf_counter
from typing import Any

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.reader import rows_of
from jobauto.imports.profiles.service import save
from tests.bench.engines import Engine
from tests.bench.imports import LAST, ZONE, _database
from tests.bench.memory import peak_of_a_command
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import LEAST, Turns
from tests.profiles.workbooks import Serial, Value, workbook

COLUMNS = 48
NOW = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
SITE = {"column": "MPAN"}
ROWS: dict[str, Any] = {
    "file": {"kind": "delimited", "delimiter": ";"},
    "header": {"find": ["MPAN", "Date"]},
    "site": SITE,
    "time": {"columns": ["Date"], "formats": ["%d/%m/%Y %H:%M"], "zone": "UTC"},
    "value": {"columns": ["kWh"], "decimal": ","},
}
WIDE: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"find": ["MPAN", "Date"]},
    "site": SITE,
    "time": {"columns": ["Date"], "formats": ["%d/%m/%Y"], "zone": "UTC", "minutes": 30},
    "value": {"decimal": "."},
    "layout": "wide_times",
}
WORKBOOK: dict[str, Any] = {
    "file": {"kind": "excel"},
    "header": {"find": ["MPAN", "Read at"]},
    "site": SITE,
    "time": {"columns": ["Read at"], "formats": ["iso"], "zone": "UTC"},
    "value": {"columns": ["kWh"]},
}
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
"""From which a workbook counts its days."""
MOST_MEGABYTES = 300
"""Of the command that imports a workbook of 200,000 rows of five columns."""


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """A row a reading, a row a day, and a workbook."""
    with TemporaryDirectory(prefix="jobauto-bench-") as name:
        folder = Path(name)
        days = max(1, sizes.rows // COLUMNS // 20)
        count = 20 * days * COLUMNS
        plain = folder / "plain.csv"
        _write(plain, ["site_id,reading_date,reading_value"], _plain(days))
        feed, wide = folder / "feed.csv", folder / "wide.csv"
        _write(feed, ["A feed", "MPAN;Date;kWh"], _feed(days))
        columns = ",".join(f"P{number}" for number in range(1, COLUMNS + 1))
        _write(wide, ["A feed", f"MPAN,Date,{columns}"], _wide(days))
        own, through, of_wide = [], [], []
        for _ in range(LEAST):
            own.append(_timed(engine, lambda: _import(plain, None), count))
            through.append(_timed(engine, lambda: _import(feed, ROWS), count))
            of_wide.append(_timed(engine, lambda: _import(wide, WIDE), count))
    against = "the same readings from CSV of its own"
    row = Line("profile", f"{count:,} readings through a delimited profile", against, 0.7, faster=True)
    yield Measured(row, engine.name, Turns(through, own))
    day = Line(
        "profile, wide", f"the same in rows of {COLUMNS} columns", "the same a row each", 1, faster=True
    )
    yield Measured(day, engine.name, Turns(of_wide, through))
    yield _of_a_workbook(engine, days, own)


def _of_a_workbook(engine: Engine, days: int, own: list[float]) -> Measured:
    """Its speed, and how much memory the command takes at its peak that imports it."""
    count = 20 * days * COLUMNS
    what, against = (
        f"{count:,} rows of a workbook of five columns",
        "the same readings from CSV of its own",
    )
    line = Line("profile, Excel", what, against, 0.05, faster=True)
    with NamedTemporaryFile(suffix=".xlsx") as file:
        path = Path(file.name)
        path.write_bytes(workbook({"Reads": [["MPAN", "Read at", "kWh", "Type", "Note"], *_cells(days)]}))
        through = [_timed(engine, lambda: _import(path, WORKBOOK), count) for _ in own]
        with _database(engine.source, 20):
            save("feed", WORKBOOK, Author("bench", NOW))
            uri = db.engine.url.render_as_string(hide_password=False)
            megabytes = peak_of_a_command(uri, "import-readings", "--profile", "feed", str(path))
    broken = "" if megabytes <= MOST_MEGABYTES else f"more than {MOST_MEGABYTES} MB"
    notes = {"the command's peak in MB": megabytes}
    return Measured(line, engine.name, Turns(through, own), notes, broken)


def _cells(days: int) -> Iterator[list[Value]]:
    for site, at, kwh in _instants(days):
        serial = (at.replace(tzinfo=UTC) - DAY_ZERO) / timedelta(days=1)
        yield [f"SITE-{site:07}", Serial(serial, 3), kwh + 0.25, "A", "from the portal"]


def _instants(days: int) -> Iterator[tuple[int, datetime, int]]:
    """Half-hours of 20 sites, each stamped at its end."""
    first = datetime.combine(LAST, datetime.min.time()) - timedelta(days=days)
    for site in range(1, 21):
        for place in range(days * COLUMNS):
            yield site, first + timedelta(minutes=30 * (place + 1)), site * 1000 + place


def _plain(days: int) -> Iterator[str]:
    return (f"SITE-{site:07},{at:%Y-%m-%dT%H:%M}Z,{kwh}.25" for site, at, kwh in _instants(days))


def _feed(days: int) -> Iterator[str]:
    return (f"SITE-{site:07};{at:%d/%m/%Y %H:%M};{kwh},25" for site, at, kwh in _instants(days))


def _wide(days: int) -> Iterator[str]:
    cells: list[str] = []
    for site, at, kwh in _instants(days):
        cells.append(f"{kwh}.25")
        if len(cells) == COLUMNS:
            yield f"SITE-{site:07},{at - timedelta(days=1):%d/%m/%Y},{','.join(cells)}"
            cells.clear()


def _write(path: Path, head: list[str], rows: Iterator[str]) -> None:
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in (*head, *rows))


def _import(path: Path, document: dict[str, Any] | None) -> int:
    with path.open("rb") as stream:
        if document is None:
            return readings.import_readings(readings.from_csv(stream), zone=ZONE, now=NOW).new
        with rows_of(stream, Profile.parsed(document), path.name, ZONE, NOW) as rows:
            return readings.import_readings(rows, zone=ZONE, now=NOW).new


def _timed(engine: Engine, work: Callable[[], int], count: int) -> float:
    with _database(engine.source, 20):
        began = perf_counter()
        new = work()
        seconds = perf_counter() - began
    assert new == count, new
    return seconds
