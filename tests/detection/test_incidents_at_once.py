"""Who else has to do with an incident at the very moment of a run: the database decides, and nobody fails."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Cover, Incident
from tests.databases import Postgresql
from tests.detection.running import jobs, later, save
from tests.detection.test_incidents import add_sites, counts, covered, opened, run
from tests.fleets import add_site, days_before
from tests.processes import PATIENCE, await_until
from tests.racing import is_anybody_waiting, just_before

pytestmark = pytest.mark.postgresql


@pytest.fixture
def engine(postgresql: Postgresql) -> Postgresql:
    """On SQLite there is one writer at a time."""
    return postgresql


def test_of_a_run_and_a_release_one_opens_the_incident(app: Flask) -> None:
    add_sites("gw-A", silent=24)
    held = run()
    assert held.run_id
    run_id = held.run_id
    save(guard={"guard_enabled": False})

    def release() -> None:
        assert holds.release(run_id, Author("oscar", later(1))) == 1

    with just_before("INSERT INTO incident", release):
        assert counts(run(1)) == (24, 0, 0, 24)
    assert opened() == [("gw-A-00", 23, "open")]
    assert {cover.job_id for cover in db.session.scalars(select(Cover))} == {jobs()[0].id}


def test_no_site_joins_an_incident_that_somebody_closes_at_that_moment(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    run()
    (incident,) = jobs()
    job_id = incident.id
    closing: list[Future[None]] = []

    def close() -> None:
        with app.app_context():
            change(job_id, JobChange(status="closed"), by="oscar", now=later(2))

    def begin_to_close() -> None:
        closing.append(pool.submit(close))
        with db.engine.connect() as watching:
            await_until(lambda: is_anybody_waiting(watching), "the person waits for the run")

    add_site("late", {days_before(4): 7}, source="gw-A")
    with ThreadPoolExecutor(1) as pool, just_before("INSERT INTO cover", begin_to_close):
        assert counts(run(1)) == (7, 0, 0, 7)
        closing[0].result(PATIENCE)
    assert covered() == set()
    assert db.session.scalars(select(Incident.state)).all() == ["closed"]
