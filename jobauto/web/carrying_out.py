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
_in_background = threads.OneByOne("bulk-action")
"""Each action at work holds a connection to the database: all at once, they would leave none for pages."""


def carry_out(bulk_id: int, jobs: int) -> None:
    """Do an action that was begun, and say what came of it; or that it goes on."""
    if jobs > AT_ONCE:
        _in_background.add(lambda: bulk_actions.go_on(bulk_id))
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
    by_reason: dict[str, list[int]] = {}
    for job_id, why in db.session.execute(bulk_actions.refused(bulk_id)):
        by_reason.setdefault(why or "", []).append(job_id)
    for why, job_ids in by_reason.items():
        flash(outcome.of_refused(why, job_ids), "warning")
