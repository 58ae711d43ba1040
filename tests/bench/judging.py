"""The rules' own statements: against isolated seeks, and a long history against a short one."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, String, cast, update

from jobauto.detection.verdicts import judge
from jobauto.extensions import db
from jobauto.models import Site
from jobauto.rules import RULES
from jobauto.rules.moment import Moment
from jobauto.settings.policies import Policies, Policy
from jobauto.settings.schema import Settings
from tests.bench.committing import check, forget
from tests.bench.engines import Engine
from tests.bench.fleet import NOON, Fleet, build, tidy
from tests.bench.memory import peak_of_a_run
from tests.bench.seeks import seek_isolated, seek_together
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured, shown
from tests.bench.turns import Side, in_turn

MOMENT = Moment(NOON, ZoneInfo("Europe/London"))
MOST_MEGABYTES = 150
POLICIES = 50
FLEET = Policies(Settings())
SEEKS = "three isolated index seeks a site, and nothing else"


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """The lines about judging."""
    yield against_seeks(engine, "seeks", Fleet(sizes.sites))
    yield against_seeks(engine, "half-hourly", Fleet(sizes.dense, a_day=48))
    yield long_history(engine, sizes.dense)
    yield many_policies(engine, "policies", sizes.sites, Site.key * POLICIES // (sizes.sites + 1))
    yield many_policies(engine, "policies, scattered", sizes.sites, Site.key % POLICIES)


def judge_all(connection: Connection, policies: Policies = FLEET) -> None:
    """Both rules as a run asks them: the verdicts in their table, and counted. Nothing is committed."""
    for rule in RULES:
        judge(connection, rule, policies, MOMENT, MOMENT.as_of)


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


def many_policies(engine: Engine, name: str, sites: int, group: ColumnElement[int]) -> Measured:
    """Fifty groups of sites, numbered so, with a policy each, against one policy for all of them."""
    fleet = Fleet(sites)
    what = f"both rules, {fleet}, in {POLICIES} groups with a policy each"
    line = Line(name, what, "the same with one policy for all groups", 1.5)
    names = [f"Group {number}" for number in range(POLICIES)]
    with engine.fresh():
        build(fleet)
        with db.engine.begin() as connection:
            connection.execute(update(Site).values(group="Group " + cast(group, String)))
        tidy()
        many = Policies(Settings(), tuple(_policy(name, at, [name]) for at, name in enumerate(names)))
        one = Policies(Settings(), (_policy("all", 0, names),))
        with db.engine.connect() as connection:
            turns = in_turn(
                Side(lambda: judge_all(connection, many)), Side(lambda: judge_all(connection, one))
            )
    return Measured(line, engine.name, turns)


def _policy(name: str, number: int, groups: list[str]) -> Policy:
    """A queue of its own, and one of ten thresholds for each rule."""
    at = number % 10
    both = {"days_threshold": 3 + at, "queue": name}, {"days_to_check": 4 + at, "queue": name}
    return Policy(name, dict(zip(("NO_COMS", "ZERO_READS"), both, strict=True)), tuple(groups))
