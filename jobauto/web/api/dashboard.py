"""``/api/job-automation/dashboard/``."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...dashboard.queries import dashboard as dashboard_of
from ...extensions import db
from ...rules import RULES
from ...settings import service as settings_service
from .responses import (
    DashboardOut,
    RecentJobOut,
)
from .spec import responses, spec

bp = Blueprint("api_dashboard", __name__, url_prefix="/api/job-automation")


@bp.get("/dashboard/")
@spec.validate(resp=responses(DashboardOut))
def dashboard() -> ResponseReturnValue:
    """The numbers of the dashboard."""
    zone = settings_service.current().settings.schedule.zone
    now = utcnow()
    board = dashboard_of(db.session(), zone, now)
    last = board.last_run
    return {
        "summary": {
            **{f"total_{rule.name}": board.open_by_rule[rule.name] for rule in RULES},
            "jobs_created_today": board.created_today,
            "jobs_created_week": board.created_week,
            "last_run": last.finished_at.isoformat() if last and last.finished_at else None,
        },
        "recent_jobs": [RecentJobOut.of(job, now).model_dump(mode="json") for job in board.recent_jobs],
        "daily_stats": [
            {"date": day.label, **{rule.name: day.by_rule[rule.name] for rule in RULES}}
            for day in board.daily
        ],
    }
