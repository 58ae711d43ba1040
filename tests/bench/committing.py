"""Whole runs, committed: against the obvious loop, the same run again, and a run without incidents."""

from collections.abc import Iterator

from sqlalchemy import String, cast, text, update

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Site
from jobauto.settings import service as settings
from tests.bench.engines import Engine
from tests.bench.fleet import NOON, Fleet, build, tidy
from tests.bench.loop import check_in_a_loop
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import Side, in_turn

SOURCES_OF, LEAST_SITES = 10_000, 5
"""Of so many sites 200 have another source each; an incident is for so many at least."""
FASTER_THAN_A_LOOP = {"SQLite": 200, "PostgreSQL": 100}


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """The three lines about committed runs."""
    yield against_the_loop(engine, Fleet(sizes.looped))
    yield run_again(engine, Fleet(sizes.repeated, silent=4, flat=6))
    yield incidents(engine, Fleet(sizes.repeated, flat=0))


def check() -> int:
    """The service, as the button, the schedule, the API and the commands call it."""
    return run(RunParameters("cli", "bench"), lambda: NOON).created_jobs


def forget() -> None:
    """Take the jobs and runs away, so that the next run opens them again."""
    with db.engine.begin() as connection:
        for table in (
            "cover",
            "incident",
            "run_site",
            "job_reading",
            "event",
            "job",
            "hold",
            "run_rule",
            "run",
        ):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (our tables)
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM job, job_reading, run_site"))


def check_for_the_first_time() -> None:
    """What a second run comes after."""
    forget()
    check()


def against_the_loop(engine: Engine, fleet: Fleet) -> Measured:
    """A whole run opens jobs, keeps evidence, looks for recovery and counts; the loop only opens jobs."""
    line = Line(
        "loop",
        f"both rules, {fleet}, committed with evidence and figures",
        "the obvious loop: two queries a site, a commit a job",
        FASTER_THAN_A_LOOP[engine.name],
        faster=True,
    )
    with engine.fresh():
        build(fleet)
        opened, looped = set[int](), set[int]()
        turns = in_turn(
            Side(lambda: opened.add(check()), forget),
            Side(lambda: looped.add(check_in_a_loop(NOON)), forget),
        )
    broken = "" if opened == looped else f"the run opened {opened} jobs, the loop {looped}"
    return Measured(line, engine.name, turns, {"jobs": min(opened)}, broken)


def run_again(engine: Engine, fleet: Fleet) -> Measured:
    """The second run finds the same faults and their open jobs."""
    line = Line("second run", f"a second run that opens nothing, {fleet}, 5 % faulty", "the first run", 1.0)
    with engine.fresh():
        build(fleet)
        turns = in_turn(Side(check, check_for_the_first_time), Side(check, forget))
    return Measured(line, engine.name, turns)


def incidents(engine: Engine, fleet: Fleet) -> Measured:
    """Of the sources one in a hundred has fallen silent, and nothing else has: a job each, or one a site."""
    what = f"a run, {fleet}, behind sources of which 1 % fail"
    line = Line("incidents", what, "the same run with incidents switched off", 1.3)
    with engine.fresh():
        build(fleet)
        # What makes a site silent in the fleet names its source, too: so a source fails as a whole.
        source = cast(Site.key * 37 % 200, String) + "-" + cast(Site.key // SOURCES_OF, String)
        with db.engine.begin() as connection:
            connection.execute(update(Site).values(source=source))
        tidy()
        opened, alone = set[int](), set[int]()
        turns = in_turn(
            Side(lambda: opened.add(check()), lambda: _prepare(incidents=True)),
            Side(lambda: alone.add(check()), lambda: _prepare(incidents=False)),
        )
    broken = (
        "" if min(opened) * LEAST_SITES <= min(alone) else f"{opened} jobs, and {alone} without incidents"
    )
    return Measured(line, engine.name, turns, {"jobs": min(opened), "without": min(alone)}, broken)


def _prepare(*, incidents: bool) -> None:
    forget()
    changed = {"GUARD": {"incident_enabled": incidents}}
    settings.save(lambda before: before.changed(changed), by="bench", now=NOON)
    db.session.rollback()
