"""Who does an import: whoever claims it. One whose file is lost fails, one that was canceled ends."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select, update

from ..extensions import db
from ..logs import LogEvent
from ..models import Import
from ..notifications import service as notifications
from ..storage.connections import write
from ..storage.leases import is_stale
from . import undo
from .canceling import end_of_canceled
from .kept_file import KeptFile
from .profiles import service as profiles
from .uploads import forget, here, kept, machine

log = logging.getLogger("job_automation")

STALE_AFTER = timedelta(minutes=2)
LEFT_TO_OTHERS = timedelta(days=1)
"""So long a file that is on another machine is left to that one."""
LOST = "Its file is not on this machine any more. Send it again."
DIED = "The process that imported it died. What was imported before stays; it may be sent again."


@dataclass(frozen=True)
class Claimed:
    """An import as it was when this process claimed it."""

    import_id: int
    attempts: int
    kind: str
    filename: str
    kept_as: str
    dry_run: bool
    is_checked: bool
    is_decided: bool
    ignore_columns: list[str]
    profile: str | None
    profile_version: int | None
    author: str
    way: str

    @classmethod
    def of(cls, entry: Import) -> "Claimed":
        return cls(
            entry.id,
            entry.attempts,
            entry.kind,
            entry.filename,
            entry.kept_as,
            entry.dry_run,
            entry.is_checked,
            is_decided=entry.decided_at is not None,
            ignore_columns=entry.ignore_columns,
            profile=entry.profile,
            profile_version=entry.profile_version,
            author=entry.decided_by or entry.requested_by,
            way=entry.way,
        )

    def how(self) -> KeptFile:
        """How its file is read. Raises FileError where its profile cannot be read any more."""
        profile = profiles.of_version(self.profile, self.profile_version) if self.profile else None
        return KeptFile(self.kind, self.filename, tuple(self.ignore_columns), profile)


def claim(now: datetime) -> Claimed | None:
    """Claim one that waits, or whose process has died; None where there is none.

    Those that nobody can do any more end.
    """
    waits = or_(
        Import.status == "queued",
        and_(Import.status == "running", is_stale(Import.heartbeat_at, now, STALE_AFTER)),
    )
    # Of each no more than this: what is told of the rejected rows of all may be half a gigabyte.
    found = db.session.execute(
        select(*(getattr(Import, name) for name in _Candidate._fields)).where(waits).order_by(Import.id)
    ).all()
    for candidate in [_Candidate(*row) for row in found]:
        still_waits = and_(Import.id == candidate.id, waits)
        if candidate.canceled_at:
            _end_canceled(still_waits, candidate, now)
            continue
        if not kept(candidate.kept_as).exists():
            if lost := _why_lost(candidate, now):
                _give_up(still_waits, candidate.id, lost, now)
            continue
        claim = (
            update(Import)
            .where(still_waits)
            .values(status="running", heartbeat_at=now, attempts=Import.attempts + 1)
            .returning(Import.id)
        )
        with write() as session:
            won = session.execute(claim).one_or_none()
        if won is not None:
            return Claimed.of(db.session.get_one(Import, candidate.id))
    return None


class _Candidate(NamedTuple):
    """Of an import that waits, as it was when one looked, the columns that say what becomes of it."""

    id: int
    way: str
    kept_as: str
    kept_on: str
    requested_at: datetime
    heartbeat_at: datetime | None
    decided_at: datetime | None
    canceled_at: datetime | None

    def since(self) -> datetime:
        """When somebody last had to do with it."""
        return max(filter(None, (self.requested_at, self.heartbeat_at, self.decided_at)))


def _why_lost(candidate: _Candidate, now: datetime) -> str | None:
    """Why nobody will find the file any more; None where the machine that has it may still come for it."""
    if candidate.way in ("command", "api"):
        return DIED  # it has no file, and nobody begins it again
    if candidate.kept_on == here():
        return LOST
    if candidate.since() < now - LEFT_TO_OTHERS:
        where = machine(candidate.kept_on) or "another machine"
        return f"Its file is on {where}, where nothing has come for it for a day. Send it again."
    return None


def _give_up(still_waits: ColumnElement[bool], import_id: int, error: str, now: datetime) -> None:
    ended = {"status": "failed", "error": error, "finished_at": now, "undo_until": now + undo.KEPT_FOR}
    with write() as session:
        if session.execute(
            update(Import).where(still_waits).values(ended).returning(Import.id)
        ).one_or_none():
            notifications.import_failed(session.connection(), import_id, now)
            log.warning(LogEvent("import-file-lost", **{"import": import_id}))


def _end_canceled(still_waits: ColumnElement[bool], candidate: _Candidate, now: datetime) -> None:
    """End an import that was canceled, and whose process died before it found that."""
    canceled = (still_waits, Import.canceled_at.is_not(None))
    with write() as session:
        ended = update(Import).where(*canceled).values(end_of_canceled(now, has_died=True))
        has_ended = session.execute(ended.returning(Import.id)).one_or_none() is not None
    if has_ended:
        forget(candidate.kept_as)
