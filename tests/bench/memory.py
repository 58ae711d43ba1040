"""A whole run in a process of its own, and how much memory that took at its peak."""

import os
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from jobauto import create_app
from jobauto.detection.service import RunParameters, run
from jobauto.lab.service import SPANS, Question, claim, work_out
from jobauto.lab.walk import BENCHES

_STATUS = Path("/proc/self/status")


def peak_of_a_run(database_uri: str, as_of: datetime) -> int:
    """Megabytes of a fresh process, with nothing of the benchmark in it, that checks a fleet once."""
    return _peak_of("run", database_uri, as_of)


def peak_of_a_walk(database_uri: str, as_of: datetime) -> int:
    """The same of one that walks a year of a fleet for the lab."""
    return _peak_of("walk", database_uri, as_of)


def _peak_of(deed: str, database_uri: str, as_of: datetime) -> int:
    environment = os.environ | {
        "JOBAUTO_SQLALCHEMY_DATABASE_URI": database_uri,
        "JOBAUTO_SECRET_KEY": "bench" * 7,
    }
    done = subprocess.run(
        [sys.executable, "-m", __name__, deed, as_of.isoformat()],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


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


if __name__ == "__main__":
    with create_app().app_context():
        now = datetime.fromisoformat(sys.argv[2])
        if sys.argv[1] == "run":
            run(RunParameters("cli", "bench"), lambda: now)
        else:
            for rule in BENCHES:
                asked = claim(Question(rule, SPANS[-1]), now)
                assert asked
                work_out(asked, lambda: now)
    sys.stdout.write(f"{peak()}\n")
