"""A run proves that it lives; what does not is marked as crashed, and only that."""

from datetime import timedelta
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Run
from jobauto.runs import queries
from jobauto.runs.lifecycle import Claim, RunInProgress, finish, heartbeat, reap_stale_runs, start
from jobauto.storage.connections import write_on
from jobauto.storage.leases import LeaseLost
from tests.databases import SQLITE
from tests.fleets import NOON
from tests.processes import await_until
from tests.runs.fleet import fresh, set_heartbeat, statuses


def start_a_run(**values: object) -> int:
    claim = Claim("schedule", None, NOON, NOON, settings_version=1, **values)  # type: ignore[arg-type]
    with db.engine.connect() as connection:
        return start(connection, claim)


def proof_is_fresh() -> bool:
    fresh()
    return db.session.scalars(select(Run.heartbeat_at)).one() > utcnow() - timedelta(minutes=1)


def test_the_heartbeat_renews_the_proof_again_and_again(app: Flask) -> None:
    run_id = start_a_run()
    with heartbeat(db.engine, run_id, every=0.01):
        for _ in range(3):
            set_heartbeat(timedelta(hours=1))
            await_until(proof_is_fresh, "the heartbeat renews the proof of life")


def test_the_heartbeat_of_a_run_that_was_given_up_stops(app: Flask) -> None:
    run_id = start_a_run()
    set_heartbeat(timedelta(hours=1))
    reap_stale_runs()
    with heartbeat(db.engine, run_id, every=0.01):
        pass
    assert statuses() == ["crashed"]
    assert not proof_is_fresh()


@pytest.mark.parametrize(
    ("ago", "status"),
    [
        pytest.param(timedelta(), "running", id="just now"),
        pytest.param(timedelta(seconds=40), "running", id="three beats missed"),
        pytest.param(timedelta(seconds=65), "crashed", id="a little over a minute ago"),
        pytest.param(timedelta(days=3), "crashed", id="days ago"),
        pytest.param(timedelta(seconds=-40), "running", id="a clock that is a little ahead"),
        pytest.param(timedelta(hours=-1), "crashed", id="the clock was set back by an hour"),
    ],
)
def test_who_counts_as_dead(app: Flask, ago: timedelta, status: str) -> None:
    start_a_run(slot=NOON.date())
    set_heartbeat(ago)

    reap_stale_runs()

    assert statuses() == [status]
    assert bool(db.session.scalar(queries.slot_is_taken(NOON.date()))) == (status == "running")


@pytest.mark.parametrize("ago", [timedelta(hours=1), timedelta(hours=-1)], ids=["long ago", "in the future"])
def test_the_next_run_marks_a_dead_one_itself(app: Flask, ago: timedelta) -> None:
    start_a_run()
    set_heartbeat(ago)
    assert run(RunParameters("cli"), utcnow).status == "succeeded"
    assert statuses() == ["crashed", "succeeded"]
    dead = db.session.scalars(select(Run).where(Run.status == "crashed")).one()
    assert dead.finished_at
    assert dead.finished_at <= utcnow()


def test_a_live_run_refuses_a_second_one(app: Flask) -> None:
    start_a_run()
    with pytest.raises(RunInProgress):
        run(RunParameters("cli"), utcnow)
    assert statuses() == ["running"]


def test_a_run_that_was_given_up_cannot_be_finished(app: Flask) -> None:
    run_id = start_a_run()
    set_heartbeat(timedelta(hours=1))
    reap_stale_runs()
    with db.engine.connect() as connection, pytest.raises(LeaseLost):
        finish(connection, run_id, "succeeded", utcnow())
    assert statuses() == ["crashed"]


@pytest.mark.parametrize("engine", [SQLITE], indirect=True)  # only SQLite has one write lock for all
def test_a_page_does_not_wait_for_a_run_that_looks_dead_and_is_writing(app: Flask) -> None:
    start_a_run()
    set_heartbeat(timedelta(hours=1))
    with db.engine.connect() as writer, write_on(writer):
        writer.execute(select(Run.id))  # BEGIN IMMEDIATE: the write lock is held
        began = monotonic()
        reap_stale_runs()
        assert monotonic() - began < 5

    assert statuses() == ["running"]
