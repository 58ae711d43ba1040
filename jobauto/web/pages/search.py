"""Finding something from every page: sites by any words, jobs by their number, notes."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from ...clock import utcnow
from ...extensions import db
from ...jobs import queries as jobs
from ...jobs.notes import found_notes
from ...models import Job, Site
from ...sites import queries as sites
from ..numbers import whole_number
from ..paging import page_up_to

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
    wanted = jobs.bounded(jobs.JobFilter(search=asked))
    found = page_up_to(jobs.jobs_matching(wanted, utcnow()), 1, FOUND) if asked else None
    return render_template(
        "search/show.html",
        asked=asked,
        sites=page_up_to(_sites(asked, wanted.within), 1, FOUND) if asked else None,
        jobs=found,
        notes=found_notes([job.id for job in found.items], asked) if found else {},
        within=wanted.within,
    )


def _sites(asked: str, within: jobs.Within | None) -> Select[Any]:
    """The sites that have the words: of a few that is known, of many the first are soon come by."""
    if within is not None and within.sites is not None:
        return sites.by_keys(within.sites).order_by(Site.site_id)
    return sites.sites_matching(asked)
