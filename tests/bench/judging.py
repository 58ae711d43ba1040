"""The rules' own statements: against isolated seeks, and a long history against a short one."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from jobauto.detection.verdicts import judge
from jobauto.extensions import db
from jobauto.rules import RULES
from jobauto.rules.moment import Moment
from jobauto.settings.policies import Policies
from jobauto.settings.schema import Settings
from tests.bench.committing import check, forget
from tests.bench.engines import Engine
from tests.bench.fleet import NOON, Fleet, build
from tests.bench.memory import peak_of_a_run
from tests.bench.seeks import seek_isolated, seek_together
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured, shown
from tests.bench.turns import Side, in_turn

MOMENT = Moment(NOON, ZoneInfo("Europe/London"))
MOST_MEGABYTES = 150
SEEKS = "three isolated index seeks a site, and nothing else"


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """The three lines about judging."""
    yield against_seeks(engine, "seeks", Fleet(sizes.sites))
    yield against_seeks(engine, "half-hourly", Fleet(sizes.dense, a_day=48))
    yield long_history(engine, sizes.dense)


def judge_all(connection: Connection) -> None:
    """Both rules as a run asks them: the verdicts in their table, and counted. Nothing is committed."""
    for rule in RULES:
        judge(connection, rule, Policies(Settings()), MOMENT)


def against_seeks(engine: Engine, name: str, fleet: Fleet) -> Measured:
    """Judging, besides the cost of a whole run: its seconds, and the peak memory of its process."""
    line = Line(name, f"both rules, {fleet}: verdicts stored and counted", SEEKS, 1.3)
    with engine.fresh() as app:
        build(fleet)
        with db.engine.connect() as connection:
            judging = Side(lambda: judge_all(connection))
            turns = in_turn(judging, Side(lambda: seek_isolated(connection, NOON)))
            together = in_turn(judging, Side(lambda: seek_together(connection, NOON)))
        committed = Side(check, forget).seconds()
        forget()
        megabytes = peak_of_a_run(app.config["SQLALCHEMY_DATABASE_URI"], NOON)
    notes = {
        "against the three seeks in one walk": shown(together.ratio),
        "the whole run, committed, in seconds": shown(committed),
        "its process's peak in MB": megabytes,
    }
    broken = "" if megabytes <= MOST_MEGABYTES else f"more than {MOST_MEGABYTES} MB"
    return Measured(line, engine.name, turns, notes, broken)


def long_history(engine: Engine, sites: int) -> Measured:
    """The same fleet with four times the readings, all of them older than any rule looks."""
    long, short = Fleet(sites, days=960), Fleet(sites, days=240)
    line = Line("history", f"both rules, {long}", f"the same with {short.days} days", 1.4)
    with engine.fresh():
        build(long)
        with db.engine.connect() as on_long, engine.fresh():
            build(short)
            with db.engine.connect() as on_short:
                turns = in_turn(Side(lambda: judge_all(on_long)), Side(lambda: judge_all(on_short)))
    return Measured(line, engine.name, turns)
