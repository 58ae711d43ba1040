"""Of those who change the same jobs at the same moment nobody fails, and histories are true."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit import queries as audit
from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Event
from jobauto.users.service import hand_over, set_active
from tests.databases import Postgresql
from tests.detection.running import jobs, later, run_at, save
from tests.fleets import add_readings, add_site, days_before
from tests.processes import PATIENCE, await_until
from tests.racing import is_anybody_waiting, just_before
from tests.users.mailing import set_up_mail, verified

pytestmark = pytest.mark.postgresql


WHERE_FLAGGED = "WITH said AS \n(SELECT verdict.site_key AS site_key \nFROM verdict \nWHERE "
"""So begins the statement by which a run says that faults are back, after that of the recoveries."""


@pytest.fixture
def engine(postgresql: Postgresql) -> Postgresql:
    """On SQLite there is one writer at a time."""
    return postgresql


@contextmanager
def meanwhile(app: Flask, statement: str, act: Callable[[], object]) -> Iterator[list[Future[object]]]:
    """Have somebody else act just before a statement, until they are done or wait for us."""
    begun: list[Future[object]] = []

    def in_context() -> object:
        with app.app_context():
            return act()

    def begin() -> None:
        begun.append(pool.submit(in_context))
        with db.engine.connect() as watching:
            await_until(lambda: begun[0].done() or is_anybody_waiting(watching), "they are done, or wait")

    with ThreadPoolExecutor(1) as pool, just_before(statement, begin):
        yield begun


def test_a_run_and_a_hand_over_of_many_jobs_do_not_wait_for_each_other(app: Flask, cast: None) -> None:
    save(guard={"guard_enabled": False})
    came_back, recovers = (add_site(name, {days_before(4): 7}) for name in ("came back", "recovers"))
    run_at()
    add_readings(came_back, {days_before(2): 8})
    run_at(later(1))
    for job in jobs():
        change(job.id, JobChange(assignee="oscar"), by="ada", now=later(2))
    add_readings(recovers, {later(47): 8})

    def give_all_to_ada() -> int:
        return hand_over("oscar", "ada", author=Author("ada", later(48)))

    with meanwhile(app, WHERE_FLAGGED, give_all_to_ada) as handing:
        result = run_at(later(48))
        assert handing[0].result(PATIENCE) == 2
    assert result.status == "succeeded"
    assert [(job.assignee, job.recovered_at) for job in jobs()] == [("ada", None), ("ada", later(48))]


def test_a_job_that_somebody_works_at_that_moment_is_closed_by_both_state_and_history_or_neither(
    app: Flask, cast: None
) -> None:
    key = add_site("S1", {days_before(4): 7})
    run_at()
    add_readings(key, {days_before(0.1): 8})
    run_at(later(1))
    save(no_coms={"auto_close_recovered": True})

    def take() -> None:
        change(1, JobChange(assignee="oscar"), by="ada", now=later(2))

    with meanwhile(app, "UPDATE job SET status", take) as taking:
        run_at(later(2))
        taking[0].result(PATIENCE)
    (job,) = jobs()
    told = db.session.scalars(
        select(Event).where(Event.subject == "job", Event.field == "status").order_by(Event.id)
    ).all()
    assert [event.after for event in told][-1:] == ([job.status] if job.status == "closed" else [])
    assert audit.last_change("job", 1, "assignee") is not None


def test_who_assigns_a_job_to_an_admin_and_who_deactivates_its_assignee_do_not_wait_for_each_other(
    app: Flask, cast: None
) -> None:
    set_up_mail(app)
    verified("ada", "ada@example.org")
    add_site("S1", {days_before(4): 7})
    run_at()
    change(1, JobChange(assignee="oscar"), by="ada", now=later(1))

    def deactivate() -> bool:
        return set_active("oscar", False, author=Author("ada", later(2)), hand_over_to="")

    with meanwhile(app, "INSERT INTO assignment", deactivate) as deactivating:
        change(1, JobChange(assignee="ada"), by="oscar", now=later(2))
        assert deactivating[0].result(PATIENCE)
    assert [job.assignee for job in jobs()] == ["ada"]
