"""Work in a process of its own, and how much memory that took at its peak."""

import os
import resource
import subprocess
import sys
from atexit import register
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask.cli import ScriptInfo

from jobauto import create_app
from jobauto.cli import Commands
from jobauto.core import create_core
from jobauto.detection.service import RunParameters, run
from jobauto.lab.service import SPANS, Question, claim, work_out
from jobauto.lab.walk import BENCHES

_STATUS = Path("/proc/self/status")


def peak_of_a_run(database_uri: str, as_of: datetime) -> int:
    """Megabytes of a fresh process, with nothing of the benchmark in it, that checks a fleet once."""
    return _peak_of(database_uri, "run", as_of.isoformat())


def peak_of_a_walk(database_uri: str, as_of: datetime) -> int:
    """The same of one that walks a year of a fleet for the lab."""
    return _peak_of(database_uri, "walk", as_of.isoformat())


def peak_of_a_command(database_uri: str, *arguments: str) -> int:
    """The same of a command of the program."""
    return _peak_of(database_uri, *arguments)


def _peak_of(database_uri: str, *deed: str) -> int:
    environment = os.environ | {
        "JOBAUTO_SQLALCHEMY_DATABASE_URI": database_uri,
        "JOBAUTO_SECRET_KEY": "bench" * 7,
    }
    done = subprocess.run(
        [sys.executable, "-m", __name__, *deed],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.splitlines()[-1])


def peak() -> int:
    """This process's own, in megabytes."""
    if _STATUS.exists():  # what getrusage tells on Linux was inherited from the process that started us
        kilobytes = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(kilobytes.split()[1]) // 1024
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        // 1024
        // (1024 if sys.platform == "darwin" else 1)
    )


def _check(as_of: str) -> None:
    now = datetime.fromisoformat(as_of)
    run(RunParameters("cli", "bench"), lambda: now)


def _walk(as_of: str) -> None:
    now = datetime.fromisoformat(as_of)
    for rule in BENCHES:
        asked = claim(Question(rule, SPANS[-1]), now)
        assert asked
        work_out(asked, lambda: now)


def _do(deed: str, *arguments: str) -> None:
    if deed in DEEDS:
        with create_app().app_context():
            DEEDS[deed](*arguments)
        return
    info = ScriptInfo(create_app=create_core, set_debug_flag=False)
    Commands("jobauto").main([deed, *arguments], obj=info)


DEEDS: dict[str, Callable[..., None]] = {"run": _check, "walk": _walk}

if __name__ == "__main__":
    register(lambda: sys.stdout.write(f"{peak()}\n"))  # a command ends its process
    _do(*sys.argv[1:])
