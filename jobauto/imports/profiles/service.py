"""Reading and saving profiles. Every save is a new version; nothing is overwritten."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.exc import IntegrityError

from ...audit.service import Author, record
from ...errors import InvalidInput
from ...extensions import db
from ...models import ProfileVersion
from ...storage.connections import write
from .document import Profile

NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
NO_NAMES = ("fleet", "done", "rejected")
UNKNOWN = 404
MOST_TOGETHER = 8_000_000
"""Characters of all profiles in force: lists hold them whole, and a document takes twenty times as much. Nor
does a backup take a longer value.
"""


@dataclass(frozen=True)
class Stored:
    """A profile in force: its document as JSON has it, and who saved it when."""

    name: str
    version: int
    document: dict[str, Any]
    changed_at: datetime
    changed_by: str | None

    @property
    def profile(self) -> Profile:
        """What it says. Raises ProfileError where this machine cannot read it any more."""
        return Profile.parsed(self.document)


def current() -> Select[ProfileVersion]:
    """The profiles in force, by their names."""
    newest = (
        select(ProfileVersion.key, func.max(ProfileVersion.version).label("version"))
        .group_by(ProfileVersion.key)
        .subquery()
    )
    return (
        select(ProfileVersion)
        .join(newest, (newest.c.key == ProfileVersion.key) & (newest.c.version == ProfileVersion.version))
        .where(ProfileVersion.document.is_not(None))
        .order_by(ProfileVersion.key)
    )


def names() -> Select[str]:
    """Their names alone: a document may be megabytes long."""
    return current().with_only_columns(ProfileVersion.name)


def listed() -> Select[str, str, str, str | None, str | None, datetime]:
    """(key, name, kind, measure, by whom, when) of each: no document is read for a list."""
    said = ProfileVersion.document
    return current().with_only_columns(
        ProfileVersion.key,
        ProfileVersion.name,
        said[("file", "kind")].as_string().label("kind"),
        said["measure"].as_string().label("measure"),
        ProfileVersion.changed_by,
        ProfileVersion.changed_at,
    )


def history(name: str) -> Select[int, datetime, str | None, bool]:
    """(version, when, by whom, whether it was deleted) of all versions of a profile, newest first."""
    is_deletion = ProfileVersion.document.is_(None)
    told = (ProfileVersion.version, ProfileVersion.changed_at, ProfileVersion.changed_by)
    return versions(name).with_only_columns(*told, is_deletion.label("is_deletion"))


def versions(name: str) -> Select[ProfileVersion]:
    """All versions of a profile, newest first; its deletions are some of them."""
    key = name.lower()
    return select(ProfileVersion).where(ProfileVersion.key == key).order_by(ProfileVersion.version.desc())


def find(name: str) -> Stored | None:
    """The profile of a name, whatever its case; None where there is none."""
    newest = db.session.scalars(versions(name).limit(1)).one_or_none()
    return _stored(newest) if newest is not None and newest.document is not None else None


def get(name: str) -> Stored:
    """The same. Raises InvalidInput where there is none."""
    found = find(name)
    if found is None:
        raise InvalidInput(
            f"There is no profile {name}.", {"profile": ["There is no such profile."]}, UNKNOWN
        )
    return found


def of_version(name: str, version: int | None) -> Profile:
    """The profile that an import was to be read by. Raises ProfileError where it cannot be read any more."""
    row = db.session.get_one(ProfileVersion, (name.lower(), version))
    return Profile.parsed(row.document)


def save(name: str, document: Any, author: Author) -> Stored:
    """Store a profile as a whole, unless that changes nothing. Raises InvalidInput, and stores nothing."""
    _check_name(name)
    profile = Profile.parsed(document)
    before = find(name)
    if before is None or before.document != profile.document():
        _check_room(name, profile.document())
        _store(name, profile.document(), author)
    return get(name)


def delete(name: str, author: Author) -> None:
    """Delete a profile; its former versions stay. Raises InvalidInput where there is none."""
    _store(get(name).name, None, author)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        why = "A name is 1 to 50 of A-Z, a-z, 0-9, _ and -."
    elif name.lower() in NO_NAMES:
        why = f"A profile cannot be called {name}."
    else:
        return
    raise InvalidInput(why, {"name": [why]})


def _check_room(name: str, document: dict[str, Any]) -> None:
    length = func.length(cast(ProfileVersion.document, Text))
    others = current().where(ProfileVersion.key != name.lower()).with_only_columns(length)
    if sum(db.session.scalars(others)) + len(json.dumps(document)) > MOST_TOGETHER:
        why = f"All profiles together may have {MOST_TOGETHER:,} characters. Delete some that are not used."
        raise InvalidInput(why, {"profile": [why]})


def _store(name: str, document: dict[str, Any] | None, author: Author) -> None:
    while True:
        try:
            with write() as session:
                newest = session.scalars(versions(name).limit(1)).one_or_none()
                number = newest.version if newest else 0
                session.add(
                    ProfileVersion(
                        key=name.lower(),
                        version=number + 1,
                        name=name,
                        document=document,
                        changed_at=author.now,
                        changed_by=author.name,
                    )
                )
                before = number if newest is not None and newest.document is not None else None
                after = None if document is None else number + 1
                record(session, author, "profile", name, [("version", before, after)])
                return
        except IntegrityError:
            continue  # somebody else took this number: look again at what is in force now


def _stored(row: ProfileVersion) -> Stored:
    return Stored(row.name, row.version, row.document or {}, row.changed_at, row.changed_by)
