"""A small fleet with one job of each rule, and the shapes of what the API answers."""

from typing import Any

from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Job

RECENT_JOB = {
    "id": int,
    "site_id": str,
    "site_name": str,
    "job_type": str,
    "rule": str,
    "created_at": str,
    "status": str,
    "description": str,
    "days_without_reading": (int, type(None)),
    "days_with_zero_increase": (int, type(None)),
    "faulty_days": (int, type(None)),
}
JOB = RECENT_JOB | {
    "priority": str,
    "assignee": (str, type(None)),
    "closed_at": (str, type(None)),
    "resolution": (str, type(None)),
    "run_id": int,
    "queue": str,
    "recovered_at": (str, type(None)),
    "covers": (int, type(None)),
}
RULE_RESULT = {
    "status": str,
    "checked": int,
    "flagged": int,
    "not_assessable": int,
    "created": int,
    "skipped": int,
    "covered": int,
    "duration_ms": int,
    "error": (str, type(None)),
}
RUN = {
    "id": int,
    "trigger": str,
    "requested_by": (str, type(None)),
    "as_of": str,
    "started_at": str,
    "finished_at": (str, type(None)),
    "status": str,
    "created_jobs": int,
    "rules": dict,
}
SITE = {
    "site_id": str,
    "site_name": str,
    "monitored_from": (str, type(None)),
    "active": bool,
    "group": str,
    "source": str,
    "capacity_kwp": (float, type(None)),
    "measure": (str, type(None)),
    "counts": str,
}
PAGE = {"items": list, "page": int, "per_page": int, "total": int}
ERROR = {"error": str, "fields": dict}


def has_shape(found: Any, shape: dict[str, Any]) -> bool:
    """Whether an object has exactly these fields, and values of these types."""
    assert set(found) == set(shape)
    wrong = {name: found[name] for name, kind in shape.items() if not isinstance(found[name], kind)}
    assert not wrong
    return True


def job_of(rule: str) -> int:
    """The id of the newest job that a rule opened."""
    db.session.rollback()
    return db.session.scalars(select(Job.id).where(Job.rule == rule).order_by(Job.id.desc())).first() or 0
