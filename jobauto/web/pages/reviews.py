"""Readings in doubt, and deciding about them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...models.quality import ReviewDecision, ReviewKind
from ...models.review import STATES
from ...readings import queries
from ...readings.decisions import UnknownReview, decide
from ...wording import pluralize
from ..access import current_author, needs
from ..numbers import whole_numbers
from ..paging import MOST, asked_page, page_up_to

bp = Blueprint("reviews", __name__, url_prefix="/reviews")

ALL = "all"
DECISIONS = {
    "new_meter": "New meter",
    "wrong": "Readings are wrong",
    "right": "Readings are right",
    "undo": "Take the decision back",
}
"""What can be done with the ticked reviews, and the labels of the buttons."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """Reviews as the address asks for them; those that wait for a person where it does not."""
    queries.bring_up_to_date()
    state, kind = _asked("state", (ALL, *STATES)) or "open", _asked("kind", list(ReviewKind))
    wanted = queries.ReviewFilter(
        "" if state == ALL else state, kind, request.args.get("site_id", "").strip()
    )
    return render_template(
        "reviews/index.html",
        page=page_up_to(queries.reviews_matching(wanted), *asked_page()),
        wanted=wanted,
        state=state,
        states=(*STATES, ALL),
        kinds=list(ReviewKind),
        decisions=DECISIONS,
        here=_back_to_list(),
    )


@bp.post("/")
@needs("operator")
def decide_submit() -> ResponseReturnValue:
    """Decide about the ticked reviews, all or none of them."""
    chosen, decision = whole_numbers(request.form.getlist("review"))[:MOST], request.form.get("decision")
    if not chosen or decision not in DECISIONS:
        flash("Nothing was decided: tick some reviews first, then choose what to do with them.", "warning")
        return redirect(_back_to_list())
    wanted = None if decision == "undo" else ReviewDecision(decision)
    try:
        count = decide(chosen, wanted, author=current_author())
    except UnknownReview:
        flash("Nothing was decided: some of these readings are in doubt no longer. Look again.", "warning")
        return redirect(_back_to_list())
    if count:
        flash(f"{pluralize(count, 'review')}: {DECISIONS[decision]}.", "success")
    else:
        flash("Nothing was changed: that is what was decided already.", "info")
    return redirect(_back_to_list())


def _asked(name: str, allowed: tuple[str, ...] | list[ReviewKind]) -> str:
    """A value of the address that the page offers; any other asks for nothing."""
    given = request.args.get(name, "")
    return given if given in list(allowed) else ""


def _back_to_list() -> str:
    query = request.query_string.decode(errors="replace")
    return f"{url_for('.index')}?{query}" if query else url_for(".index")
