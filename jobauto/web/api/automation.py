"""``/api/job-automation/``: settings, options, run now, dashboard, runs."""

from collections.abc import Callable

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit.service import Author
from ...clock import utcnow
from ...dashboard.queries import dashboard as dashboard_of
from ...detection import holds
from ...detection.service import RunParameters
from ...detection.service import run as run_rules
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import queries as jobs
from ...models import Run
from ...models.job import PRIORITIES, STATUSES
from ...rules import RULES
from ...runs import queries as runs
from ...runs.lifecycle import RunInProgress, reap_stale_runs
from ...settings import service as settings_service
from ...settings.schema import Settings, SettingsError
from ...storage.leases import LeaseLost
from ..access import needs
from ..forms.choices import of_codes
from ..paging import page_of
from .bodies import check_body, json_object, query_of_request
from .requests import PageIn, SettingsIn
from .responses import (
    DashboardOut,
    JobOut,
    OptionsOut,
    PageOut,
    RecentJobOut,
    RunDetailOut,
    RunFailedOut,
    RunHoldOut,
    RunNowOut,
    RunOut,
    SettingsSavedOut,
    run_result,
)
from .spec import responses, spec

bp = Blueprint("api_automation", __name__, url_prefix="/api/job-automation")
bp.before_request(check_body)


@bp.get("/settings/")
@spec.validate(resp=responses(Settings))
def settings() -> ResponseReturnValue:
    """The settings in force."""
    return settings_service.current().settings.document()


@bp.put("/settings/")
@needs("admin")
@spec.validate(json=SettingsIn, resp=responses(SettingsSavedOut, 413, 415, 422))
def settings_update() -> ResponseReturnValue:
    """Change settings, whole or in part; all or nothing."""
    changes = json_object()
    try:
        stored = settings_service.save(
            lambda settings: settings.changed(changes, strict=True), by=current_user.username, now=utcnow()
        )
    except SettingsError as error:
        raise InvalidInput("The settings were not changed.", error.fields) from error
    return {"message": "Settings updated successfully", **stored.settings.document()}


@bp.get("/options/")
@spec.validate(resp=responses(OptionsOut))
def options() -> ResponseReturnValue:
    """What may be chosen in settings and for jobs."""
    current = settings_service.current().settings
    types = [(current.rule(rule.name).job_type_id, rule.title) for rule in RULES]
    return {
        "job_types": [{"id": code, "name": title, "code": code} for code, title in types],
        "statuses": [{"id": code, "name": label, "code": code} for code, label in of_codes(STATUSES)],
        "priority_options": [{"value": value, "label": label} for value, label in of_codes(PRIORITIES)],
        "queues": [{"id": name, "name": name, "code": name} for name in _queues(current)],
        "task_templates": [],
    }


def _queues(current: Settings) -> list[str]:
    """The queues in use: those that jobs have, and those that the rules give."""
    given = {current.rule(rule.name).queue for rule in RULES} - {""}
    return sorted(given | set(db.session.scalars(jobs.queues())))


@bp.post("/run-manual/")
@needs("operator")
@spec.validate(resp=responses(RunNowOut, 409, failed=RunFailedOut))
def run_manual() -> ResponseReturnValue:
    """Check the fleet now."""
    try:
        result = run_rules(RunParameters(trigger="api", requested_by=current_user.username), utcnow)
    except RunInProgress as error:
        abort(409, str(error))
    except LeaseLost as error:
        return {"success": False, "error": str(error), "fields": {}}, 500
    answer = {"success": True, **run_result(result)}
    errors = [f"{name}: {rule.error}" for name, rule in result.rules.items() if rule.error]
    if errors:
        return answer | {"success": False, "error": "; ".join(errors), "fields": {}}, 500
    return answer


@bp.get("/dashboard/")
@spec.validate(resp=responses(DashboardOut))
def dashboard() -> ResponseReturnValue:
    """The numbers of the dashboard."""
    zone = settings_service.current().settings.schedule.zone
    board = dashboard_of(db.session(), zone, utcnow())
    last = board.last_run
    return {
        "summary": {
            "total_no_coms": board.open_by_rule["no_coms"],
            "total_zero_reads": board.open_by_rule["zero_reads"],
            "jobs_created_today": board.created_today,
            "jobs_created_week": board.created_week,
            "last_run": last.finished_at.isoformat() if last and last.finished_at else None,
        },
        "recent_jobs": [RecentJobOut.of(job).model_dump(mode="json") for job in board.recent_jobs],
        "daily_stats": [
            {"date": day.label, **{rule.name: day.by_rule[rule.name] for rule in RULES}}
            for day in board.daily
        ],
    }


@bp.get("/runs/")
@spec.validate(query=PageIn, resp=responses(PageOut[RunOut]))
def run_list() -> PageOut[RunOut]:
    """The history of runs, newest first."""
    reap_stale_runs()
    query: PageIn = query_of_request()
    page = page_of(runs.newest_first(), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [RunOut.of(run) for run in page.items]})


@bp.get("/runs/<int:run_id>/")
@spec.validate(resp=responses(RunDetailOut, 404))
def run_detail(run_id: int) -> RunDetailOut:
    """One run with the jobs that it opened."""
    reap_stale_runs()
    run = _run(run_id)
    opened = db.session.scalars(jobs.of_run(run_id))
    return RunDetailOut(**vars(RunHoldOut.of(run)), jobs=[JobOut.of(job) for job in opened])


@bp.post("/runs/<int:run_id>/release/")
@needs("operator")
@spec.validate(resp=responses(RunHoldOut, 404, 409))
def run_release(run_id: int) -> RunHoldOut:
    """Open the jobs that the guard held in a run, which may be fewer by now."""
    return _decided(run_id, holds.release)


@bp.post("/runs/<int:run_id>/discard/")
@needs("operator")
@spec.validate(resp=responses(RunHoldOut, 404, 409))
def run_discard(run_id: int) -> RunHoldOut:
    """Open none of the jobs that the guard held in a run."""
    return _decided(run_id, holds.discard)


def _decided(run_id: int, decide: Callable[[int, Author], object]) -> RunHoldOut:
    _run(run_id)
    try:
        decide(run_id, Author(current_user.username, utcnow()))
    except holds.NothingHeld as error:
        abort(409, str(error))
    return RunHoldOut.of(_run(run_id))


def _run(run_id: int) -> Run:
    run = db.session.get(Run, run_id)
    if run is None:
        abort(404, f"There is no run {run_id}.")
    return run
