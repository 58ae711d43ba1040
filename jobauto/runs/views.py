"""The history of runs."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from ..extensions import db
from ..jobs import queries as jobs
from ..models import Run
from ..paging import asked_page, page_of
from ..settings import service as settings_service
from ..settings.labels import listed
from . import queries
from .lifecycle import bury_the_dead

bp = Blueprint("runs", __name__, url_prefix="/runs")


@bp.get("/")
def index() -> ResponseReturnValue:
    """All runs, newest first."""
    bury_the_dead()
    return render_template("runs/index.html", page=page_of(queries.newest_first(), *asked_page()))


@bp.get("/<int:run_id>")
def show(run_id: int) -> ResponseReturnValue:
    """One run: what each rule did, the settings used, the jobs that it opened."""
    bury_the_dead()
    run = db.session.get(Run, run_id)
    if run is None:
        abort(404, f"There is no run {run_id}.")
    return render_template(
        "runs/show.html",
        run=run,
        settings_used=listed(settings_service.of_version(run.settings_version)),
        page=page_of(jobs.of_run(run_id), *asked_page()),
    )
