"""The audit log, for admins."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..access import needs
from ...models.event import SUBJECTS
from ..paging import asked_page, page_up_to
from ...audit import queries

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("/")
@needs("admin")
def index() -> ResponseReturnValue:
    """Who changed what, newest first."""
    chosen = {name: request.args.get(name, "").strip() for name in ("who", "subject", "subject_id")}
    page = page_up_to(queries.matching(**chosen), *asked_page())
    return render_template("audit/index.html", page=page, chosen=chosen, subjects=SUBJECTS)
