"""The history of runs."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...detection import holds
from ...jobs import queries as jobs
from ...models import Run, RunRequest
from ...runs import queries, run_requests
from ...runs.lifecycle import reap_stale_runs
from ...settings import service as settings_service
from ...settings.labels import listed
from ...wording import pluralize
from ..access import current_author, needs
from ..lookup import get_or_404
from ..paging import asked_page, page_of

bp = Blueprint("runs", __name__, url_prefix="/runs")


@bp.get("/")
def index() -> ResponseReturnValue:
    """All runs, newest first."""
    reap_stale_runs()
    return render_template("runs/index.html", page=page_of(queries.newest_first(), *asked_page()))


@bp.post("/<int:run_id>/release")
@needs("operator")
def release(run_id: int) -> ResponseReturnValue:
    """Open the jobs that the guard held."""
    try:
        created = holds.release(run_id, current_author())
    except holds.NothingHeld as error:
        flash(str(error), "warning")
    else:
        flash(f"Released: opened {pluralize(created, 'job')}.", "success")
    return redirect(url_for(".show", run_id=run_id))


@bp.post("/<int:run_id>/discard")
@needs("operator")
def discard(run_id: int) -> ResponseReturnValue:
    """Open none of them."""
    try:
        holds.discard(run_id, current_author())
    except holds.NothingHeld as error:
        flash(str(error), "warning")
    else:
        flash("Discarded: no jobs were opened.", "success")
    return redirect(url_for(".show", run_id=run_id))


@bp.get("/requests/<int:request_id>")
def requested(request_id: int) -> ResponseReturnValue:
    """A run that a worker is to do: the page waits for it, then leads to it or says why there is none."""
    asked = get_or_404(RunRequest, request_id, "request")
    if asked.run_id is not None:
        return redirect(url_for(".show", run_id=asked.run_id))
    return render_template("runs/requested.html", asked=asked, waits=run_requests.waits(asked, utcnow()))


@bp.get("/<int:run_id>")
def show(run_id: int) -> ResponseReturnValue:
    """One run: what each rule did, the settings used, the jobs that it opened."""
    reap_stale_runs()
    run = get_or_404(Run, run_id, "run")
    return render_template(
        "runs/show.html",
        run=run,
        settings_used=listed(settings_service.of_version(run.settings_version)),
        page=page_of(jobs.of_run(run_id), *asked_page()),
    )
