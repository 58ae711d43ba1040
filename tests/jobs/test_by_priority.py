"""Among very many jobs, those of the highest priority are found along an index, in the same order."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, insert, text

from jobauto.extensions import db
from jobauto.jobs.queries import JobFilter, first_jobs_matching, jobs_matching, next_in_view
from jobauto.models import Job, Run
from jobauto.models.job import PRIORITIES
from jobauto.storage.connections import write
from tests.databases import SQLITE
from tests.fleets import NOON, add_site

JOBS = 60
WANTED = {
    "all": JobFilter(sort="priority"),
    "closed": JobFilter(sort="priority", status="closed"),
    "open": JobFilter(sort="priority", status="unclosed"),
    "of a group": JobFilter(sort="priority", group="North"),
    "of a priority": JobFilter(sort="priority", priority="low"),
    "of a site": JobFilter(sort="priority", site_id="S1"),
    "found by a word": JobFilter(sort="priority", search="S1"),
    "none": JobFilter(sort="priority", queue="nowhere"),
}


@pytest.fixture(autouse=True)
def _jobs(app: Flask) -> None:
    keys = [add_site(f"S{number}", group="North" if number % 2 else "") for number in range(5)]
    random = Random(16)  # noqa: S311 (a fleet, not a secret)
    with write() as session:
        run = Run(trigger="cli", as_of=NOON, started_at=NOON, heartbeat_at=NOON, status="succeeded")
        run.settings_version = 1
        session.add(run)
        session.flush()
        closed = {"status": "closed", "resolution": "fixed", "closed_at": NOON + timedelta(hours=1)}
        rows = [
            {
                "site_key": random.choice(keys), "rule": "no_coms", "job_type": "no_coms", "description": "",
                "priority": random.choice(PRIORITIES), "created_at": NOON, "run_id": run.id,
                "duplicate_checked": False, "status": "open", "resolution": None, "closed_at": None,
            }
            | (closed if random.random() < 0.7 else {})
            for _ in range(JOBS)
        ]  # fmt: skip
        session.execute(insert(Job), rows)


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_the_first_are_those_of_the_whole_order(wanted: JobFilter) -> None:
    every = numbers(wanted)
    for most in (1, 7, JOBS):
        first = db.session.scalars(first_jobs_matching(wanted, NOON, most).limit(most)).unique()
        assert [job.id for job in first] == every[:most]


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_one_goes_on_through_the_whole_order_and_back(wanted: JobFilter) -> None:
    """From a job that is not in the view as well."""
    places = {number: place for place, number in enumerate(numbers(JobFilter(sort="priority")))}
    every = numbers(wanted)
    for number, place in places.items():
        job = db.session.get_one(Job, number)
        after = [other for other in every if places[other] > place]
        before = [other for other in every if places[other] < place]
        assert db.session.scalar(next_in_view(job, wanted, NOON)) == next(iter(after), None)
        assert db.session.scalar(next_in_view(job, wanted, NOON, back=True)) == next(reversed(before), None)


@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
def test_nobody_sorts_all_jobs_for_it() -> None:
    """PostgreSQL plans by numbers of rows, which are few here."""
    plan = steps(first_jobs_matching(WANTED["all"], NOON, 7).limit(7))
    assert sum("ix_job_priority" in step for step in plan) == len(PRIORITIES)
    assert not [step for step in plan if step.startswith("SCAN job")]


@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
@pytest.mark.parametrize("status", ["", "closed"])
@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_nobody_walks_over_all_jobs_to_find_those_of_one_priority(sort: str, status: str) -> None:
    plan = steps(jobs_matching(JobFilter(priority="high", status=status, sort=sort), NOON))
    assert [step for step in plan if "job USING" in step] == [
        "SEARCH job USING INDEX ix_job_priority (priority=? AND id>?)"
    ]
    assert not [step for step in plan if "TEMP B-TREE" in step]


@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
@pytest.mark.parametrize(
    "narrower",
    [{"status": "unclosed"}, {"queue": "North"}, {"site_id": "S1"}, {"sort": "longest"}],
    ids=["open", "in a queue", "of a site", "in another order"],
)
def test_what_narrows_more_than_a_priority_is_walked_along_instead(narrower: dict[str, str]) -> None:
    plan = steps(jobs_matching(JobFilter(priority="high", **narrower), NOON))  # type: ignore[arg-type] # texts all
    assert not [step for step in plan if "ix_job_priority" in step]


def steps(query: Select[Any]) -> list[str]:
    """How SQLite goes about it."""
    made = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    return [row.detail for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {made}"))]


def numbers(wanted: JobFilter) -> list[int]:
    return [job.id for job in db.session.scalars(jobs_matching(wanted, NOON)).unique()]
