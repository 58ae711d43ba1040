"""The API's own description, from the very schemas that check what comes in and shape what goes out.

SpecTree reads them off the views. What it finds wrong is said in our words and our shape.
"""

import re
from copy import deepcopy
from typing import Any

from flask import Blueprint, Request, current_app, jsonify, request
from flask import Response as FlaskResponse
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import InType, SecureType, SecuritySchemeData
from spectree.plugins.flask_plugin import FlaskPlugin

from ...config import SESSION_COOKIE
from ...errors import InvalidInput
from ...models.site import SITE_ID_LENGTH
from ...settings.schema import describe_errors
from ..access import scopes_for
from ..paging import describe_fields
from .responses import ErrorOut

bp = Blueprint("api_spec", __name__, url_prefix="/api")


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description of every endpoint."""
    return jsonify(_completed(deepcopy(spec.spec)))


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With what SpecTree cannot know: the address of a site, what is CSV or no answer of ours, who may."""
    site_id = {"type": "string", "minLength": 1, "maxLength": SITE_ID_LENGTH}
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["414"] = TOO_LONG
        for parameter in (each for one in operations.values() for each in one["parameters"]):
            if (parameter["in"], parameter["name"]) == ("path", "site_id"):
                parameter["schema"] = site_id
    export = document["paths"]["/api/jobs/export.csv"]["get"]["responses"]["200"]
    export["content"] = {"text/csv": {"schema": {"type": "string"}}}
    document["components"]["securitySchemes"]["session"]["name"] = current_app.config["SESSION_COOKIE_NAME"]
    body = document["paths"]["/api/readings/"]["post"]["requestBody"]
    body["content"]["text/csv"] = {"schema": {"type": "string"}}
    _say_scopes(document)
    return document


def _say_scopes(document: dict[str, Any]) -> None:
    for rule in current_app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                scopes = list(scopes_for(rule.endpoint, method))
                told = f"A token needs the scope {' or '.join(scopes)}."
                operation["description"] = " ".join(filter(None, [operation.get("description"), told]))
                operation[TOKEN_SCOPES] = scopes


TOO_LONG = {
    "description": "The address is longer than the server in front takes.",
    "content": {"text/html": {"schema": {"type": "string"}}},
}
"""gunicorn's and nginx's own answer, before the program sees the request."""

TOKEN_SCOPES = "x-token-scopes"  # noqa: S105 (a name)
"""The extension of the description in which programs find them."""

UNKNOWN_PARAMETER = "There is no such parameter."
UNKNOWN_FIELD = "There is no such field."


def refuse_unknown_parameters() -> None:
    """Before a view: a parameter that it does not read would be taken for one that has been heeded."""
    described = spec.get_function_metadata(current_app.view_functions[request.endpoint or ""])
    known = spec.models[described.query]["properties"] if described and described.query else {}
    if unknown := sorted(request.args.keys() - known.keys()):
        wrong = {name: [UNKNOWN_PARAMETER] for name in unknown}
        raise InvalidInput(describe_fields(wrong), wrong, 400)


def responses(
    success: type[BaseModel] | Any,
    *errors: int,
    failed: type[BaseModel] = ErrorOut,
    refused: type[BaseModel] | None = None,
    working: type[BaseModel] | None = None,
    status: int = 200,
) -> Response:
    """A view's answers: its success with a ``status``, the errors that every endpoint has, and these.

    ``failed`` is a 500; ``refused`` a 422 that tells more than others; ``working`` a 202: ask again.
    """
    codes = dict.fromkeys(sorted({400, 401, 403, 429, 503, *errors}), ErrorOut) | {500: failed}
    if refused:
        codes[422] = refused
    if working:
        codes[202] = working
    return Response(**{f"HTTP_{code}": model for code, model in ({status: success} | codes).items()})


def _refuse(asked: Request, _response: Any, error: Exception | None, *_: Any) -> None:
    if isinstance(error, ValidationError):
        if asked.method == "GET":
            wrong = describe_errors(error, unknown=UNKNOWN_PARAMETER, whole="query")
            raise InvalidInput(describe_fields(wrong), wrong, 400) from error
        wrong = describe_errors(error, unknown=UNKNOWN_FIELD, whole="body")
        raise InvalidInput("The request was not accepted.", wrong, 422) from error


class Plugin(FlaskPlugin):
    """As SpecTree's, but that it does not look at what is sent as it is read: it would hold all of that."""

    def validate_response(self, resp: Any, *asked: Any) -> Any:
        """The answer, and what is wrong with it."""
        if isinstance(resp, FlaskResponse) and resp.is_streamed:
            return resp, None
        return super().validate_response(resp, *asked)


spec = SpecTree(
    "flask",
    Plugin,
    path="apidoc",  # served by us, below: SpecTree leaves out every route under the path of its own pages
    page_templates={},
    mode="strict",
    annotations=False,
    before=_refuse,
    validation_error_model=ErrorOut,
    naming_strategy=lambda model: model.__name__.replace("[", "Of").rstrip("]"),
    nested_naming_strategy=lambda _parent, child: child,
    title="jobauto",
    version="1",
    description="Finds metered sites that went silent or stand still, and opens one job for each fault.",
    security_schemes=[
        SecurityScheme(name="token", data=SecuritySchemeData(SecureType.HTTP, scheme="bearer")),
        SecurityScheme(
            name="session",
            data=SecuritySchemeData(SecureType.API_KEY, name=SESSION_COOKIE, field_in=InType.COOKIE),
        ),
    ],
    security=[{"token": []}, {"session": []}],
)
