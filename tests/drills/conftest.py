"""What the drills share: a clock they can set, and the program's processes on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.drills.clock import WallClock
from tests.drills.disk import Disk, small_disk
from tests.drills.server import OwnPostgresql
from tests.drills.stage import Stage, london
from tests.runs.fleet import add_faulty_fleet, owe_slots_since
from tests.starting import allowed


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    """The clock on the wall: a minute before six in London, when the day's run is due."""
    clock = WallClock(tmp_path / "clock")
    clock.set(london("05:59"))
    return clock


@pytest.fixture
def stage(app: Flask, database_uri: str, tmp_path: Path, clock: WallClock) -> Stage:
    """A database with a faulty fleet that has owed slots for days, and processes that work on it."""
    add_faulty_fleet(london("06:00"))
    owe_slots_since(london("00:00", "2026-03-01"))
    return Stage(database_uri, tmp_path, clock)


@pytest.fixture(scope="session")
def own_postgresql() -> Iterator[OwnPostgresql]:
    """A server that a drill may stop and start."""
    server = OwnPostgresql()
    yield server
    with allowed():  # after the last test of all, whichever that is
        server.stop()


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk of 24 MB."""
    with small_disk(megabytes=24) as disk:
        yield disk
