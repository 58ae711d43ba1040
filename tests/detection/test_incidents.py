"""Sites of one source that fall silent together are one job: an incident."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.service import RunResult
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Cover, Event, Incident, Job, RunSite, Site
from jobauto.rules.no_coms import NO_COMS
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_readings, add_site, daily, days_before

DAY = 24
WELL = daily(range(1, 9))


def add_sites(source: str, silent: int = 0, well: int = 0, days: float = 4, **values: Any) -> dict[str, int]:
    """Sites of a source: the silent ones last reported so many days ago; their keys by id."""
    keys = {
        f"{source}-{place:02}": add_site(
            f"{source}-{place:02}", {days_before(days): 7}, source=source, **values
        )
        for place in range(silent)
    }
    return keys | {
        f"{source}-well-{place:02}": add_site(f"{source}-well-{place:02}", WELL, source=source, **values)
        for place in range(well)
    }


def run(hours: float = 0, **request: Any) -> RunResult:
    """No Coms so many hours after noon."""
    return run_at(later(hours), **{"rules": (NO_COMS,)} | request)


def counts(result: RunResult) -> tuple[int, int, int, int]:
    """Flagged, created, skipped, covered."""
    found = result.rules["no_coms"]
    return found.flagged, found.created, found.skipped, found.covered


def report(keys: Iterable[int], hours: float) -> None:
    """The sites send a reading so many hours after noon."""
    for key in keys:
        add_readings(key, {later(hours): 8})


def opened() -> list[tuple[str, int | None, str]]:
    """(site, covers, status) of all jobs, oldest first."""
    return [(job.site.site_id, job.covers, job.status) for job in jobs()]


def covered() -> set[str]:
    """The sites that an incident covers."""
    db.session.rollback()
    query = select(Site.site_id).join(Cover, Cover.site_key == Site.key).where(Cover.ended_at.is_(None))
    return set(db.session.scalars(query))


def recovered() -> list[bool]:
    """Whether each job has recovered, oldest first."""
    return [job.recovered_at is not None for job in jobs()]


def test_sites_of_one_source_that_fall_silent_together_are_one_job(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6, well=5)
    result = run()
    assert counts(result) == (6, 1, 0, 5)
    (job,) = jobs()
    assert (job.site_key, job.covers, job.description) == (
        keys["gw-A-00"],
        5,
        "No readings from 6 sites behind gw-A",
    )
    assert (job.since, job.days, job.priority, job.status) == (days_before(4), 4, "medium", "open")
    assert covered() == {name for name in keys if "well" not in name}
    assert counts(run(1)) == (6, 0, 0, 6), "its own site is covered, too"
