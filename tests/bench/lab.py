"""The threshold lab: a year of a fleet under every threshold of both rules, in one walk each."""

from collections.abc import Iterator

from jobauto.extensions import db
from jobauto.lab.slots import slots_of
from jobauto.lab.walk import BENCHES, walk
from jobauto.settings.schema import Settings
from tests.bench import memory
from tests.bench.engines import Engine
from tests.bench.fleet import NOON, Fleet, build
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import Side, in_turn

DAYS = 365
AT_ONCE = 10_000
MEMORY = 300
"""Megabytes, at most."""
ROWS = """
    SELECT site_key, reading_date, reading_value, quality, meter FROM reading ORDER BY site_key, reading_date
"""


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """One line, with the memory that a process of its own took at its peak."""
    fleet = Fleet(sizes.walked, days=DAYS)
    what = f"all thresholds of both rules, {fleet}"
    line = Line("lab", what, "reading its rows twice, and nothing else", 4)
    with engine.fresh():
        build(fleet)
        turns = in_turn(Side(_walk_both), Side(_read_twice), least=1)
        peak = memory.peak_of_a_walk(db.engine.url.render_as_string(hide_password=False), NOON)
        broken = "" if peak < MEMORY else f"{peak} MB"
        yield Measured(line, engine.name, turns, {"MB at the peak": peak}, broken)


def _walk_both() -> None:
    slots = slots_of(Settings().schedule, DAYS, NOON)
    with db.engine.connect() as connection:
        for rule in BENCHES:
            walk(connection, rule, Settings(), slots, "", lambda _: None)


def _read_twice() -> None:
    for _ in BENCHES:
        with db.engine.connect().execution_options(yield_per=AT_ONCE) as connection:
            for some in connection.exec_driver_sql(ROWS).partitions():
                len(some)
