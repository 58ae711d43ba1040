"""Who else has to do with an incident at the very moment of a run: the database decides, and nobody fails."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.service import RunResult
from jobauto.errors import InvalidInput
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


def own_job_closed_then_five_fall_silent() -> None:
    """The job 1 of gw-A-00 is closed; its fault holds, and five more sites of its source have it since."""
    add_sites("gw-A", silent=1)
    run()
    change(1, JobChange(status="closed"), by="oscar", now=later(1))
    for place in range(5):
        add_site(f"late-{place}", {days_before(4): 7}, source="gw-A")


def incident_closed_and_none_wanted() -> None:
    """The job 1 is an incident of six sites that somebody closed; each gets a job of its own now."""
    add_sites("gw-A", silent=6)
    run()
    change(1, JobChange(status="closed"), by="oscar", now=later(1))
    save(guard={"incident_enabled": False})


@pytest.mark.parametrize(
    ("before", "statement", "is_refused"),
    [
        pytest.param(own_job_closed_then_five_fall_silent, "INSERT INTO cover", True, id="its own, covered"),
        pytest.param(incident_closed_and_none_wanted, "INSERT INTO job_reading", False, id="an incident"),
    ],
)
def test_no_site_has_both_where_somebody_reopens_while_a_run_decides(
    app: Flask, before: Callable[[], None], statement: str, is_refused: bool
) -> None:
    before()
    reopening: list[Future[None]] = []

    def reopen() -> None:
        with app.app_context():
            change(1, JobChange(status="open"), by="oscar", now=later(2))

    def begin_to_reopen() -> None:
        reopening.append(pool.submit(reopen))
        with db.engine.connect() as watching:
            await_until(
                lambda: reopening[0].done() or is_anybody_waiting(watching), "the person is done, or waits"
            )

    with ThreadPoolExecutor(1) as pool, just_before(statement, begin_to_reopen):
        run(1.5)
        refused = isinstance(reopening[0].exception(PATIENCE), InvalidInput)
    assert refused == is_refused
    assert with_both() == set()


def test_nor_where_a_run_begins_while_somebody_reopens(app: Flask) -> None:
    own_job_closed_then_five_fall_silent()
    running: list[Future[RunResult]] = []

    def run_elsewhere() -> RunResult:
        with app.app_context():
            return run(1.5)

    def begin_to_run() -> None:
        running.append(pool.submit(run_elsewhere))
        with db.engine.connect() as watching:
            await_until(
                lambda: running[0].done() or is_anybody_waiting(watching), "the run is done, or waits"
            )

    with ThreadPoolExecutor(1) as pool, just_before("UPDATE job SET", begin_to_run):
        change(1, JobChange(status="open"), by="oscar", now=later(2))
        assert counts(running[0].result(PATIENCE)) == (6, 1, 1, 4)
    assert with_both() == set()


def test_a_job_that_is_closed_while_somebody_takes_a_step_with_it_is_not_reopened_by_that(app: Flask) -> None:
    add_sites("gw-A", silent=1)
    run()

    def close() -> None:
        with app.app_context():
            change(1, JobChange(status="closed"), by="ada", now=later(1))

    with (
        just_before("SELECT incident.job_id", close),
        pytest.raises(InvalidInput, match="has closed the job at this moment"),
    ):
        change(1, JobChange(status="on_hold"), by="oscar", now=later(1))
    assert [job.status for job in jobs()] == ["closed"]


def with_both() -> set[str]:
    """The sites that have an open job of their own, and that an incident covers."""
    return covered() & {job.site.site_id for job in jobs() if job.covers is None and job.status != "closed"}
