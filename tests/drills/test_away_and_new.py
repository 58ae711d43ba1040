"""A start after a night down, and a first installation: one run for today, nothing for the past."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto import create_app
from jobauto.extensions import db
from jobauto.models import Run
from tests.databases import Postgresql, Sqlite
from tests.drills.clock import WallClock
from tests.drills.stage import DAY, Stage, await_runs, await_ticks, london, nothing_is_half_done, runs

pytestmark = pytest.mark.process

EVENING_BEFORE = "2026-03-27"


@pytest.mark.any_engine
def test_after_days_down_one_run_as_of_now(stage: Stage) -> None:
    stage.clock.set(london("18:00", EVENING_BEFORE))
    with stage.scheduler() as scheduler:
        await_runs(f"{EVENING_BEFORE} succeeded")
        await_ticks(scheduler)
    stage.clock.set(london("09:00"))
    with stage.scheduler() as scheduler, stage.web("--workers", "2"):
        await_runs(f"{EVENING_BEFORE} succeeded", f"{DAY} succeeded")
        await_ticks(scheduler)
    assert runs() == [f"{EVENING_BEFORE} succeeded", f"{DAY} succeeded"], "none for the days between"
    made = db.session.scalars(select(Run).order_by(Run.id.desc())).first()
    assert made
    assert made.as_of == made.started_at
    assert timedelta() <= made.as_of - london("09:00") < timedelta(minutes=10)
    assert nothing_is_half_done()


@pytest.fixture
def fresh_stage(engine: Sqlite | Postgresql, tmp_path: Path, clock: WallClock) -> Stage:
    """An empty database."""
    return Stage(engine.empty(), tmp_path, clock)


@pytest.mark.any_engine
def test_a_first_installation_in_the_afternoon_owes_nothing_until_the_next_morning(
    fresh_stage: Stage,
) -> None:
    stage = fresh_stage
    stage.clock.set(london("15:00"))
    with stage.scheduler() as too_early:
        assert too_early.end() == 1
    assert "jobauto db upgrade" in too_early.output
    with stage.command("db", "upgrade") as upgrade:
        assert upgrade.end() == 0
    app: Flask = create_app(
        {"TESTING": True, "SQLALCHEMY_DATABASE_URI": stage.database_uri, "SECRET_KEY": "x"}
    )
    with app.app_context(), stage.scheduler() as scheduler:
        for day, time in ((DAY, "15:00"), (DAY, "23:59"), ("2026-04-01", "05:59")):
            stage.clock.set(london(time, day))
            await_ticks(scheduler)
            assert runs() == [], time
        stage.clock.set(london("06:00", "2026-04-01"))
        await_runs("2026-04-01 succeeded")
        db.session.remove()
        db.engine.dispose()
