"""Readings of an import are taken back: what stands then is what the other imports would have left.

Done in the transaction of the caller, who has taken the turns of the sites.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from ..models import ImportSite, Reading, ReplacedReading
from ..models.quality import Quality
from ..models.types import EPOCH, Instant
from ..storage.marks import mark


class Undone(NamedTuple):
    """How many readings were removed and restored; and how many stand, for others say so too."""

    removed: int
    restored: int
    left: int

    def describe(self) -> str:
        """``3 removed, 2 restored, 1 left``."""
        return f"{self.removed:,} removed, {self.restored:,} restored, {self.left:,} left"


@dataclass(frozen=True)
class Part:
    """What an import has at some sites, between two instants, or at some of the ``instants`` between them."""

    connection: Connection
    import_id: int
    keys: Sequence[int]
    first: datetime
    last: datetime
    received: datetime
    now: datetime
    instants: Sequence[datetime] | None = None

    def take_back(self) -> Undone:
        """Do it, and mark the sites."""
        connection = self.connection
        left = sum(map(self._give_to, self._confirming()))
        left += connection.scalar(self._changed_later()) or 0
        connection.execute(self._keep_longer())
        self.forget_outranked()
        restored = connection.execute(self._restore()).rowcount
        if restored:
            connection.execute(self._forget_restored())
        removed = connection.execute(delete(Reading).where(*self._standing())).rowcount
        if restored or removed:
            mark(connection, self.keys)
        return Undone(removed, restored, left)

    def count(self) -> tuple[int, int]:
        """How many readings the import has stored since it was ``received``: new ones, and for others.

        Another import may have replaced them since: then they are kept. An estimate that never stood was not
        stored.
        """
        has_stood = ReplacedReading.replaced_at != ReplacedReading.received
        kept = *self._replaced(), ReplacedReading.received == self.received, has_stood
        new = updated = 0
        for table, which in ((Reading, self._just_stored()), (ReplacedReading, kept)):
            counted = select(func.count(), func.count(case((self._replaced_by_it(table), 1)))).where(*which)
            stored, replacing = self.connection.execute(counted).one()
            new, updated = new + stored - replacing, updated + replacing
        return new, updated

    def count_standing(self) -> int:
        """How many of the readings that it has stored since it was ``received`` stand."""
        found = select(func.count()).select_from(Reading).where(*self._just_stored())
        return self.connection.scalar(found) or 0

    def forget_outranked(self) -> None:
        """Forget values that the import brought and that do not stand."""
        self.connection.execute(delete(ReplacedReading).where(*self._replaced()))

    def _just_stored(self) -> tuple[ColumnElement[bool], ...]:
        return *self._standing(), Reading.received == self.received

    def _replaced_by_it(self, table: type[Reading | ReplacedReading]) -> ColumnElement[bool]:
        """Whether a value of an import before it was replaced at the time of a reading, since it began."""
        before = aliased(ReplacedReading)
        return exists().where(
            before.site_key == table.site_key,
            before.reading_date == table.reading_date,
            before.replaced_at >= self.received,
            is_before(
                before.received, before.import_id, literal(self.received, Instant), literal(self.import_id)
            ),
        )

    def _standing(self) -> tuple[ColumnElement[bool], ...]:
        return *self._within(Reading), Reading.import_id == self.import_id

    def _replaced(self) -> tuple[ColumnElement[bool], ...]:
        return *self._within(ReplacedReading), ReplacedReading.import_id == self.import_id

    def _within(self, table: type[Reading | ReplacedReading]) -> tuple[ColumnElement[bool], ...]:
        within = table.site_key.in_(self.keys), table.reading_date.between(self.first, self.last)
        return within if self.instants is None else (*within, table.reading_date.in_(self.instants))

    def _confirming(self) -> "Iterator[_Confirming]":
        """Later imports that had all readings between two instants as well, the first one first."""
        columns = (ImportSite.import_id, ImportSite.received, ImportSite.first_at, ImportSite.last_at)
        found = (
            select(*columns, ImportSite.site_key)
            .where(
                ImportSite.site_key.in_(self.keys),
                ImportSite.confirms,
                is_before(
                    literal(self.received, Instant),
                    literal(self.import_id),
                    ImportSite.received,
                    ImportSite.import_id,
                ),
                ImportSite.first_at <= self.last,
                ImportSite.last_at >= self.first,
            )
            .order_by(ImportSite.received, ImportSite.import_id)
        )
        spans: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
        for *span, site_key in self.connection.execute(found):
            spans[tuple(span)].append(site_key)
        for (import_id, received, first, last), keys in spans.items():
            yield _Confirming(import_id, received, first, last, keys)

    def _give_to(self, other: "_Confirming") -> int:
        """What that one has as well is its own from now on; how many readings are."""
        values = {"import_id": other.import_id, "received": other.received}
        own = aliased(ReplacedReading)
        stands = (
            update(Reading)
            .where(
                *self._standing(),
                Reading.site_key.in_(other.keys),
                Reading.reading_date.between(other.first, other.last),
                ~exists().where(
                    own.site_key == Reading.site_key,
                    own.reading_date == Reading.reading_date,
                    own.import_id == other.import_id,
                ),
            )
            .values(values)
        )
        given = self.connection.execute(stands).rowcount
        was = (
            update(ReplacedReading)
            .where(
                *self._replaced(),
                ReplacedReading.site_key.in_(other.keys),
                ReplacedReading.reading_date.between(other.first, other.last),
                *other.met_it_standing(),
            )
            .values(values)
        )
        return given + self.connection.execute(was).rowcount

    def _changed_later(self) -> Any:
        """How many of the readings stand as a later import has changed them."""
        return (
            select(func.count())
            .select_from(ReplacedReading)
            .join(
                Reading,
                (Reading.site_key == ReplacedReading.site_key)
                & (Reading.reading_date == ReplacedReading.reading_date),
            )
            .where(
                *self._replaced(),
                func.coalesce(Reading.import_id, 0) != self.import_id,
                is_before(
                    ReplacedReading.received, ReplacedReading.import_id, Reading.received, Reading.import_id
                ),
            )
        )

    def _keep_longer(self) -> Any:
        """Values that this import's had replaced are wanted by whoever has replaced this import's since."""
        own = aliased(ReplacedReading)
        return (
            update(ReplacedReading)
            .where(
                *self._within(ReplacedReading),
                ReplacedReading.import_id != self.import_id,
                exists().where(
                    own.site_key == ReplacedReading.site_key,
                    own.reading_date == ReplacedReading.reading_date,
                    own.import_id == self.import_id,
                ),
            )
            .values(replaced_at=self.now)
        )

    def _restore(self) -> Any:
        """Let the newest value that is left of each reading stand, an actual one first."""
        newest_first = (
            ReplacedReading.is_estimated,
            _received(ReplacedReading.received).desc(),
            ReplacedReading.import_id.desc(),
        )
        key = (ReplacedReading.site_key, ReplacedReading.reading_date)
        ranked = (
            select(
                *ReplacedReading.__table__.columns,
                func.row_number().over(partition_by=key, order_by=newest_first).label("place"),
            )
            .where(*self._within(ReplacedReading))
            .subquery("ranked")
        )
        quality = case((ranked.c.is_estimated, int(Quality.ESTIMATED)), else_=int(Quality.GOOD))
        return (
            update(Reading)
            .where(
                *self._standing(),
                ranked.c.site_key == Reading.site_key,
                ranked.c.reading_date == Reading.reading_date,
                ranked.c.place == 1,
            )
            .values(
                reading_value=ranked.c.reading_value,
                quality=quality,
                meter=0,
                received=ranked.c.received,
                import_id=func.nullif(ranked.c.import_id, 0),
            )
        )

    def _forget_restored(self) -> Any:
        return delete(ReplacedReading).where(
            *self._within(ReplacedReading),
            exists().where(
                Reading.site_key == ReplacedReading.site_key,
                Reading.reading_date == ReplacedReading.reading_date,
                func.coalesce(Reading.import_id, 0) == ReplacedReading.import_id,
            ),
        )


@dataclass(frozen=True)
class _Confirming:
    """An import that had all readings of some sites between two instants, as they stood when it ended."""

    import_id: int
    received: datetime
    first: datetime
    last: datetime
    keys: Sequence[int]

    def met_it_standing(self) -> Iterator[ColumnElement[bool]]:
        """Whether a replaced value is the one that stood for this import, so that it is what it had."""
        for table in (aliased(ReplacedReading), aliased(Reading)):
            at_once = (
                table.site_key == ReplacedReading.site_key,
                table.reading_date == ReplacedReading.reading_date,
            )
            is_estimated: Any = (
                table.quality == Quality.ESTIMATED
                if hasattr(table, "quality")
                else table.is_estimated.expression
            )
            import_id = func.coalesce(table.import_id, 0)
            other = is_before(ReplacedReading.received, ReplacedReading.import_id, table.received, import_id)
            outranks = or_(
                and_(~is_estimated, ReplacedReading.is_estimated),
                and_(is_estimated == ReplacedReading.is_estimated, other),
            )
            before = is_before(
                table.received, import_id, literal(self.received, Instant), literal(self.import_id)
            )
            yield ~exists().where(*at_once, or_(import_id == self.import_id, and_(before, outranks)))


def is_before(received: Any, import_id: Any, other_received: Any, other_id: Any) -> ColumnElement[bool]:
    """Whether what an import brought came before what another one did."""
    one, other = _received(received), _received(other_received)
    return or_(one < other, and_(one == other, func.coalesce(import_id, 0) < func.coalesce(other_id, 0)))


def _received(instant: Any) -> ColumnElement[datetime]:
    return func.coalesce(instant, literal(EPOCH, Instant))
