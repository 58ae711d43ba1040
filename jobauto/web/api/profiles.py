"""``/api/profiles/``."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ...imports.profiles import service
from ...imports.profiles.document import Profile
from ..access import current_author, needs
from ..paging import PageIn, asked_page, page_of
from .bodies import check_body, json_object
from .responses import PageOut, ProfileOut
from .spec import responses, spec

bp = Blueprint("api_profiles", __name__, url_prefix="/api/profiles")
bp.before_request(check_body)


@bp.get("/")
@spec.validate(query=PageIn, resp=responses(PageOut[ProfileOut]), skip_validation=True)
def profile_list() -> ResponseReturnValue:
    """All profiles, by their names; those that this machine cannot read, as well."""
    page = page_of(service.current(), *asked_page())
    items = [{**(row.document or {}), "name": row.name} for row in page.items]
    return {"items": items, "page": page.page, "per_page": page.per_page, "total": page.total}


@bp.get("/<name>/")
@spec.validate(resp=responses(Profile, 404), skip_validation=True)
def profile_show(name: str) -> ResponseReturnValue:
    """A profile."""
    return service.get(name).document


@bp.put("/<name>/")
@needs("operator")
@spec.validate(json=Profile, resp=responses(Profile, 413, 415, 422), skip_validation=True)
def profile_save(name: str) -> ResponseReturnValue:
    """Save a profile as a whole, a new one or another version."""
    return service.save(name, json_object(), current_author()).document


@bp.delete("/<name>/")
@needs("operator")
@spec.validate(resp=responses(None, 404, status=204), skip_validation=True)
def profile_delete(name: str) -> ResponseReturnValue:
    """Delete a profile. What was imported through it stays."""
    service.delete(name, current_author())
    return "", 204
