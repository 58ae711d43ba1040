"""The SQLite file is locked for long, or its folder is gone: once it is back, all goes on by itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from jobauto.extensions import db
from tests.databases import SQLITE
from tests.drills.actor import TICKED
from tests.drills.asking import ask
from tests.drills.stage import (
    DAY,
    LEASE,
    Stage,
    await_runs,
    await_stop,
    await_ticks,
    london,
    nothing_is_half_done,
    runs,
)
from tests.runs.fleet import every_fault_has_one_job

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", [SQLITE], indirect=True)]
IMPATIENT = {"DRILL_TIMEOUT_MS": "500"}
"""Not the half minute that the program waits for a lock."""


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Somebody else writes, and does not come to an end while the block lasts."""
    with closing(sqlite3.connect(str(make_url(stage.database_uri).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


def test_it_is_locked_when_the_run_is_due(stage: Stage) -> None:
    with stage.scheduler(**IMPATIENT) as scheduler:
        await_ticks(scheduler)
        with locked(stage):
            stage.clock.set(london("06:00"))
            scheduler.await_line("tick-failed .*locked")
            scheduler.await_line("tick-failed .*locked")
        await_runs(f"{DAY} succeeded")
    assert every_fault_has_one_job()
    assert "Traceback" not in scheduler.output


def test_it_is_locked_in_the_middle_of_a_run(stage: Stage) -> None:
    stage.clock.set(london("06:00"))
    with stage.scheduler(DRILL_STOP="verdict", **IMPATIENT) as scheduler:
        await_stop(scheduler)
        with locked(stage):
            stage.go.touch()
            scheduler.await_line(TICKED)  # the run's own: other work fails, too, and says nothing of it
        await_ticks(scheduler)
        assert runs() == [f"{DAY} running"], "it could tell nobody; its last proof of life is fresh"
        assert nothing_is_half_done()
        stage.clock.advance(LEASE)
        await_runs(f"{DAY} crashed", f"{DAY} succeeded")
    assert every_fault_has_one_job()


@pytest.fixture
def folder(stage: Stage, tmp_path: Path) -> Path:
    """The folder of the database, which nothing else is in."""
    db.session.remove()
    db.engine.dispose()
    file = Path(str(make_url(stage.database_uri).database))
    folder = tmp_path / "data"
    folder.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        part.rename(folder / part.name)
    file.parent.joinpath(file.name).symlink_to(folder / file.name)
    return folder


def test_its_folder_is_moved_away_and_back(stage: Stage, folder: Path) -> None:
    away = folder.with_name("away")
    with stage.scheduler() as scheduler, stage.web("--workers", "2") as (_, url):
        await_ticks(scheduler)
        folder.rename(away)
        assert ask("GET", f"{url}/healthz")[0] in (200, 503), "who has the file open may still use it"
        away.rename(folder)
        stage.clock.set(london("06:00"))
        await_runs(f"{DAY} succeeded")
        assert ask("GET", f"{url}/healthz") == (200, {"status": "ok"})
        await_ticks(scheduler)
    assert runs() == [f"{DAY} succeeded"]
    assert every_fault_has_one_job()
