"""Ending an import before its end, because somebody says so. What it has stored by then stays.

1. An import that waits for its turn ends at once. Of one that is under way, the row says who canceled it.
2. Whoever does it finds that when it tells of its next batch, keeps what it takes to undo it, and ends it.
   Where its process has died, the next tick of any process ends it.

To cancel an import and to tell of its end are each one UPDATE of its row: the first of them wins.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, literal, or_, true, update

from ..audit.service import Author, record
from ..models import Import
from ..models.imports import NEEDS_PROFILE
from ..models.types import Instant
from ..storage.connections import write
from . import decisions
from .undo import KEPT_FOR, UnknownImport
from .uploads import forget

DIED = "The process that imported it died."
CANCELABLE = ("queued", "running")
_UNDECIDED = ("waiting", NEEDS_PROFILE)


class Canceled(Exception):
    """Somebody has canceled the import that is under way."""

    def __init__(self, import_id: int | None) -> None:
        super().__init__(f"Import {import_id} was canceled. What it had stored by then stays.")


class CannotCancel(Exception):
    """Why an import cannot be canceled."""


def cancel(import_id: int, author: Author) -> None:
    """Have an import end. One that waits for a decision is decided on: it is not imported.

    Raises UnknownImport and CannotCancel.
    """
    waits = Import.status == "queued"
    ended = {
        "canceled_by": author.name,
        "canceled_at": author.now,
        "status": case((waits, "canceled"), else_=Import.status),
        "finished_at": case((waits, literal(author.now, Instant)), else_=Import.finished_at),
    }
    may_be = (Import.id == import_id, Import.status.in_(CANCELABLE), Import.canceled_at.is_(None))
    canceled = update(Import).where(*may_be).values(ended).returning(Import.status, Import.kept_as)
    with write() as session:
        found = session.execute(canceled).one_or_none()
        if found is not None:
            record(session, author, "import", import_id, [("decision", None, "canceled")])
        entry = None if found else session.get(Import, import_id)
        why = None if found else why_not(entry, import_id)
        is_undecided = entry is not None and entry.status in _UNDECIDED
    if is_undecided:
        _discard(import_id, author)
    elif found is None:
        raise (UnknownImport if entry is None else CannotCancel)(why)
    elif found.status == "canceled":
        forget(found.kept_as)


def _discard(import_id: int, author: Author) -> None:
    try:
        decisions.discard(import_id, author)
    except decisions.AlreadyDecided as error:
        raise CannotCancel(str(error)) from error


def may_cancel(entry: Import) -> bool:
    """Whether an import is there to be canceled."""
    return entry.status in CANCELABLE and entry.canceled_at is None


def is_being_canceled(entry: Import) -> bool:
    """Whether it ends as soon as whoever does it finds that it was canceled."""
    return entry.status == "running" and entry.canceled_at is not None


def may_have_stored_more(entry: Import) -> bool:
    """Whether one that was canceled may have stored more than its counts tell, for a process died."""
    once = 1 if entry.decided_at is None else 2
    return entry.error is not None or entry.attempts > once


def why_not(entry: Import | None, import_id: int) -> str:
    """Why an import that cannot be canceled cannot be, in a sentence."""
    if entry is None:
        return f"There is no import {import_id}."
    if entry.canceled_at is not None:
        return f"Import {import_id} is canceled already."
    return f"Import {import_id} has ended already."


def end_of_canceled(now: datetime, *, has_died: bool = False) -> dict[str, Any]:
    """What an import's row says when it has ended because it was canceled.

    It can be undone where it may have stored readings. Of a process that died, this one or one before it,
    the row does not tell: it may have stored more than it told of.
    """
    stores = or_(Import.is_checked, Import.way.in_(("command", "api")))
    met_some = or_(Import.new + Import.updated > 0, Import.first_at.is_not(None), Import.attempts > 1)
    may_undo = and_(Import.kind == "readings", stores, true() if has_died else met_some)
    return {
        "status": "canceled",
        "finished_at": now,
        "heartbeat_at": None,
        "error": DIED if has_died else None,
        "undo_until": case((may_undo, literal(now + KEPT_FOR, Instant)), else_=None),
    }
