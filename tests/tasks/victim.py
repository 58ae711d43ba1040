"""A worker one of whose processes stops in the middle of its work, for a test to kill it.

    STOP_AT="INSERT INTO job " STOPPED=FILE celery --app tests.tasks.victim worker

Whoever first executes a statement that begins like that makes the file, says ``stopped PID``, with the
statement done and its transaction open, and does nothing more. The others go on as usual.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from jobauto.worker import app
from tests.processes import PATIENCE

__all__ = ["app"]


@event.listens_for(Engine, "after_cursor_execute")
def _stop(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if not statement.lstrip().startswith(os.environ["STOP_AT"]):
        return
    try:
        Path(os.environ["STOPPED"]).touch(exist_ok=False)
    except FileExistsError:
        return
    sys.stdout.write(f"stopped {os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(PATIENCE)
