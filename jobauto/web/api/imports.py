"""``/api/imports/``."""

from flask import Blueprint, abort

from ...extensions import db
from ...imports import canceling, history, undo
from ...models import Import
from ..access import current_author, needs
from ..paging import page_of
from .bodies import query_of_request
from .requests import NewestFirstIn
from .responses import ImportEntryOut, PageOut, UndoneOut
from .spec import responses, spec

bp = Blueprint("api_imports", __name__, url_prefix="/api/imports")


@bp.get("/")
@spec.validate(query=NewestFirstIn, resp=responses(PageOut[ImportEntryOut]))
def import_list() -> PageOut[ImportEntryOut]:
    """The history of imports, newest first."""
    query: NewestFirstIn = query_of_request()
    page = page_of(history.history(query.before_id), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [ImportEntryOut.model_validate(entry) for entry in page.items]})


@bp.post("/<int:import_id>/cancel/")
@needs("operator")
@spec.validate(resp=responses(ImportEntryOut, 404, 409))
def import_cancel(import_id: int) -> ImportEntryOut:
    """Have an import end before its end. One that is under way ends at its next batch."""
    try:
        canceling.cancel(import_id, current_author())
    except undo.UnknownImport as error:
        abort(404, str(error))
    except canceling.CannotCancel as error:
        abort(409, str(error))
    entry = db.session.get(Import, import_id)
    if entry is None:  # a request that stored nothing has ended meanwhile
        abort(404, f"There is no import {import_id}.")
    return ImportEntryOut.model_validate(entry)


@bp.post("/<int:import_id>/undo/")
@needs("operator")
@spec.validate(resp=responses(UndoneOut, 404, 409))
def import_undo(import_id: int) -> UndoneOut:
    """Take back what an import of readings did, within 14 days."""
    try:
        return UndoneOut(**undo.undo(import_id, current_author())._asdict())
    except undo.UnknownImport as error:
        abort(404, str(error))
    except undo.CannotUndo as error:
        abort(409, str(error))
