"""An import of readings against the engine's bulk way into the same table, in turn, in one run.

The file: daily readings in local time of as many sites as it takes, site by site, or day by day as a fleet's
nightly exports are. The reference stores rows of Python that are ready, in the same order and one
transaction: ``executemany`` of an upsert on SQLite, binary COPY on PostgreSQL; and on that also COPY of
one block of bytes that is ready, so that nothing but the server is timed. All start from a fresh database
with the sites in it.

    python -m tests.bench.imports --rows 1000000
"""

import argparse
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from psycopg import Copy
from sqlalchemy import insert, select, text

from jobauto import create_app
from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.imports.result import ImportResult
from jobauto.imports.rows import from_csv
from jobauto.models import Site
from jobauto.models.types import from_microseconds, to_microseconds
from jobauto.readings.classifying import classify_waiting
from jobauto.storage.marks import mark_selected
from tests.databases import Postgresql, Sqlite

ZONE = ZoneInfo("Europe/London")
LAST = date(2026, 3, 20)
"""No clock changed in the winter before."""
DAYS = 30
ENGINES = ["sqlite", "postgresql"]
Ready = tuple[int, int, int]


@dataclass(frozen=True)
class Round:
    """One turn, in seconds: the reference, the import, the same file again; and this process's work.

    ``classified`` is how long it takes to classify all of that, as after an upgrade.
    ``block`` is COPY of a ready block on PostgreSQL, and the reference again on SQLite.
    """

    reference: float
    block: float
    first: float
    again: float
    classified: float
    reference_cpu: float
    first_cpu: float
    again_cpu: float


@dataclass(frozen=True)
class Figures:
    """What several turns came to. ``share`` is of the reference's rows a second; the others are times."""

    rows: int
    rounds: list[Round]

    @property
    def share(self) -> float:
        """The import's rows a second as a share of the reference's: at least 0.5 is wanted."""
        return median(turn.reference / turn.first for turn in self.rounds)

    @property
    def share_of_block(self) -> float:
        """The same, of the rows a second of a ready block."""
        return median(turn.block / turn.first for turn in self.rounds)

    @property
    def again(self) -> float:
        """The time of the same file again as a share of the first import's: at most 1 is wanted."""
        return median(turn.again / turn.first for turn in self.rounds)


def measure(source: Sqlite | Postgresql, folder: Path, rows: int, *, by_day: bool, rounds: int) -> Figures:
    """Take the reference and the import in turn, each on a database of its own."""
    count = rows // DAYS
    file = folder / f"readings-{'by-day' if by_day else 'by-site'}.csv"
    ready = [_ready(site, day) for site, day in _order(count, by_day)]
    if not file.exists():
        with file.open("w") as lines:
            lines.write("site_id,reading_date,reading_value\n")
            lines.writelines(_line(site, day) for site, day in _order(count, by_day))
    turns = []
    for _ in range(rounds):
        with _database(source, count):
            reference, reference_cpu = _timed(_reference(ready))
            block = reference
        if isinstance(source, Postgresql):
            with _database(source, count):
                block = _timed(_block(ready))[0]
        with _database(source, count):
            first = _timed(lambda: _import(file, new=len(ready)))
            again = _timed(lambda: _import(file, new=0))
            _come_from_the_former_version()
            classified, _ = _timed(lambda: _classify(count))
        turns.append(
            Round(reference, block, first[0], again[0], classified, reference_cpu, first[1], again[1])
        )
    return Figures(len(ready), turns)


def _order(count: int, by_day: bool) -> Iterator[tuple[int, int]]:
    if by_day:
        return ((site, day) for day in range(DAYS) for site in range(1, count + 1))
    return ((site, day) for site in range(1, count + 1) for day in range(DAYS))


def _hundredths(site: int, day: int) -> int:
    return 100_000 + site * 31 % 900_000 + day * (700 + site % 400)


def _line(site: int, day: int) -> str:
    value = _hundredths(site, day)
    stamp = LAST - timedelta(days=DAYS - 1 - day)
    return f"SITE-{site:07},{stamp}T06:{site % 4 * 15:02},{value // 100}.{value % 100:02}\n"


def _ready(site: int, day: int) -> Ready:
    stamp = LAST - timedelta(days=DAYS - 1 - day)
    instant = datetime(stamp.year, stamp.month, stamp.day, 6, site % 4 * 15, tzinfo=UTC)
    return site, to_microseconds(instant), _hundredths(site, day) * 10


