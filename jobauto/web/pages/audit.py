"""The audit log, for admins."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ...audit import queries
from ...models.event import SUBJECTS
from ..access import needs
from ..paging import asked_page, page_up_to

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("/")
@needs("admin")
def index() -> ResponseReturnValue:
    """Who changed what, newest first."""
    chosen = {name: request.args.get(name, "").strip() for name in ("who", "subject", "subject_id")}
    page = page_up_to(queries.events_matching(**chosen), *asked_page())
    return render_template("audit/index.html", page=page, chosen=chosen, subjects=SUBJECTS)
