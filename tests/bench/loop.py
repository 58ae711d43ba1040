"""The obvious loop: what one writes first, and what the rules are compared to."""

from datetime import datetime

from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Job, Reading, Run, Site
from tests.bench.fleet import DAY

THRESHOLD, TO_CHECK, TO_COMPARE = 3, 4, 3
"""The settings' defaults."""


def check_in_a_loop(as_of: datetime) -> int:
    """Open a job for each fault, a site after the other; returns how many.

    Two queries a site and a commit a job, and nothing else that the service does: no evidence, no
    recovery, no figures. It is not made slower than it need be: sites are plain rows.
    """
    run = Run(
        trigger="cli", as_of=as_of, started_at=as_of, heartbeat_at=as_of, status="running", settings_version=1
    )
    db.session.add(run)
    db.session.commit()
    run_id, opened = run.id, 0
    for key, name in db.session.execute(select(Site.key, Site.site_name).where(Site.active)).all():
        readings = select(Reading).where(Reading.site_key == key, Reading.reading_date <= as_of)
        last = db.session.scalar(readings.order_by(Reading.reading_date.desc()).limit(1))
        window = db.session.scalars(readings.where(Reading.reading_date > as_of - TO_CHECK * DAY)).all()
        if last is None or last.reading_date <= as_of - THRESHOLD * DAY:
            opened += _open(run_id, key, "no_coms", f"No readings for {THRESHOLD} days from {name}", as_of)
        if len(window) >= TO_COMPARE and len({reading.reading_value for reading in window}) == 1:
            opened += _open(run_id, key, "zero_reads", f"No generation increase at {name}", as_of)
    db.session.rollback()
    return opened


def _open(run_id: int, key: int, rule: str, description: str, now: datetime) -> bool:
    if db.session.scalar(select(Job.id).where(Job.site_key == key, Job.rule == rule, Job.status != "closed")):
        return False
    db.session.add(
        Job(
            site_key=key,
            rule=rule,
            job_type=rule,
            status="open",
            priority="medium",
            description=description,
            created_at=now,
            run_id=run_id,
            duplicate_checked=True,
        )
    )
    db.session.commit()
    return True
