"""Readings in doubt, and deciding about them."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...models.quality import ReviewKind
from ...models.review import STATES
from ...readings import queries
from ..access import needs
from ..deciding import DECISIONS, decide_and_tell
from ..numbers import whole_numbers
from ..paging import asked_page, list_address, page_up_to

bp = Blueprint("reviews", __name__, url_prefix="/reviews")

ALL = "all"


@bp.get("/")
def index() -> ResponseReturnValue:
    """Reviews as the address asks for them; those that wait for a person where it does not."""
    queries.bring_up_to_date(utcnow())
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
        here=list_address(".index"),
    )


@bp.post("/")
@needs("operator")
def decide_submit() -> ResponseReturnValue:
    """Decide about the ticked reviews, all or none of them."""
    decide_and_tell(whole_numbers(request.form.getlist("review")), request.form.get("decision"))
    return redirect(list_address(".index"))


def _asked(name: str, allowed: tuple[str, ...] | list[ReviewKind]) -> str:
    """A value of the address that the page offers; any other asks for nothing."""
    given = request.args.get(name, "")
    return given if given in list(allowed) else ""
