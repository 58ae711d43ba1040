"""What was done with several jobs at once: how far it is, what became of each job, and its undoing."""

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import bulk_actions, outcome, queries
from ...models import BulkAction
from ..access import needs
from ..carrying_out import carry_out
from ..lookup import get_or_404
from ..paging import asked_page, list_address, page_of_rows

bp = Blueprint("bulk_actions", __name__, url_prefix="/jobs/bulk")

REFRESH = 2


@bp.get("/<int:bulk_id>")
def show(bulk_id: int) -> ResponseReturnValue:
    """One action: who did what and when, and what became of each job.

    The address may name the list in which they were chosen.
    """
    bulk, tally = get_or_404(BulkAction, bulk_id, "bulk action"), bulk_actions.tally(bulk_id)
    page = page_of_rows(bulk_actions.chosen(bulk_id), *asked_page())
    jobs = db.session.scalars(queries.numbered([row.job_id for row in page.items])).unique()
    return render_template(
        "bulk_actions/show.html",
        bulk=bulk,
        tally=tally,
        outcome=outcome.of_bulk(bulk.action, bulk.change, tally)[0],
        forgotten=bulk_actions.is_forgotten(bulk, utcnow()),
        undoing=bulk_actions.undoing_of(bulk_id),
        changed=outcome.of_changed(bulk.action, bulk.change),
        jobs={job.id: job for job in jobs},
        page=page,
        list=urlencode(parse_qsl(request.args.get("list", ""))),
        refresh=REFRESH,
    )


@bp.post("/<int:bulk_id>/undo")
@needs("operator")
def undo(bulk_id: int) -> ResponseReturnValue:
    """Take it back where it still stands, and lead to the list that the address names."""
    get_or_404(BulkAction, bulk_id, "bulk action")
    changed = bulk_actions.tally(bulk_id).changed
    try:
        begun = bulk_actions.begin_undoing(bulk_id, by=current_user.username, now=utcnow())
    except InvalidInput as error:
        flash(str(error), "warning")
    else:
        carry_out(begun, changed)
    return redirect(list_address("jobs.index"))
