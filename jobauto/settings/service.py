"""Reading and saving settings. Every save is a new version; nothing is overwritten."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..audit import queries as audit
from ..audit.conflicts import Conflict
from ..audit.service import Author, Difference, record
from ..extensions import db
from ..models import SettingsVersion
from ..storage.connections import write
from . import schedule
from .schema import Settings
from .stored import Unreadable, read_stored

HISTORY = 50


class StaleSettings(Exception):
    """Somebody else saved settings since the form was opened: the fields that both have changed."""

    def __init__(self, conflicts: Sequence[Conflict] = ()) -> None:
        super().__init__("somebody else has changed the settings")
        self.conflicts = conflicts


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


def save(
    edit: Callable[[Settings], Settings],
    *,
    by: str,
    now: datetime,
    seen: int | None = None,
    token: str | None = None,
) -> Stored:
    """Store what ``edit`` makes of the settings in force, unless that changes nothing that is stored.

    ``seen`` is the version that the editor looked at. Raises SettingsError, and StaleSettings when another
    version has come since; without ``seen`` the edit is applied to whatever is in force.
    ``token`` names the API token with which they do it.
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
                record(session, Author(by, now, token), "settings", before.version + 1, changed)
            return current()
        except IntegrityError:
            continue  # another save took this version's number: look again at what is in force now


def merge(typed: dict[str, dict[str, Any]], *, seen: int, by: str, now: datetime) -> Stored:
    """Store what an editor changed in a form that showed the version ``seen``; other fields stay as they are.

    Raises SettingsError, and StaleSettings where somebody else has changed one of the same fields since, or
    where there is no such version: then nothing is stored.
    """

    def edit(in_force: Settings) -> Settings:
        shown = db.session.get(SettingsVersion, seen)
        if shown is None:
            raise StaleSettings
        touched = _touched(_stored(shown).settings.document(), typed)
        conflicts = list(_conflicts(_stored(shown).settings.document(), in_force.document(), touched))
        if conflicts:
            raise StaleSettings(conflicts)
        return in_force.changed(touched)

    return save(edit, by=by, now=now)


def _touched(
    before: dict[str, dict[str, Any]], typed: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {
        section: {name: value for name, value in values.items() if str(value) != str(before[section][name])}
        for section, values in typed.items()
    }


def _conflicts(
    before: dict[str, dict[str, Any]], in_force: dict[str, dict[str, Any]], touched: dict[str, dict[str, Any]]
) -> Iterator[Conflict]:
    for section, values in touched.items():
        for name, value in values.items():
            old, new = before[section][name], in_force[section][name]
            if new != old and str(new) != str(value):
                field = f"{section}.{name}"
                last = db.session.scalar(audit.last_change_of_setting(field))
                who, at = (last.who, last.at) if last else (None, None)
                yield Conflict(field, who, at, old, new, value)


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