@contextmanager
def _database(source: Sqlite | Postgresql, sites: int) -> Iterator[None]:
    with source.fresh() as uri:
        app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "bench" * 7})
        with app.app_context():
            for start in range(1, sites + 1, 10_000):
                some = range(start, min(start + 10_000, sites + 1))
                with db.engine.begin() as connection:
                    names = [{"key": key, "site_id": f"SITE-{key:07}", "site_name": "Roof"} for key in some]
                    connection.execute(insert(Site), names)
            if db.engine.dialect.name == "postgresql":
                with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    # As in life, unlike in tests: VACUUM marks only what has reached the log for certain.
                    connection.execute(text("ALTER ROLE CURRENT_USER SET synchronous_commit = on"))
                    connection.execute(text("VACUUM ANALYZE"))
                db.engine.dispose()
            yield
            db.session.remove()
            db.engine.dispose()


def _reference(ready: list[Ready]) -> Callable[[], None]:
    """The driver's own bulk way, from rows of Python."""
    if db.engine.dialect.name == "sqlite":
        return lambda: _executemany(ready)
    rows = [(key, from_microseconds(instant), value) for key, instant, value in ready]
    return lambda: _copy(lambda copy: _write_rows(copy, rows))


def _block(ready: list[Ready]) -> Callable[[], None]:
    """COPY of one ready block: only the server is timed."""
    epoch = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))
    row = struct.Struct(">hiqiqiq")
    fields = [row.pack(3, 8, key, 8, instant - epoch, 8, value) for key, instant, value in ready]
    block = b"".join([b"PGCOPY\n\xff\r\n\0" + bytes(8), *fields, struct.pack(">h", -1)])
    return lambda: _copy(lambda copy: copy.write(block))


def _executemany(ready: list[Ready]) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO reading (site_key, reading_date, reading_value) VALUES (?, ?, ?) "
            "ON CONFLICT (site_key, reading_date) DO UPDATE SET reading_value = excluded.reading_value",
            ready,
        )


def _copy(write: Callable[[Copy], None]) -> None:
    with db.engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        into = "COPY reading (site_key, reading_date, reading_value) FROM STDIN (FORMAT BINARY)"
        with driver.cursor() as cursor, cursor.copy(into) as copy:
            write(copy)


def _write_rows(copy: Copy, rows: list[tuple[int, datetime, int]]) -> None:
    copy.set_types(["int8", "timestamptz", "int8"])
    for row in rows:
        copy.write_row(row)


def _import(file: Path, *, new: int) -> None:
    now = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
    with file.open("rb") as stream:
        result: ImportResult = readings.import_readings(
            from_csv(stream, readings.COLUMNS), zone=ZONE, now=now
        )
    assert (result.new, result.updated, result.rejected) == (new, 0, 0), result.describe()


def _come_from_the_former_version() -> None:
    with db.engine.begin() as connection:
        mark_selected(connection, select(Site.key), urgent=False)


def _classify(sites: int) -> None:
    with db.engine.connect() as connection:
        assert classify_waiting(connection, datetime.combine(LAST, datetime.min.time(), UTC)) == sites


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print the figures of both engines and both orders."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument(
        "--engine", choices=["sqlite", "postgresql"], nargs="*", default=["sqlite", "postgresql"]
    )
    asked.add_argument("--order", choices=["site", "day"], nargs="*", default=["site", "day"])
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for engine in given.engine:
            source: Sqlite | Postgresql = Sqlite(folder) if engine == "sqlite" else Postgresql()
            try:
                for order in given.order:
                    found = measure(source, folder, given.rows, by_day=order == "day", rounds=given.rounds)
                    _print(engine, order, found)
            finally:
                if isinstance(source, Postgresql):
                    source.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"peak of this process, with the ready rows in it: {peak / 1024:.0f} MB\n")


def _print(engine: str, order: str, found: Figures) -> None:
    for turn in found.rounds:
        sys.stdout.write(f"    {turn}\n")
    sys.stdout.write(
        f"{engine}, {found.rows:,} rows by {order}: {found.share:.2f} of the reference, "
        f"{found.share_of_block:.2f} of a ready block, "
        f"again {found.again:.2f} of the first\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
