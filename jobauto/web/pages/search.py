"""Finding something from every page: sites by any words, jobs by their number, notes."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...extensions import db
from ...jobs import queries as jobs
from ...models import Job
from ...sites import queries as sites
from ..numbers import whole_number

bp = Blueprint("search", __name__, url_prefix="/search")

FOUND = 20
LONGEST = 100


@bp.get("/")
def show() -> ResponseReturnValue:
    """What has all the words, the newest jobs first; the number of a job leads to the job itself."""
    asked = request.args.get("q", "").replace("\0", "").strip()[:LONGEST]
    job_id = whole_number(asked[1:]) if asked.startswith("#") else None
    if job_id is not None and db.session.get(Job, job_id) is not None:
        return redirect(url_for("jobs.show", job_id=job_id))
    found = jobs.jobs_matching(jobs.JobFilter(search=asked), utcnow()).limit(FOUND + 1)
    return render_template(
        "search/show.html",
        asked=asked,
        sites=db.session.scalars(sites.sites_matching(asked).limit(FOUND + 1)).all() if asked else [],
        jobs=db.session.scalars(found).all() if asked else [],
        most=FOUND,
    )
