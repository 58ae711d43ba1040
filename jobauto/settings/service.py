"""Reading and saving settings. Every save is a new version; nothing is overwritten."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..audit.service import Author, Difference, record
from ..extensions import db
from ..models import SettingsVersion
from ..storage.connections import write
from . import schedule
from .schema import Settings
from .stored import Unreadable, read_stored

HISTORY = 50


class StaleSettings(Exception):
    """Somebody else saved settings since the form was opened."""


@dataclass(frozen=True)
class Stored:
    """The settings in force: their version, and from when on slots of the schedule are owed.

    What is ``unreadable`` of the stored values counts as its default.
    """

    version: int
    settings: Settings
    slots_owed_from: datetime
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True)
class Change:
    """One field of one save: who changed it, when, from what, to what."""

    at: datetime
    who: str | None
    field: str
    before: Any
    after: Any


def current() -> Stored:
    """The settings in force."""
    return _stored(db.session.scalars(_newest(1)).one())


def of_version(version: int) -> Settings:
    """The settings of a version, as a run used them."""
    return _stored(db.session.get_one(SettingsVersion, version)).settings


def save(edit: Callable[[Settings], Settings], *, by: str, now: datetime, seen: int | None = None) -> Stored:
    """Store what ``edit`` makes of the settings in force, unless that changes nothing that is stored.

    ``seen`` is the version that the editor looked at. Raises SettingsError, and StaleSettings when another
    version has come since; without ``seen`` the edit is applied to whatever is in force.
    """
    while True:
        try:
            with write() as session:
                before = _stored(session.scalars(_newest(1)).one())
                if seen not in (None, before.version):
                    raise StaleSettings
                after = edit(before.settings)
                if after == before.settings and not before.unreadable:
                    return before
                session.add(_next_version(before, after, by, now))
                changed = _changed(before, after)
                record(session, Author(by, now), "settings", before.version + 1, changed)
            return current()
        except IntegrityError:
            continue  # another save took this version's number: look again at what is in force now


def changes() -> Iterator[Change]:
    """The newest saves, field by field, newest first."""
    versions = list(db.session.scalars(_newest(HISTORY + 1)))
    for after, before in pairwise(versions):
        yield from _differences(before, after)


def _newest(count: int) -> Any:
    return select(SettingsVersion).order_by(SettingsVersion.version.desc()).limit(count)


def _stored(row: SettingsVersion) -> Stored:
    settings, unreadable = read_stored(row.document)
    return Stored(row.version, settings, row.slots_owed_from, unreadable)


def _next_version(before: Stored, after: Settings, by: str, now: datetime) -> SettingsVersion:
    return SettingsVersion(
        version=before.version + 1,
        document=after.document(),
        changed_at=now,
        changed_by=by,
        slots_owed_from=schedule.owed_from_after_change(
            before.settings.schedule, after.schedule, before.slots_owed_from, now
        ),
    )


def _differences(before: SettingsVersion, after: SettingsVersion) -> Iterator[Change]:
    for field, old, new in _changed(_stored(before), _stored(after).settings):
        yield Change(after.changed_at, after.changed_by, field, old, new)


def _changed(before: Stored, after: Settings) -> Iterator[Difference]:
    old, new = before.settings.document(), after.document()
    unreadable = {value.field: value.value for value in before.unreadable}
    for section, values in new.items():
        for name, value in values.items():
            field = f"{section}.{name}"
            was = unreadable.get(field, old[section][name])
            if was != value:
                yield field, was, value
