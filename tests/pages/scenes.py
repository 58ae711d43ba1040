"""States of the database that pages have to tell of."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Import, Job, Run, RunRule
from jobauto.storage.connections import write
from tests.fleets import add_site, daily

FLAT, SILENT, WELL, NEW = "FLAT", "SILENT", "WELL", "NEW"

PAGES = (
    "/",
    "/jobs/",
    "/jobs/1",
    "/sites/",
    "/sites/FLAT",
    "/readings/FLAT",
    "/reviews/",
    "/runs/",
    "/runs/1",
    "/runs/1/sites",
    "/lab/",
    "/report/",
    "/report/jobs?number=open",
    "/report/often",
    "/report/sites?state=silent",
    "/settings/",
    "/settings/flagged",
    "/settings/notifications/",
    "/policies/",
    "/import/",
    "/profiles/",
    "/users/",
    "/users/vera",
    "/account",
    "/audit/",
)
"""Every page of a fleet with a job and a run."""


def faulty_fleet() -> None:
    """A site of each kind, as of now: one stands still, one was never heard of, one is well, one is new."""
    recent = utcnow() - timedelta(hours=1)
    add_site(FLAT, daily([1234] * 5, recent), site_name="Flat roof")
    add_site(SILENT, {}, site_name="Silent roof")
    add_site(WELL, daily([1, 2, 3, 4, 5], recent), site_name="Well roof")
    add_site(NEW, {}, site_name="New roof", monitored_from=recent.date())


def checked_fleet() -> int:
    """The same, after a run; returns its id."""
    faulty_fleet()
    run_id = run(RunParameters(trigger="manual", requested_by="oscar"), utcnow).run_id
    assert run_id is not None
    return run_id


def add_incident(source: str = "gw-A") -> int:
    """Six more sites, which fell silent together, behind a source; returns the job's id."""
    silent = daily([1, 2, 3], utcnow() - timedelta(days=4))
    for number in range(1, 7):
        add_site(f"GW{number}", silent, site_name=f"Roof {number} behind it", source=source)
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)
    return db.session.scalars(select(Job.id).where(Job.covers > 0)).one()


def add_run(status: str, *rules: RunRule, **values: Any) -> int:
    """A run of a minute ago; returns its id."""
    began = utcnow() - timedelta(minutes=1)
    times = {
        "as_of": began,
        "started_at": began,
        "heartbeat_at": utcnow(),
        "trigger": "cli",
        "settings_version": 1,
    }
    ended = {} if status == "running" else {"finished_at": utcnow()}
    with write() as session:
        stored = Run(status=status, rules=list(rules), **(times | ended | values))
        session.add(stored)
        session.flush()
        run_id: int = stored.id
    return run_id


def add_import(**values: Any) -> int:
    """An import of readings of a minute ago, whose file is not on this machine; returns its id."""
    known = {
        "kind": "readings",
        "filename": "march.csv",
        "kept_as": uuid4().hex,
        "dry_run": False,
        "status": "queued",
        "requested_by": "oscar",
        "requested_at": utcnow() - timedelta(minutes=1),
        "size": 1000,
    }
    with write() as session:
        stored = Import(**(known | values))
        session.add(stored)
        session.flush()
        import_id: int = stored.id
    return import_id
