"""``/api/job-automation/policies/``."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...settings import service
from ...settings.policies import Policy
from ...settings.schema import SettingsError
from ..access import current_author, needs
from ..paging import PageIn
from .bodies import check_body, json_object, query_of_request
from .requests import PolicyIn
from .responses import PageOut, PolicyOut
from .spec import responses, spec

bp = Blueprint("api_policies", __name__, url_prefix="/api/job-automation")
bp.before_request(check_body)


@bp.get("/policies/")
@spec.validate(query=PageIn, resp=responses(PageOut[PolicyOut]))
def policy_list() -> ResponseReturnValue:
    """All policies, by name."""
    asked: PageIn = query_of_request()
    documents = service.current().policies.documents()
    start = (asked.page - 1) * asked.per_page
    return {
        "items": documents[start : start + asked.per_page],
        "page": asked.page,
        "per_page": asked.per_page,
        "total": len(documents),
    }


@bp.get("/policies/<name>/")
@spec.validate(resp=responses(PolicyOut, 404))
def policy(name: str) -> ResponseReturnValue:
    """One policy."""
    return _policy_or_404(name).document()


@bp.put("/policies/<name>/")
@needs("admin")
@spec.validate(json=PolicyIn, resp=responses(PolicyOut, 413, 415, 422), skip_validation=True)
def policy_put(name: str) -> ResponseReturnValue:
    """Store a policy in place of the one of its name, if there is one; all or nothing."""
    content = json_object()
    if content.pop("name", name) != name:
        raise InvalidInput("The policy was not stored.", {"name": ["Must be the name in the address."]}, 422)
    try:
        wanted = Policy.parsed(name, content, strict=True)
        stored = service.put_policy(wanted, author=current_author())
    except SettingsError as error:
        raise InvalidInput("The policy was not stored.", error.fields) from error
    return (stored.policies.named(name) or wanted).document()


@bp.delete("/policies/<name>/")
@needs("admin")
@spec.validate(resp=responses(None, 404, status=204))
def policy_delete(name: str) -> ResponseReturnValue:
    """Take a policy away; for its groups and sites the fleet's settings hold."""
    _policy_or_404(name)
    service.delete_policy(name, author=current_author())
    return Response(status=204, mimetype="application/json")


def _policy_or_404(name: str) -> Policy:
    found = service.current().policies.named(name)
    if found is None:
        abort(404, f"There is no policy {name}.")
    return found
