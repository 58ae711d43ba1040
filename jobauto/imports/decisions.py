"""Whether what was looked at is imported: somebody says so, once, until the days of its file are over.

An import whose first pass found warnings waits for it, and stores nothing before. After a dry run that would
store something it may be said as well, so that nobody sends the file again. Whoever is first has decided.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, literal, select, update

from ..audit.service import Author, record
from ..extensions import db
from ..models import Import
from ..models.imports import NEEDS_PROFILE
from ..models.types import Instant
from ..storage.connections import write
from .profiles.service import Stored
from .uploads import forget, here, kept


class AlreadyDecided(Exception):
    """Somebody else was first, or there is nothing to decide."""

    def __init__(self, import_id: int) -> None:
        super().__init__(f"Import {import_id} has been decided on already.")


def has_file(entry: Import) -> bool:
    """False where the file is gone for certain; that of another machine is not looked for."""
    return entry.kept_on != here() or kept(entry.kept_as).exists()


def import_it(import_id: int, author: Author) -> None:
    """Have an import stored that was only looked at so far. Raises AlreadyDecided."""
    queued = {"status": "queued", "dry_run": False, "finished_at": None, **_nothing_yet()}
    _decide(import_id, author, "imported", queued, Import.status != NEEDS_PROFILE)


def import_as(import_id: int, profile: Stored, author: Author) -> None:
    """Have a file imported as a profile reads it, which nobody had said before. Raises AlreadyDecided."""
    queued = {
        "status": "queued",
        "dry_run": False,
        "profile": profile.name,
        "profile_version": profile.version,
    }
    _decide(import_id, author, "imported", queued, Import.status == NEEDS_PROFILE)


def _nothing_yet() -> dict[str, Any]:
    return {
        "done": 0,
        "new": 0,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "errors": [],
        "reasons": [],
    }


def discard(import_id: int, author: Author) -> None:
    """Have it never stored, and its file deleted. Raises AlreadyDecided."""
    forget(_decide(import_id, author, "discarded", {"status": "discarded", "finished_at": author.now}))


def _decide(
    import_id: int, author: Author, decision: str, values: dict[str, Any], *if_: ColumnElement[bool]
) -> str:
    decided = {"decide_until": None, "decided_by": author.name, "decided_at": author.now}
    may_be_decided = (Import.id == import_id, Import.decide_until.is_not(None), *if_)
    with write() as session:
        kept_as = session.execute(
            update(Import).where(*may_be_decided).values(decided | values).returning(Import.kept_as)
        ).scalar_one_or_none()
        if kept_as is None:
            raise AlreadyDecided(import_id)
        record(session, author, "import", import_id, [("decision", None, decision)])
    return kept_as


def expire_undecided(now: datetime) -> None:
    """What nobody has decided on in time is not imported."""
    is_over = Import.decide_until < now
    if db.session.scalar(select(Import.id).where(is_over).limit(1)) is None:
        return
    waited = Import.status.in_(("waiting", NEEDS_PROFILE))
    over = {
        "decide_until": None,
        "status": case((waited, "discarded"), else_=Import.status),
        "finished_at": case((waited, literal(now, Instant)), else_=Import.finished_at),
    }
    with write() as session:
        session.execute(update(Import).where(is_over).values(over))
