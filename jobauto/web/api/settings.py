"""``/api/job-automation/settings/`` and ``/api/job-automation/options/``."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import queries as jobs
from ...models.job import PRIORITIES, STATUSES
from ...rules import RULES
from ...settings import service as settings_service
from ...settings.schema import Settings, SettingsError
from ..access import needs, token_name
from ..forms.choices import of_codes
from .bodies import check_body, json_object
from .requests import SettingsIn
from .responses import (
    OptionsOut,
    SettingsSavedOut,
)
from .spec import responses, spec

bp = Blueprint("api_settings", __name__, url_prefix="/api/job-automation")
bp.before_request(check_body)


@bp.get("/settings/")
@spec.validate(resp=responses(Settings))
def settings() -> ResponseReturnValue:
    """The settings in force."""
    return settings_service.current().settings.document()


@bp.put("/settings/")
@needs("admin")
@spec.validate(json=SettingsIn, resp=responses(SettingsSavedOut, 413, 415, 422))
def settings_update() -> ResponseReturnValue:
    """Change settings, whole or in part; all or nothing."""
    changes = json_object()
    try:
        stored = settings_service.save(
            lambda settings: settings.changed(changes, strict=True),
            by=current_user.username,
            now=utcnow(),
            token=token_name(),
        )
    except SettingsError as error:
        raise InvalidInput("The settings were not changed.", error.fields) from error
    return {"message": "Settings updated successfully", **stored.settings.document()}


@bp.get("/options/")
@spec.validate(resp=responses(OptionsOut))
def options() -> ResponseReturnValue:
    """What may be chosen in settings and for jobs."""
    current = settings_service.current().settings
    types = [(current.rule(rule.name).job_type_id, rule.title) for rule in RULES]
    return {
        "job_types": [{"id": code, "name": title, "code": code} for code, title in types],
        "statuses": [{"id": code, "name": label, "code": code} for code, label in of_codes(STATUSES)],
        "priority_options": [{"value": value, "label": label} for value, label in of_codes(PRIORITIES)],
        "queues": [{"id": name, "name": name, "code": name} for name in _queues(current)],
        "task_templates": [],
    }


def _queues(current: Settings) -> list[str]:
    """The queues in use: those that jobs have, and those that the rules give."""
    given = {current.rule(rule.name).queue for rule in RULES} - {""}
    return sorted(given | set(db.session.scalars(jobs.queues())))
