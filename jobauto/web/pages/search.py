"""Finding something from every page: sites by any words, jobs by their number, notes."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...extensions import db
from ...jobs import queries as jobs
from ...models import Job, Site
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
    wanted = jobs.bounded(jobs.JobFilter(search=asked))
    found = jobs.jobs_matching(wanted, utcnow()).limit(FOUND + 1)
    return render_template(
        "search/show.html",
        asked=asked,
        sites=_sites(asked, wanted.within) if asked else [],
        jobs=db.session.scalars(found).all() if asked else [],
        most=FOUND,
        within=wanted.within,
    )


def _sites(asked: str, within: jobs.Within | None) -> Sequence[Site]:
    """The first sites that have the words: of a few that is known, of many the first are soon come by."""
    found = sites.sites_matching(asked)
    if within is not None and within.sites is not None:
        found = sites.by_keys(within.sites).order_by(Site.site_id)
    return db.session.scalars(found.limit(FOUND + 1)).all()
