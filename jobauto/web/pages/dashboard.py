"""The dashboard's page, and Run now."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...clock import utcnow
from ...dashboard.condition import condition
from ...dashboard.coverage import fleet
from ...dashboard.queries import dashboard
from ...detection.service import RunParameters, run
from ...extensions import db
from ...imports.profiles import feeds
from ...jobs.views import views
from ...models import Channel
from ...notifications import queries as notifications
from ...rules import RULES
from ...runs import queries as runs
from ...runs import run_requests
from ...runs.lifecycle import RunInProgress, reap_stale_runs
from ...settings import service as settings_service
from ...settings.schedule import next_due, slots_open
from ...sites import queries as sites
from ...storage.leases import LeaseLost
from ...wording import pluralize
from ...work import broker, tasks
from ..access import current_author, needs

bp = Blueprint("dashboard", __name__)

SHOWN_FAILING = 20
"""So many channels that fail are named; more than a few have one cause."""


@bp.get("/")
def show() -> ResponseReturnValue:
    """What there is to do, and whether the check is well."""
    reap_stale_runs()
    now, stored = utcnow(), settings_service.current()
    schedule = stored.settings.schedule
    board = dashboard(db.session(), schedule.zone, now)
    taken = db.session.scalars(runs.slots_taken(slots_open(schedule, now)[0])).all()
    next_run = next_due(schedule, stored.slots_owed_from, now, taken)
    found = fleet(db.session(), stored.policies, now)
    return render_template(
        "dashboard/show.html",
        board=board,
        rules=RULES,
        chart=board.chart(RULES),
        todo={view.title: view for view in views(current_user.username, now, schedule.zone)},
        condition=condition(found, board.last_run, next_run, now),
        fleet=found,
        late_feeds=feeds.late(now),
        failing=_failing_channels(now) if current_user.may("admin") else [],
        next_run=next_run,
        now=now,
        run_under_way=db.session.scalar(runs.under_way()),
        any_site=db.session.scalar(sites.any_site()),
        any_reading=db.session.scalar(sites.any_reading()),
    )


def _failing_channels(now: datetime) -> list[tuple[Channel, str | None]]:
    return list(db.session.execute(notifications.failing(now).limit(SHOWN_FAILING)))


@bp.post("/run-now")
@needs("operator")
def run_now() -> ResponseReturnValue:
    """Check the fleet now, and show what came of it; a worker does it where a broker is configured."""
    if broker.is_configured():
        return _hand_over()
    try:
        result = run(RunParameters(trigger="manual", requested_by=current_user.username), utcnow)
    except (RunInProgress, LeaseLost) as error:
        flash(str(error), "warning")
        return redirect(url_for(".show"))
    if result.status == "succeeded":  # of any other, the page says more than this could
        flash(f"The fleet was checked: {pluralize(result.created_jobs, 'new job')}.", "success")
    return redirect(url_for("runs.show", run_id=result.run_id))


def _hand_over() -> ResponseReturnValue:
    request_id = run_requests.ask(current_author())
    if not broker.enqueue(tasks.RUN_NOW, request_id):
        flash("The queue for workers did not answer, so the run was done without one.", "warning")
        tasks.run_now(request_id)
    return redirect(url_for("runs.requested", request_id=request_id))
