"""What has come through each profile: feeds as a list shows them, and those that are late.

A feed has *brought* something with an import that stored or confirmed a reading. It is late where it has not
for its ``expected_hours``; a new one, since its profile was made. That is told of once, and again only after
it has brought something: the database decides who tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from sqlalchemy import func, select

from ...clock import Clock, utcnow
from ...extensions import db
from ...models import FeedAlarm, Import, ProfileVersion
from ...notifications import service as notifications
from ...storage.connections import insert, write
from . import service

LOOKED_AT = 10
"""So many of the newest imports tell how regular a feed is."""
HOUR = timedelta(hours=1)


class Brought(NamedTuple):
    """An import that has brought something."""

    import_id: int
    filename: str
    at: datetime
    sites: int
    last_reading: datetime | None


@dataclass(frozen=True)
class Feed:
    """A profile in force, what came through it, the newest first, and since when it has brought nothing."""

    name: str
    made_at: datetime
    expected_hours: int | None
    imports: Sequence[Brought]

    @property
    def newest(self) -> Brought | None:
        """The newest import."""
        return self.imports[0] if self.imports else None

    @property
    def last_reading(self) -> datetime | None:
        """The latest instant of a reading in the newest imports."""
        return max((one.last_reading for one in self.imports if one.last_reading), default=None)

    @property
    def every_hours(self) -> float | None:
        """How many hours lie between one import and the next, as a rule; None of fewer than two."""
        times = [one.at for one in self.imports]
        steps = [(later - earlier) / HOUR for later, earlier in pairwise(times)]
        return median(steps) if steps else None

    @property
    def quiet_since(self) -> datetime:
        """Since when it has brought nothing."""
        return max(self.made_at, self.newest.at) if self.newest else self.made_at

    def is_late(self, now: datetime) -> bool:
        """Whether something should have come by now."""
        return self.expected_hours is not None and now - self.quiet_since > self.expected_hours * HOUR


def feeds() -> dict[str, Feed]:
    """Every profile in force by its name in small letters."""
    brought = _brought()
    return {
        key: Feed(name, made_at, expected_hours, brought.get(key, []))
        for key, name, made_at, expected_hours in _profiles()
    }


def late(now: datetime) -> list[Feed]:
    """The feeds that are late, by their names."""
    return [feed for feed in feeds().values() if feed.is_late(now)]


def tell_of_late(clock: Clock = utcnow) -> int:
    """Tell of each feed that is late, once; how many they were. Needs an app context."""
    now = clock()
    found = late(now)
    db.session.rollback()
    return sum(_tell(feed, now) for feed in found)


def _tell(feed: Feed, now: datetime) -> bool:
    with write() as session:
        connection = session.connection()
        statement = insert(connection, FeedAlarm).values(key=feed.name.lower(), since=feed.quiet_since)
        told = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"since": statement.excluded.since},
            where=FeedAlarm.since != statement.excluded.since,
        )
        if session.scalar(told.returning(FeedAlarm.key)) is None:
            return False
        notifications.feed_late(connection, feed.name, feed.quiet_since, feed.expected_hours or 0, now)
        return True


def _profiles() -> Iterator[tuple[str, str, datetime, int | None]]:
    """The profiles in force, by their keys: name, when it was made after it was last deleted, expected hours.

    No document leaves the database: a script may save one of megabytes each night.
    """
    has_document = ProfileVersion.document.is_not(None)
    versions = select(ProfileVersion.key, ProfileVersion.changed_at, has_document)
    made: dict[str, datetime] = {}
    for key, at, is_one in db.session.execute(versions.order_by(ProfileVersion.key, ProfileVersion.version)):
        if is_one:
            made.setdefault(key, at)
        else:
            made.pop(key, None)
    hours = ProfileVersion.document["expected_hours"].as_integer()
    newest = service.current().with_only_columns(ProfileVersion.key, ProfileVersion.name, hours)
    for key, name, expected_hours in db.session.execute(newest).all():
        if key in made:  # else it was made since
            yield key, name, made[key], expected_hours


def _brought() -> dict[str, list[Brought]]:
    key = func.lower(Import.profile)
    place = func.row_number().over(partition_by=key, order_by=Import.id.desc())
    newest = (
        select(Import.id, key.label("key"), place.label("place"))
        .where(
            Import.profile.is_not(None),
            ~Import.dry_run,
            Import.finished_at.is_not(None),
            Import.new + Import.updated + Import.unchanged > 0,
            Import.status.in_(("finished", "failed")),
        )
        .subquery()
    )
    found = (
        select(newest.c.key, Import)
        .join(newest, newest.c.id == Import.id)
        .where(newest.c.place <= LOOKED_AT)
        .order_by(Import.finished_at.desc())
    )
    brought: dict[str, list[Brought]] = {}
    for name, entry in db.session.execute(found):
        at = entry.finished_at or entry.requested_at
        brought.setdefault(name, []).append(Brought(entry.id, entry.filename, at, entry.sites, entry.last_at))
    return brought
