"""The threshold lab: a year of a fleet under every threshold of both rules, in one walk each.

And a year of daily runs, each of them asked again.
"""

from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter

from jobauto.extensions import db
from jobauto.lab.agreement import agreement
from jobauto.lab.slots import slots_of
from jobauto.lab.walk import BENCHES, walk
from jobauto.models import Run, RunRule
from jobauto.settings.schema import Settings
from jobauto.storage.connections import write
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
        _add_daily_runs()
        began = perf_counter()
        _ask_again()
        again = perf_counter() - began
        peak = memory.peak_of_a_walk(db.engine.url.render_as_string(hide_password=False), NOON)
        broken = "" if peak < MEMORY else f"{peak} MB"
        yield Measured(
            line,
            engine.name,
            turns,
            {"MB at the peak": peak, "seconds for a year of runs": round(again)},
            broken,
        )


def _add_daily_runs() -> None:
    """A run a day that found nothing: the newest of them differ, for a part of the fleet is faulty by now."""
    with write() as session:
        for ago in range(DAYS):
            at = NOON - timedelta(days=ago)
            times = {"as_of": at, "started_at": at, "finished_at": at, "heartbeat_at": at}
            rules = [
                RunRule(rule=rule, position=place, status="succeeded") for place, rule in enumerate(BENCHES)
            ]
            session.add(
                Run(
                    trigger="schedule",
                    status="succeeded",
                    slot=at.date(),
                    settings_version=1,
                    rules=rules,
                    **times,
                )
            )


def _ask_again() -> None:
    slots = slots_of(Settings().schedule, DAYS, NOON)
    for rule in BENCHES:
        with db.engine.connect() as connection:
            agreement(connection, rule, slots, "", NOON, lambda _: None)


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
