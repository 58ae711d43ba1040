"""Commands as whole processes, against a Python that loads the libraries that none of them can do without."""

import os
import subprocess
import sys
from collections.abc import Iterator

from flask import current_app

from tests.bench.committing import forget
from tests.bench.engines import Engine
from tests.bench.fleet import NOON, Fleet, build
from tests.bench.sizes import Sizes
from tests.bench.table import Line, Measured
from tests.bench.turns import Side, in_turn

LIBRARIES = "import flask, sqlalchemy, click"
AGAINST = f"a Python that does `{LIBRARIES}` and ends"
PASSED_ON = {"PATH", "HOME", "LANG", "JOBAUTO_INSTANCE_PATH"}
"""Not what a developer may have set, such as that no bytecode is kept."""


def lines(engine: Engine, sizes: Sizes) -> Iterator[Measured]:
    """Both lines about whole processes."""
    fleet = Fleet(sizes.looped)
    with engine.fresh():
        build(fleet)
        yield list_of_commands(engine)
        yield run_by_command(engine, fleet)


def list_of_commands(engine: Engine) -> Measured:
    """What every command costs before it does anything."""
    line = Line("help", "`jobauto --help`", AGAINST, 1.6)
    return Measured(line, engine.name, in_turn(_command("--help"), _libraries()))


def run_by_command(engine: Engine, fleet: Fleet) -> Measured:
    """A run as cron starts it: loading, checking, jobs committed, and the end."""
    line = Line("run by command", f"`jobauto run-daily-job-automation`, {fleet}", AGAINST, 2.2)
    run = _command("run-daily-job-automation", "--as-of", NOON.isoformat())
    return Measured(line, engine.name, in_turn(Side(run.deed, forget), _libraries()))


def _command(*arguments: str) -> Side:
    return Side(lambda: _python("-m", "jobauto", *arguments))


def _libraries() -> Side:
    return Side(lambda: _python("-c", LIBRARIES))


def _python(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name in PASSED_ON} | {
        "JOBAUTO_SQLALCHEMY_DATABASE_URI": current_app.config["SQLALCHEMY_DATABASE_URI"],
        "JOBAUTO_SECRET_KEY": str(current_app.config["SECRET_KEY"]),
    }
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
