"""A process that ends leaves its import, and those that wait, to be resumed: none of them has failed."""

import signal
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.imports import background, claiming
from jobauto.models import Import
from jobauto.storage.connections import write
from tests.fleets import add_site
from tests.imports.test_background import HEADER, accept, counts, stored
from tests.processes import environment, started

pytestmark = pytest.mark.process

MANY = HEADER + b"".join(b"S1,2026-03-31T%02d:00Z,1\n" % hour for hour in range(10))


@pytest.fixture
def ids(app: Flask) -> list[int]:
    """Two imports that wait."""
    add_site("S1")
    return [accept(MANY), accept(MANY)]


def end_in_the_middle(database_uri: str, folder: Path, *words: str) -> str:
    """Begin the imports in a process, and have it end after the first batch; what it said."""
    command = [sys.executable, "-m", "tests.imports.ending", *words]
    with started(command, environment(database_uri, folder)) as process:
        process.await_line("in the middle")
        process.signal(signal.SIGTERM)
        assert process.end() == 0
    return process.output


def test_an_import_goes_on_as_long_as_its_process_does(
    ids: list[int], database_uri: str, tmp_path: Path
) -> None:
    output = end_in_the_middle(database_uri, tmp_path)

    assert "Traceback" not in output
    assert [counts(import_id) for import_id in ids] == [("finished", 10, 0, 0, 0), ("finished", 0, 0, 10, 0)]


def test_what_breaks_because_the_process_ends_has_not_failed_and_is_resumed(
    ids: list[int], database_uri: str, tmp_path: Path
) -> None:
    output = end_in_the_middle(database_uri, tmp_path, "breaking")

    assert "event=imports-failed" in output
    assert [counts(import_id)[0] for import_id in ids] == ["running", "queued"]
    assert stored() == 2

    long_ago = utcnow() - 2 * claiming.STALE_AFTER
    with write() as session:
        session.execute(update(Import).where(Import.status == "running").values(heartbeat_at=long_ago))
    background.process_pending()

    assert [counts(import_id)[:3] for import_id in ids] == [("finished", 8, 0), ("finished", 0, 0)]
    assert stored() == 10
