"""Run now, the history of runs, and what the guard held: under ``/api/job-automation/``."""

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit.service import Author
from ...clock import utcnow
from ...detection import holds
from ...detection.service import RunParameters
from ...detection.service import run as run_rules
from ...extensions import db
from ...jobs import queries as jobs
from ...jobs.export import AT_ONCE
from ...models import Run
from ...runs import queries as runs
from ...runs.lifecycle import RunInProgress, reap_stale_runs
from ...storage.leases import LeaseLost
from ..access import current_author, needs
from ..exports import json_file
from ..lookup import get_or_404
from ..paging import page_of
from .bodies import query_of_request
from .requests import NewestFirstIn
from .responses import (
    JobOut,
    PageOut,
    RunDetailOut,
    RunFailedOut,
    RunHoldOut,
    RunNowOut,
    RunOut,
)
from .spec import responses, spec

bp = Blueprint("api_runs", __name__, url_prefix="/api/job-automation")


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
    answer = {"success": True, **result.document()}
    errors = [f"{name}: {rule.error}" for name, rule in result.rules.items() if rule.error]
    if errors:
        return answer | {"success": False, "error": "; ".join(errors), "fields": {}}, 500
    return answer


@bp.get("/runs/")
@spec.validate(query=NewestFirstIn, resp=responses(PageOut[RunOut]))
def run_list() -> PageOut[RunOut]:
    """The history of runs, newest first."""
    reap_stale_runs()
    query: NewestFirstIn = query_of_request()
    page = page_of(runs.newest_first(query.before_id), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [RunOut.of(run) for run in page.items]})


@bp.get("/runs/<int:run_id>/")
@spec.validate(resp=responses(RunDetailOut, 404))
def run_detail(run_id: int) -> Response:
    """One run with the jobs that it opened."""
    reap_stale_runs()
    run = get_or_404(Run, run_id, "run")
    return json_file(RunHoldOut.of(run), {"jobs": _opened_by(run_id)}, rows=run.created_jobs)


def _opened_by(run_id: int) -> Iterator[JobOut]:
    now = utcnow()
    for job in db.session.scalars(jobs.of_run(run_id).execution_options(yield_per=AT_ONCE)):
        yield JobOut.of(job, now)
    db.session.rollback()


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
    get_or_404(Run, run_id, "run")
    try:
        decide(run_id, current_author())
    except holds.NothingHeld as error:
        abort(409, str(error))
    return RunHoldOut.of(get_or_404(Run, run_id, "run"))
