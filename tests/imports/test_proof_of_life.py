"""An import proves that its process lives, however long nothing comes; one that was given up has ended."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, claiming
from jobauto.imports.lines import FileError
from jobauto.imports.recorded import Recorded
from jobauto.imports.rows import Row
from jobauto.models import Import
from jobauto.storage.leases import LeaseLost
from tests.fleets import add_site
from tests.imports.undoing import ADA, send
from tests.processes import await_until

LONG_AGO = utcnow() - timedelta(minutes=5)


def await_proof() -> None:
    """Until somebody proves anew that the only import is at work."""
    with db.engine.begin() as connection:
        connection.execute(update(Import).values(heartbeat_at=LONG_AGO))

    def is_proven() -> bool:
        with db.engine.connect() as connection:
            return connection.scalar(select(Import.heartbeat_at)) > LONG_AGO  # type: ignore[operator] # it is set

    await_until(is_proven, "a proof of life", patience=5)


def test_a_command_lives_while_it_waits_for_its_input(app: Flask) -> None:
    add_site("S1")
    recorded = Recorded("command", "-", ADA, ZoneInfo("UTC"), every=0.01)
    recorded.number()

    def slow() -> Iterator[Row]:
        await_proof()
        yield Row(1, ["S1", "2026-03-01T06:00Z", "1", ""])

    assert recorded.load(slow(), now=ADA.now).new == 1


def test_a_file_of_the_page_lives_while_its_sites_are_classified(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "HEARTBEAT_SECONDS", 0.01)
    add_site("S1")
    content = b"site_id,reading_date,reading_value\nS1,2026-03-01T06:00Z,1\n"
    background.accept("readings", "a.csv", BytesIO(content), dry_run=False, author=ADA)
    waited: list[int] = []

    def wait(*_: Any) -> None:
        """Between two transactions, when all is read."""
        if threading.current_thread() is threading.main_thread() and not waited:
            waited.append(1)
            await_proof()

    def progress_is_over(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "import_site" in statement and not event.contains(db.engine, "checkin", wait):
            event.listen(db.engine, "checkin", wait)

    event.listen(db.engine, "after_cursor_execute", progress_is_over)
    try:
        background.process_pending()
    finally:
        event.remove(db.engine, "after_cursor_execute", progress_is_over)
    assert waited


def test_one_that_was_given_up_says_so_and_stays_failed(app: Flask) -> None:
    add_site("S1")

    def is_given_up(*_: object) -> None:
        background.process_pending(lambda: utcnow() + timedelta(minutes=3))

    with pytest.raises(LeaseLost, match="given up"):
        send(["S1,2026-03-01T06:00Z,1,"], progress=is_given_up)
    assert db.session.scalars(select(Import.error)).one() == claiming.DIED


def test_one_that_was_given_up_and_breaks_off_tells_what_broke_it_off(app: Flask) -> None:
    add_site("S1")

    def breaks_off(*_: object) -> None:
        background.process_pending(lambda: utcnow() + timedelta(minutes=3))
        raise FileError("the file ends in the middle")

    with pytest.raises(FileError, match="in the middle"):
        send(["S1,2026-03-01T06:00Z,1,"], progress=breaks_off)
    assert db.session.scalars(select(Import.error)).one() == claiming.DIED
