"""A backup of a distributed database shows one instant of all its machines, each of which has its own.

There are no machines here. What can be seen is that all are asked while nobody can write, and that nothing
which is half written by then is in the backup.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.exc import OperationalError

from jobauto.extensions import db
from jobauto.models import Event
from jobauto.storage import backup, snapshot
from jobauto.storage.citus import DISTRIBUTED
from tests.backup.everything import quiet, taken
from tests.fleets import NOON, add_site
from tests.processes import PATIENCE, await_until

pytestmark = pytest.mark.postgresql

SOMETHING = insert(Event).values(at=NOON, subject="site", subject_id="S1", field="group")


@contextmanager
def half_written() -> Iterator[Connection]:
    """Somebody has begun to write."""
    with db.engine.connect() as connection:
        connection.execute(SOMETHING)
        yield connection


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ATTEMPTS", 1)
    monkeypatch.setattr(snapshot, "PATIENCE", "10ms")


def back_up_to_nowhere(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["backup", "-"])


@pytest.mark.usefixtures("_hasty")
def test_it_does_not_begin_while_something_is_half_written(app: Flask) -> None:
    with half_written():
        result = back_up_to_nowhere(app)
    assert (result.exit_code, "has been writing for minutes" in result.output) == (1, True)
    assert back_up_to_nowhere(app).exit_code == 0


def test_it_waits_for_what_is_half_written_and_then_has_it(app: Flask) -> None:
    def back_up() -> backup.Contents:
        with app.app_context():
            return backup.back_up(io.BytesIO(), quiet)

    with ThreadPoolExecutor(1) as pool, half_written() as writer:
        waits = text("SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted")
        backing_up = pool.submit(back_up)
        await_until(lambda: backing_up.done() or writer.scalar(waits), "a backup that waits")
        writer.commit()
        assert backing_up.result(PATIENCE).rows["event"] == 1


def test_all_machines_are_first_asked_while_nobody_can_write(app: Flask) -> None:
    add_site("S1")
    could_write: list[bool] = []

    def ask(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not could_write and any(f"FROM {table}" in statement for table in DISTRIBUTED):
            could_write.append(_can_write())

    event.listen(db.engine, "before_cursor_execute", ask)
    taken()
    event.remove(db.engine, "before_cursor_execute", ask)
    assert could_write == [False]


def test_everybody_can_write_while_it_is_copied(app: Flask) -> None:
    could_write: dict[str, bool] = {}
    backup.back_up(io.BytesIO(), lambda table, _: could_write.update({table: _can_write()}))
    assert set(could_write.values()) == {True}


def _can_write() -> bool:
    with db.engine.connect() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10ms'"))
        try:
            connection.execute(SOMETHING)
        except OperationalError:
            return False
    return True
