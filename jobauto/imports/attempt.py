"""One attempt at an import: what is written to its row, for as long as nobody has taken it over."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, update

from ..clock import utcnow
from ..logs import LogEvent
from ..models import Import
from ..notifications import service as notifications
from ..storage.connections import write
from ..storage.leases import LeaseLost
from . import undo
from .canceling import Canceled, end_of_canceled
from .result import COUNTS, ImportResult, Progress
from .rows import Rejected
from .uploads import KEPT_FOR, keep_rejects

log = logging.getLogger("job_automation")


@dataclass
class Attempt:
    """Stamps its row, and keeps the numbers of the rejected lines."""

    import_id: int
    attempt: int

    def progress_in(self, file: BinaryIO) -> Progress:
        """What to do after each batch that was read from a file. Raises LeaseLost and Canceled."""
        self.stamp(pass_began_at=utcnow(), done=0, rows=0)

        def progress(result: ImportResult, rejected: list[Rejected]) -> None:
            if rejected:
                words = {reason: " ".join(reason.split()) for reason in {row.reason for row in rejected}}
                keep_rejects(Path(file.name), (f"{row.line}\t{words[row.reason]}\n" for row in rejected))
            self.stamp(
                done=file.tell(),
                rows=result.rows,
                ignored_columns=result.ignored_columns,
                **counts_of(result),
            )

        return progress

    def end_of_check(self, found: ImportResult, *, dry_run: bool, would_store: bool) -> None:
        """Nothing is stored for now; somebody may decide so, if there is anything to store."""
        now = utcnow()
        self._end(
            found,
            status="finished" if dry_run else "waiting",
            finished_at=now if dry_run else None,
            warnings=found.warnings,
            is_checked=True,
            decide_until=now + KEPT_FOR if would_store else None,
        )

    def finish(self, result: ImportResult, **values: object) -> None:
        """The end of it."""
        now = utcnow()
        ended = {"status": "finished", "finished_at": now, "heartbeat_at": None}
        self._end(result, undo_until=now + undo.KEPT_FOR, **ended, **values)

    def _end(self, result: ImportResult, **values: object) -> None:
        self.stamp(
            errors=[[row.line, row.reason] for row in result.errors],
            reasons=result.reasons.describe(),
            ignored_columns=result.ignored_columns,
            left_out=result.left_out,
            **counts_of(result),
            **values,
        )
        log.info(LogEvent("import-done", **{"import": self.import_id}, **counts_of(result)))

    def fail(self, error: str) -> None:
        """An end without success. What was imported before it stays."""
        now = utcnow()
        ended = {"status": "failed", "finished_at": now, "heartbeat_at": None}
        self.stamp(error=error, undo_until=now + undo.KEPT_FOR, **ended)

    def end_canceled(self) -> int:
        """The end that somebody has asked for; returns how many rows were stored before it."""
        with write() as session:
            self.renew(session.connection(), **end_of_canceled(utcnow()))
            entry = session.get_one(Import, self.import_id)
            log.info(LogEvent("import-canceled", **{"import": self.import_id}, by=entry.canceled_by))
            return entry.new + entry.updated

    def stamp(self, **values: object) -> None:
        """Write to the import's row, unless another process has taken it over: then raise LeaseLost.

        Raises Canceled where somebody has canceled it. How far it is, is written then, but no end.
        """
        with write() as session:
            is_canceled = self.renew(session.connection(), **values)
            if is_canceled and "status" in values:
                raise Canceled(self.import_id)
            if values.get("status") == "failed":
                notifications.import_failed(session.connection(), self.import_id, utcnow())
        if is_canceled:
            raise Canceled(self.import_id)

    def renew(self, connection: Connection, **values: object) -> bool:
        """The same within a transaction; with nothing else to write it is a proof of life.

        Returns whether somebody has canceled it.
        """
        mine = (Import.id == self.import_id, Import.status == "running", Import.attempts == self.attempt)
        stamped = update(Import).where(*mine).values({"heartbeat_at": utcnow()} | values)
        found = connection.execute(stamped.returning(Import.canceled_at)).one_or_none()
        if found is None:
            raise LeaseLost(f"import {self.import_id} was taken over; nothing more is written")
        return found.canceled_at is not None


def counts_of(result: ImportResult) -> dict[str, int]:
    """How many rows were new, updated, unchanged and rejected, as the import's row has them."""
    return {name: getattr(result, name) for name in COUNTS}
