"""``/api/job-automation/lab/``: what each threshold of a rule would have done."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ...lab.service import Question
from ..asking_lab import ask
from .bodies import query_of_request
from .requests import LabIn
from .responses import LabOut, LabProgressOut
from .spec import responses, spec

bp = Blueprint("api_lab", __name__, url_prefix="/api/job-automation")


@bp.get("/lab/")
@spec.validate(query=LabIn, resp=responses(LabOut, working=LabProgressOut))
def lab() -> ResponseReturnValue:
    """What each threshold would have done. 202 while that is worked out: ask again."""
    query: LabIn = query_of_request()
    standing = ask(Question(query.rule, query.days, query.group))
    if standing.answer is None:
        return {"progress": standing.progress}, 202
    return LabOut(rule=query.rule, days=query.days, **standing.answer).model_dump(mode="json")
