"""Imports of readings by command and API, in the history beside those of the page. They can be undone, too.

A command's row is made before it begins; a request's when it stores its first reading, or gives a site its
source, for one that changes nothing has none. Both prove while they last that their process lives: see
:mod:`.background`.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DatabaseError

from ..audit.service import Author
from ..clock import Clock, utcnow
from ..extensions import db
from ..models import Import, ImportSite, ReplacedReading
from ..storage.connections import write
from ..storage.leases import LeaseLost, kept_alive
from .canceling import Canceled, end_of_canceled
from .lines import FileError
from .profiles.service import Stored
from .readings import store_readings
from .result import COUNTS, ImportResult, Progress, unwatched
from .rows import Rejected, Row
from .undo import KEPT_FOR
from .uploads import here, name_to_store

HEARTBEAT_SECONDS = 10
BROKEN_OFF = "It was broken off."


@dataclass
class Recorded:
    """An import that came by one of ``models.imports.WAYS``, whose row is made when it is first needed."""

    way: str
    filename: str
    author: Author
    zone: ZoneInfo
    profile: Stored | None = None
    import_id: int | None = None
    clock: Clock = utcnow
    every: float = HEARTBEAT_SECONDS
    _so_far: dict[str, object] = field(default_factory=dict)

    def number(self) -> int:
        """The number of the import."""
        if self.import_id is None:
            with write() as session:
                entry = Import(
                    kind="readings",
                    way=self.way,
                    filename=name_to_store(self.filename),
                    kept_as=uuid4().hex,
                    kept_on=here(),
                    dry_run=False,
                    status="running",
                    requested_by=self.author.name or "",
                    requested_at=self.author.now,
                    heartbeat_at=self.clock(),
                    pass_began_at=self.clock(),
                    size=0,
                    profile=self.profile.name if self.profile else None,
                    profile_version=self.profile.version if self.profile else None,
                    token=self.author.token,
                    part_of=self._first_of_the_day(),
                )
                session.add(entry)
                session.flush()
                self.import_id = entry.id
        return self.import_id

    def load(
        self, rows: Iterable[Row | Rejected], *, now: datetime, progress: Progress = unwatched
    ) -> ImportResult:
        """Store the rows.

        Raises FileError; LeaseLost where it was given up for dead meanwhile; Canceled where somebody has
        canceled it.
        """
        try:
            return self._load(rows, now, progress)
        except Canceled:
            with write() as session:
                self._write(session.connection(), self._so_far)
                self._write(session.connection(), end_of_canceled(self.clock()))
            raise

    def _load(self, rows: Iterable[Row | Rejected], now: datetime, progress: Progress) -> ImportResult:
        try:
            with kept_alive(db.engine, self._renew, self.every, **{"import": self.import_id}):
                result = store_readings(
                    rows,
                    zone=self.zone,
                    now=now,
                    progress=self._proving(progress),
                    import_id=self.import_id,
                    number=self.number,
                )
        except Canceled:
            raise
        except BaseException as error:
            with suppress(DatabaseError, LeaseLost):  # what broke it off is told
                self._end(status="failed", error=str(error) if isinstance(error, FileError) else BROKEN_OFF)
            raise
        if self.way == "api" and not (result.new or result.updated or result.sites_given):
            self._forget()
            return result
        self._end(
            status="finished",
            errors=[[row.line, row.reason] for row in result.errors],
            reasons=result.reasons.describe(),
            warnings=result.warnings,
            ignored_columns=result.ignored_columns,
            left_out=result.left_out,
            **{name: getattr(result, name) for name in COUNTS},
        )
        return result

    def _forget(self) -> None:
        """It was about to store something, and then did not."""
        if self.import_id is None:
            return
        with write() as session:
            session.execute(delete(ReplacedReading).where(ReplacedReading.import_id == self.import_id))
            session.execute(delete(ImportSite).where(ImportSite.import_id == self.import_id))
            session.execute(update(Import).where(Import.part_of == self.import_id).values(part_of=None))
            session.execute(delete(Import).where(Import.id == self.import_id))
        self.import_id = None

    def _first_of_the_day(self) -> int | None:
        if self.author.token is None:
            return None
        midnight = datetime.combine(self.author.now.astimezone(self.zone).date(), datetime.min.time())
        return db.session.scalar(
            select(Import.id)
            .where(
                Import.token == self.author.token,
                Import.part_of.is_(None),
                Import.requested_at >= midnight.replace(tzinfo=self.zone),
            )
            .order_by(Import.id.desc())
            .limit(1)
        )

    def _proving(self, progress: Progress) -> Progress:
        """Whoever was given up for dead, or canceled, stores no more batches."""
        proven = time.monotonic()

        def prove(result: ImportResult, rejected: list[Rejected]) -> None:
            nonlocal proven
            self._so_far = {"rows": result.rows, **{name: getattr(result, name) for name in COUNTS}}
            if time.monotonic() - proven > self.every:
                proven = time.monotonic()
                self._stamp(heartbeat_at=self.clock(), **self._so_far)
            elif self._is_canceled():
                raise Canceled(self.import_id)
            progress(result, rejected)

        return prove

    def _is_canceled(self) -> bool:
        canceled = select(Import.id).where(Import.id == self.import_id, Import.canceled_at.is_not(None))
        with db.engine.connect() as connection:
            return self.import_id is not None and connection.scalar(canceled) is not None

    def _end(self, **values: object) -> None:
        now = self.clock()
        self._stamp(finished_at=now, undo_until=now + KEPT_FOR, **values)

    def _stamp(self, **values: object) -> None:
        """Write to the import's row. Raises LeaseLost, and Canceled: then nothing is written."""
        if self.import_id is not None:
            with write() as session:
                if self._write(session.connection(), values):
                    raise Canceled(self.import_id)

    def _renew(self, connection: Connection) -> None:
        if self.import_id is not None:
            self._write(connection, {"heartbeat_at": self.clock()})

    def _write(self, connection: Connection, values: dict[str, object]) -> bool:
        """The same within a transaction, and also where it is canceled, which is returned."""
        mine = (Import.id == self.import_id, Import.status == "running")
        written = update(Import).where(*mine).values(values).returning(Import.canceled_at)
        found = connection.execute(written).one_or_none()
        if found is None:
            raise LeaseLost(f"import {self.import_id} was given up for dead; nothing more is written")
        return found.canceled_at is not None
