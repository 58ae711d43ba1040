"""The disk is full: a run fails or crashes and says so; with room again, the next one is well."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from jobauto.extensions import db
from jobauto.models import Import
from tests.databases import Postgresql, Sqlite
from tests.drills.disk import Disk
from tests.drills.stage import (
    DAY,
    LEASE,
    Stage,
    await_stop,
    await_ticks,
    london,
    nothing_is_half_done,
    runs,
)
from tests.people import Person
from tests.processes import await_until
from tests.runs.fleet import every_fault_has_one_job, fresh

pytestmark = pytest.mark.process

FULL = "database or disk is full|No space left on device"


@pytest.fixture
def database_uri(engine: Sqlite | Postgresql, disk: Disk) -> Iterator[str]:
    """A database on the small disk."""
    with engine.fresh(disk.folder) as uri:
        yield uri


def test_it_is_full_when_the_run_is_due(stage: Stage, disk: Disk) -> None:
    with stage.scheduler() as scheduler:
        await_ticks(scheduler)
        disk.fill()
        stage.clock.set(london("06:00"))
        scheduler.await_line(f"tick-failed.*({FULL})")
        assert nothing_is_half_done()
        disk.make_room()
        stage.clock.advance(LEASE)
        await_until(lambda: runs()[-1:] == [f"{DAY} succeeded"], "the run is made up for")
    assert every_fault_has_one_job()


def test_it_fills_up_in_the_middle_of_a_run(stage: Stage, disk: Disk) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="verdict") as scheduler:
        await_stop(scheduler)
        disk.fill()
        stage.go.touch()
        scheduler.await_line(f"rule-failed.*({FULL})")
        scheduler.await_line("tick-failed|event=end")
        assert nothing_is_half_done()
        disk.make_room()
        stage.clock.advance(LEASE)
        await_ticks(scheduler)
        await_until(lambda: not runs()[-1].endswith("running"), "the run has ended")
    first = runs()[0]
    assert first in (f"{DAY} failed", f"{DAY} partial", f"{DAY} crashed")
    with stage.command("run-daily-job-automation") as command:
        assert command.end() == 0
    assert every_fault_has_one_job()


def test_a_file_that_is_sent_meanwhile_is_refused_and_leaves_nothing_behind(
    app: Flask, tmp_path: Path, oscar: Person, disk: Disk
) -> None:
    (tmp_path / "imports").symlink_to(disk.folder)
    lines = b"site_id,site_name\n" + b"".join(b"S%d,A site\n" % number for number in range(20_000))

    def send() -> TestResponse:
        return oscar.post("/import/", kind="sites", file=(BytesIO(lines), "sites.csv"))

    disk.fill()
    refused = send()
    assert refused.status_code == 503
    assert "The database does not answer" in refused.text
    assert [file.name for file in disk.folder.iterdir() if file.suffix == ".csv"] == []
    assert db.session.scalars(select(Import)).all() == []

    disk.make_room()
    taken = send()
    assert taken.status_code == 302
    await_until(lambda: status_of_imports() == ["finished"], "it is imported")


def status_of_imports() -> list[str]:
    fresh()
    return list(db.session.scalars(select(Import.status)))
