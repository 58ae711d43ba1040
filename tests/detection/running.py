"""Running the service in tests: settings saved first, then a run at an instant that is passed in."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from jobauto.detection.service import RunParameters, RunResult, run
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job
from jobauto.settings import service
from tests.fleets import NOON


def save(**sections: dict[str, Any]) -> None:
    """Change settings: ``save(zero_reads={"check_duplicate": False})``."""
    document = {name.upper(): values for name, values in sections.items()}
    service.save(lambda settings: settings.changed(document, strict=True), by="ada", now=NOON)


def run_at(instant: datetime = NOON, **request: Any) -> RunResult:
    """A run that finds its clock at an instant."""
    return run(RunParameters("cli", **request), lambda: instant)


def later(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def jobs() -> list[Job]:
    """All jobs, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Job).order_by(Job.id)))


def work(job: Job, status: str) -> None:
    """Take a job a step on."""
    change(job.id, JobChange(status=status), by="oscar", now=NOON)
