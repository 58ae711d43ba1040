"""A process that runs the rules and stops in the middle, at statements that the test names.

    python -m tests.runs.victim SLOT TABLE...

At the first INSERT into each table it says ``at TABLE``, with the statement done and its transaction
open, and goes on when it is sent a line. SLOT is a date, or ``none``.
"""

import sys
from datetime import date
from typing import Any

from sqlalchemy import event

from jobauto import create_app
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.storage.leases import LeaseLost
from tests.fleets import NOON


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(slot: str, *tables: str) -> None:
    """Run, stopping where the test wants it."""
    app = create_app()
    stops = list(tables)

    def stop(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if stops and statement.startswith(f"INSERT INTO {stops[0]} "):
            say(f"at {stops.pop(0)}")
            sys.stdin.readline()

    with app.app_context():
        event.listen(db.engine, "after_cursor_execute", stop)
        claimed = None if slot == "none" else date.fromisoformat(slot)
        try:
            say(f"ended {run(RunParameters('schedule', slot=claimed), lambda: NOON).status}")
        except LeaseLost:
            say("ended LeaseLost")


if __name__ == "__main__":
    main(*sys.argv[1:])
