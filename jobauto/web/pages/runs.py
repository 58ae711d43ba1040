"""The history of runs."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...detection import holds
from ...detection.held_sites import held_sites
from ...detection.kept_sites import KINDS, Kept, KeptFilter, kept, kept_sites
from ...jobs import queries as jobs
from ...models import Run, RunRequest
from ...rules import RULES
from ...runs import queries, run_requests
from ...runs.lifecycle import reap_stale_runs
from ...settings import service as settings_service
from ...settings.labels import listed
from ...wording import pluralize
from ..access import current_author, needs
from ..lookup import get_or_404
from ..numbers import whole_number
from ..paging import Page, asked_page, page_of

bp = Blueprint("runs", __name__, url_prefix="/runs")

KEPT = 50
"""So many sites that a run kept stand on a page."""
SHOWN_SITES = 20
"""So many held sites are listed where they are not the matter of the page."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """All runs, newest first."""
    reap_stale_runs()
    return render_template("runs/index.html", page=page_of(queries.newest_first(), *asked_page()))


@bp.get("/<int:run_id>/held")
def held(run_id: int) -> ResponseReturnValue:
    """The sites whose jobs a run holds."""
    run = get_or_404(Run, run_id, "run")
    number, per_page = asked_page()
    sites = held_sites(run, utcnow(), limit=per_page, offset=(number - 1) * per_page)
    run = get_or_404(Run, run_id, "run")
    page = Page(sites.items, number, per_page, sites.total)
    return render_template("runs/held.html", run=run, page=page)


@bp.get("/<int:run_id>/sites")
def sites(run_id: int) -> ResponseReturnValue:
    """The sites that a rule of the run found not to be well; of one kind where the address asks for it."""
    run = get_or_404(Run, run_id, "run")
    counted = kept(run_id)
    wanted = _wanted(counted)
    found = kept_sites(run_id, wanted, after=whole_number(request.args.get("after", "")) or 0, limit=KEPT + 1)
    return render_template(
        "runs/sites.html",
        run=run,
        kept=counted,
        kinds=KINDS,
        wanted=wanted,
        items=found[:KEPT],
        next_page=found[KEPT - 1].key if len(found) > KEPT else None,
    )


def _wanted(counted: Sequence[Kept]) -> KeptFilter:
    """What the address asks for; of what it does not say, or says wrongly, the first there is."""
    rules = [one.rule for one in counted] or [rule.name for rule in RULES]
    rule = request.args.get("rule", "")
    kind = request.args.get("kind", "")
    return KeptFilter(
        rule if rule in rules else rules[0],
        kind if kind in KINDS else "",
        request.args.get("reason", "")[:50],
    )


@bp.get("/<int:run_id>/release")
@needs("operator")
def ask_release(run_id: int) -> ResponseReturnValue:
    """Ask before the jobs that the guard held are opened."""
    return _ask(run_id, "release")


@bp.get("/<int:run_id>/discard")
@needs("operator")
def ask_discard(run_id: int) -> ResponseReturnValue:
    """Ask before they are given up."""
    return _ask(run_id, "discard")


def _ask(run_id: int, decision: str) -> ResponseReturnValue:
    run = get_or_404(Run, run_id, "run")
    if run.hold is None or run.hold.decision is not None:
        flash(str(holds.NothingHeld(run_id)), "warning")
        return redirect(url_for(".show", run_id=run_id))
    sites = held_sites(run, utcnow(), limit=SHOWN_SITES)
    return render_template(
        "runs/decide.html", run=get_or_404(Run, run_id, "run"), decision=decision, held=sites
    )


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
    held = held_sites(get_or_404(Run, run_id, "run"), utcnow(), limit=SHOWN_SITES)
    run = get_or_404(Run, run_id, "run")
    return render_template(
        "runs/show.html",
        run=run,
        held=held,
        kept=kept(run_id),
        kinds=KINDS,
        settings_used=listed(settings_service.of_version(run.settings_version)),
        page=page_of(jobs.of_run(run_id), *asked_page()),
    )
