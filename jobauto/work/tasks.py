"""What a Celery worker does, each thing by the service that does it where there is no worker.

A message carries ids only, and may come twice (see :mod:`jobauto.work.broker`). That does nothing twice,
because each service first claims its work in the database: a run its request, an import its row.
"""

import logging
from collections.abc import Callable
from functools import wraps

from ..clock import utcnow
from ..detection.service import RunParameters, run
from ..extensions import db
from ..imports import background
from ..logs import LogEvent
from ..models import RunRequest
from ..notifications import sending
from ..runs import run_requests
from ..runs.lifecycle import RunInProgress
from ..storage.leases import LeaseLost
from . import broker

log = logging.getLogger("job_automation")

RUN_NOW, IMPORT_FILES = "jobauto.run_now", "jobauto.import_files"
SEND_MESSAGES = "jobauto.send_messages"


def run_now(request_id: int) -> None:
    """Do the run that somebody asked for on the page, or leave word there that another is under way."""
    asked = db.session.get_one(RunRequest, request_id)
    try:
        run(RunParameters("manual", asked.requested_by, request_id=request_id), utcnow)
    except RunInProgress as error:
        run_requests.refuse(request_id, str(error), utcnow())
    except (run_requests.RequestTaken, LeaseLost) as reason:
        log.info(LogEvent("run-now", request=request_id, outcome=type(reason).__name__))


def _then_tell(work: Callable[..., None]) -> Callable[..., None]:
    """Do it, and let what it has put into the outbox be sent at once."""

    @wraps(work)
    def task(*ids: int) -> None:
        work(*ids)
        broker.enqueue(SEND_MESSAGES)

    return task


TASKS: dict[str, Callable[..., object]] = {
    RUN_NOW: _then_tell(run_now),
    IMPORT_FILES: _then_tell(background.process_pending),
    SEND_MESSAGES: sending.process_pending,
}
"""By the name that a message carries."""
