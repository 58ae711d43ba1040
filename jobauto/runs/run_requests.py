"""Runs that were asked for on a page and are left to a worker.

The message that tells a worker may be late or lost, or come twice. So the request itself is a row, and
the run that serves it takes it in the transaction that starts the run: a request has one run or none.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection, update
from sqlalchemy.sql.dml import Update

from ..audit.service import Author
from ..logs import LogEvent
from ..models import RunRequest
from ..storage.connections import write

log = logging.getLogger("job_automation")

GOOD_FOR = timedelta(minutes=10)
"""After that nobody expects the run any more: a worker that finds the message later leaves it."""


class RequestTaken(Exception):
    """The request has its run, was refused, or is too old: there is nothing to do."""


def ask(author: Author) -> int:
    """Keep a request; returns its id."""
    with write() as session:
        asked = RunRequest(requested_by=author.name or "", requested_at=author.now)
        session.add(asked)
        session.flush()
        return asked.id


def waits(asked: RunRequest, now: datetime) -> bool:
    """Whether a run may still come of it."""
    return asked.run_id is None and asked.refusal is None and asked.requested_at > now - GOOD_FOR


def take(connection: Connection, request_id: int, run_id: int, now: datetime) -> None:
    """Let a run serve the request, in the transaction that starts the run. Raises RequestTaken."""
    if connection.execute(_waiting(request_id, now).values(run_id=run_id)).rowcount != 1:
        raise RequestTaken


def refuse(request_id: int, why: str, now: datetime) -> None:
    """Keep why nothing came of it; a request that has its run keeps that."""
    with write() as session:
        refused = session.execute(_waiting(request_id, now).values(refusal=why).returning(RunRequest.id))
        if refused.one_or_none():
            log.info(LogEvent("run-refused", request=request_id, reason=why))


def _waiting(request_id: int, now: datetime) -> Update:
    return update(RunRequest).where(
        RunRequest.id == request_id,
        RunRequest.run_id.is_(None),
        RunRequest.refusal.is_(None),
        RunRequest.requested_at > now - GOOD_FOR,
    )
