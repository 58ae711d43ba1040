"""Files that wait until somebody has said how they are read: kept like those of imports, and then imported
without being sent again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from filecmp import cmp
from typing import BinaryIO

from sqlalchemy import select

from ..audit.service import Author
from ..errors import InvalidInput
from ..extensions import db
from ..models import Import
from ..models.imports import NEEDS_PROFILE
from ..storage.connections import write
from . import fleet
from .kept_file import schedule_zone
from .lines import FileError
from .profiles import service
from .profiles.document import Profile
from .proposing.feeds import profile_of
from .proposing.proposal import Answers, Proposal
from .proposing.proposer import propose
from .proposing.sample import Sample, sample_of
from .uploads import KEPT_FOR, forget, here, keep, kept, make_room, name_to_store

MOST_PROFILES = 200
"""So many are tried on a file."""
ELSEWHERE = "The file is not on this machine any more. Send it again."


def accept(filename: str, content: BinaryIO, author: Author, check: Callable[[Sample], object]) -> int:
    """Keep a file for which a profile is to be made; returns its import's id. The same one that waits for it
    already waits once.

    ``check`` looks at its first part, and raises FileError for what is of no use. Raises that, and OSError
    when there is no room for it.
    """
    name = keep(content)
    try:
        with kept(name).open("rb") as file:
            check(sample_of(file, filename))
        if (waiting := _same_that_waits(name, filename)) is not None:
            forget(name)
            return waiting
        make_room()
        entry = Import(
            kind="readings",
            filename=name_to_store(filename),
            kept_as=name,
            kept_on=here(),
            dry_run=True,  # nothing is stored before somebody says so
            status=NEEDS_PROFILE,
            requested_by=author.name or "",
            requested_at=author.now,
            size=kept(name).stat().st_size,
            decide_until=author.now + KEPT_FOR,
        )
        with write() as session:
            session.add(entry)
            session.flush()
            return entry.id
    except BaseException:
        forget(name)
        raise


def proposal_of(sample: Sample, answers: Answers, now: datetime) -> Proposal:
    """What is proposed for a file. Raises FileError where nothing can be said of it."""
    return propose(sample, answers, is_site=fleet.sites_among, zone=schedule_zone(), now=now)


def profile_that_reads(sample: Sample, now: datetime) -> str | None:
    """The name of the profile in force that reads a file, if there is one."""
    return profile_of(sample, _readable_profiles(), schedule_zone(), now)


def _readable_profiles() -> Iterator[tuple[str, Profile]]:
    """One after the other: each may be megabytes long."""
    for name in db.session.scalars(service.names().limit(MOST_PROFILES)).all():
        try:
            profile = service.get(name).profile
        except InvalidInput:  # deleted since; or of another machine, which knows more encodings or zones
            continue
        yield name, profile


def _same_that_waits(name: str, filename: str) -> int | None:
    """The import that waits here with a file of this name and content."""
    called_so = (
        Import.status == NEEDS_PROFILE,
        Import.filename == name_to_store(filename),
        Import.kept_on == here(),
    )
    waiting = select(Import).where(*called_so, Import.size == kept(name).stat().st_size)
    for entry in db.session.scalars(waiting):
        if kept(entry.kept_as).exists() and cmp(kept(entry.kept_as), kept(name), shallow=False):
            return entry.id
    return None


def look(entry: Import) -> Sample:
    """The first part of the file of an import. Raises FileError."""
    with _opened(entry) as file:
        return sample_of(file, entry.filename)


@contextmanager
def _opened(entry: Import) -> Iterator[BinaryIO]:
    try:
        with kept(entry.kept_as).open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise FileError(ELSEWHERE) from error
