"""What the racing processes do: all wait for each other, then act at once."""

from collections.abc import Callable
from datetime import datetime
from threading import Barrier

from jobauto import create_app
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.runs.lifecycle import RunInProgress, SlotTaken
from jobauto.runs.run_requests import RequestTaken
from jobauto.work.slots import run_slot, tick
from tests.processes import PATIENCE

_start: list[Barrier] = []


def prepare(barrier: Barrier) -> None:
    """Make the common starting line known to a process."""
    _start.append(barrier)


def run_at_once(database_uri: str, as_of: datetime) -> str:
    """Run the rules; what came of it in a word."""
    return _raced(database_uri, lambda: run(RunParameters("cli"), lambda: as_of).status)


def claim_at_once(database_uri: str, at: datetime) -> str:
    """Run the slot of a date."""
    return _raced(database_uri, lambda: run_slot(at.date(), lambda: at).status)


def serve_at_once(database_uri: str, at: datetime) -> str:
    """Do the run that somebody asked for."""
    return _raced(database_uri, lambda: run(RunParameters("manual", request_id=1), lambda: at).status)


def tick_at_once(database_uri: str, at: datetime) -> str:
    """Tick, until the day's slot is taken by somebody."""

    def act() -> str:
        result = tick(lambda: at)
        return result.status if result else "nothing to do"

    return _raced(database_uri, act)


def _raced(database_uri: str, act: Callable[[], str]) -> str:
    app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": database_uri, "SECRET_KEY": "tests"})
    with app.app_context():
        db.session.connection()  # connected, so that nothing but the race itself is left to do
        db.session.rollback()
        _start[0].wait(PATIENCE)
        try:
            return act()
        except (RunInProgress, SlotTaken, RequestTaken) as refusal:
            return type(refusal).__name__
        finally:
            db.session.remove()
            db.engine.dispose()
