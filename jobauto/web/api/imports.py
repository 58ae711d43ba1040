"""``/api/imports/``."""

from flask import Blueprint

from ...imports import background
from ..paging import page_of
from .bodies import query_of_request
from .requests import NewestFirstIn
from .responses import ImportEntryOut, PageOut
from .spec import responses, spec

bp = Blueprint("api_imports", __name__, url_prefix="/api/imports")


@bp.get("/")
@spec.validate(query=NewestFirstIn, resp=responses(PageOut[ImportEntryOut]))
def import_list() -> PageOut[ImportEntryOut]:
    """The history of imports, newest first."""
    query: NewestFirstIn = query_of_request()
    page = page_of(background.history(query.before_id), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [ImportEntryOut.model_validate(entry) for entry in page.items]})
