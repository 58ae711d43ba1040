"""The program itself, in a process that a drill can watch and stop at a place of its choice.

    python -m tests.drills.actor scheduler                       any command of ``jobauto``
    python -m tests.drills.actor gunicorn jobauto.wsgi:app       the pages, with their tick

It says ``ticked`` whenever a tick has ended. With DRILL_STOP=TABLE it says ``at TABLE pid=PID`` with its
first INSERT into the table done and not committed, and goes on once the file DRILL_GO exists. With
DRILL_TIMEOUT_MS it waits no longer than that for a lock or an idle transaction.
"""

import logging
import os
import select
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from gunicorn.app import wsgiapp
from sqlalchemy import Engine, event

from jobauto import __main__ as commands
from jobauto.storage import connections as database

TICKED = "ticked"


def say(text: str) -> None:
    """Tell the drill, in one piece: other processes write to the same pipe."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


class _Ticks(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if said.startswith('Job "tick ') and said.endswith("executed successfully"):
            say(TICKED)


def tell_ticks() -> None:
    """Let APScheduler's own log tell when a tick has ended."""
    log = logging.getLogger("apscheduler.executors")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_Ticks())


def stop_at(table: str, go: Path) -> None:
    """Stop once, at the first INSERT into the table, until the file is there."""
    places = [table]

    def stop(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if places and statement.startswith(f"INSERT INTO {places[0]} "):
            say(f"at {places.pop()} pid={os.getpid()}")
            while not go.exists():
                time.sleep(0.01)

    event.listen(Engine, "after_cursor_execute", stop)


def sleep(seconds: Any) -> None:
    """Like time.sleep, which under libfaketime ends with EINVAL once the clock has been set."""
    select.select([], [], [], max(seconds, 0))


time.sleep = sleep
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started us may have ignored it
tell_ticks()
if "DRILL_STOP" in os.environ:
    stop_at(os.environ["DRILL_STOP"], Path(os.environ["DRILL_GO"]))
if "DRILL_TIMEOUT_MS" in os.environ:
    database.BUSY_TIMEOUT_MS = int(os.environ["DRILL_TIMEOUT_MS"])
    database.IDLE_TRANSACTION = f"{os.environ['DRILL_TIMEOUT_MS']}ms"


if __name__ == "__main__":
    if sys.argv[1] == "gunicorn":
        import_module("jobauto.app")  # not by each worker anew; each makes its application, and ticks
        sys.argv[:] = sys.argv[1:]
        wsgiapp.run()
    else:
        commands.main()
