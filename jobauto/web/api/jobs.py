"""``/api/jobs/``."""

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext

from flask import Blueprint, Response, abort
from flask_login import current_user

from ...audit import queries as audit
from ...clock import utcnow
from ...extensions import db
from ...jobs import incidents, queries, service
from ...models import Job
from ...turns import Turns
from ..access import needs, token_name
from ..exports import Lists, csv_response, file_turn, json_file, json_with
from ..in_turn import in_turn
from ..lookup import get_or_404
from ..paging import page_of
from .bodies import body_of_request, check_body, query_of_request
from .requests import JobChangeIn, JobFilterIn, JobsIn
from .responses import CoveredSiteOut, EventOut, JobDetailOut, JobOut, PageOut
from .spec import responses, spec

AT_ONCE = 100
"""Changes of a history that are read at once: each may be a text of thousands of characters."""
SEARCHES_AT_ONCE = 2
IN_LINE = 2
SEARCHES = Turns(SEARCHES_AT_ONCE, IN_LINE)
"""A search here looks into all jobs, where one of the pages has its bounds: among 300,000 it holds a thread
for most of a second. So few go on at once in a process, and few wait."""
BUSY = "Other searches are going on. Try again in some seconds."

bp = Blueprint("api_jobs", __name__, url_prefix="/api/jobs")
bp.before_request(check_body)


@bp.get("/")
@spec.validate(query=JobsIn, resp=responses(PageOut[JobOut]))
def job_list() -> PageOut[JobOut]:
    """Jobs, newest first."""
    query: JobsIn = query_of_request()
    now = utcnow()
    with in_turn(SEARCHES, BUSY, "api-limited") if query.search else nullcontext():
        page = page_of(queries.jobs_matching(query.filter(), now), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [JobOut.of(job, now) for job in page.items]})


@bp.get("/export.csv")
@spec.validate(query=JobFilterIn, resp=responses(None))
def job_export() -> Response:
    """The list as CSV, with the list's filters."""
    query: JobFilterIn = query_of_request()
    return csv_response(query.filter())


@bp.get("/<int:job_id>/")
@spec.validate(resp=responses(JobDetailOut, 404))
def job_detail(job_id: int) -> Response:
    """One job with its history. An incident may have very many sites, so it is sent like a file."""
    job = get_or_404(Job, job_id, "job")
    document, lists = _detail(job)
    return json_file(document, lists, rows=job.covers) if job.covers else json_with(document, lists)


@bp.patch("/<int:job_id>/")
@needs("operator")
@spec.validate(json=JobChangeIn, resp=responses(JobDetailOut, 404, 409, 413, 415, 422))
def job_change(job_id: int) -> Response:
    """Work a job: status, resolution, priority, assignee, note."""
    wanted: JobChangeIn = body_of_request()
    unassign = "assignee" in wanted.model_fields_set and not wanted.assignee
    change = service.JobChange(**wanted.model_dump() | {"assignee": "" if unassign else wanted.assignee})
    with ExitStack() as held:
        if get_or_404(Job, job_id, "job").covers:  # before the change: what is done is not refused
            held.enter_context(file_turn())
        try:
            service.change(job_id, change, by=current_user.username, now=utcnow(), token=token_name())
        except service.UnknownJob:
            abort(404, f"There is no job {job_id}.")
        answer = json_with(*_detail(get_or_404(Job, job_id, "job")))
        answer.call_on_close(held.pop_all().close)
    return answer


def _detail(job: Job) -> tuple[JobOut, Lists]:
    now = utcnow()
    covered = map(CoveredSiteOut.model_validate, incidents.covered_sites(job, now))
    return JobOut.of(job, now), {"covered_sites": covered, "history": _history(job.id)}


def _history(job_id: int) -> Iterator[EventOut]:
    events = audit.events_for("job", job_id).execution_options(yield_per=AT_ONCE)
    for event in db.session.scalars(events):
        yield EventOut.model_validate(event)
    db.session.rollback()
