"""Doing an action on several jobs that a page has begun: at once, or in the background if they are many."""

from flask import flash

from ..extensions import db
from ..jobs import bulk_actions, outcome
from ..models import BulkAction
from ..wording import pluralize
from ..work import threads
from . import closing

AT_ONCE = 100
"""So many jobs are changed while somebody waits for the page."""
NAMED = 10
"""So many of those that were left alone are named; the action's page has them all."""


def carry_out(bulk_id: int, jobs: int) -> None:
    """Do an action that was begun, and say what came of it; or that it goes on."""
    if jobs > AT_ONCE:
        threads.start(lambda: bulk_actions.go_on(bulk_id), "bulk-action")
        flash(f"{pluralize(jobs, 'job')} at once: this goes on in the background.", f"info:{bulk_id}")
        return
    bulk_actions.go_on(bulk_id)
    bulk, tally = db.session.get_one(BulkAction, bulk_id), bulk_actions.tally(bulk_id)
    text, category = outcome.of_bulk(bulk.action, bulk.change, tally)
    flash(text, f"{category}:{bulk_id}")
    if bulk.action == "close":
        closed = db.session.scalars(bulk_actions.changed(bulk_id)).all()
        if told := closing.left_open(closed):
            flash(told, "aside")
    for job_id, why in db.session.execute(bulk_actions.refused(bulk_id).limit(NAMED)):
        flash(f"Job {job_id}: {why}", "warning")
