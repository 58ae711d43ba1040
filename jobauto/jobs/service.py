"""Working a job: its steps, priority, assignee, queue and notes. Every change is kept with who and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ..audit.conflicts import Seen, require_agreement
from ..audit.service import Author, Difference, record
from ..errors import InvalidInput
from ..models import Job, User
from ..models.folding import fold
from ..models.job import PRIORITIES, RESOLUTIONS, STATUSES, STILL_OPEN
from ..models.user import MAY_WORK_JOBS
from ..notifications import assignments
from ..storage.connections import write
from ..storage.many_jobs import be_alone_in_changing_many
from . import incidents
from .bulk import Refusal

NOTE_LENGTH = 2000
SEARCHED_NOTES = 20_000
"""So many characters of a job's notes, the newest, are searched. Each note writes them anew: of a script that
adds thousands, all of them would fill the disk."""
QUEUE_LENGTH = 100


class UnknownJob(LookupError):
    """There is no such job."""


@dataclass(frozen=True)
class JobChange:
    """What is to become of a job; None leaves a thing as it is.

    An empty assignee takes the job from whoever has it, an empty queue out of its queue; an empty resolution
    is none.
    """

    status: str | None = None
    resolution: str | None = None
    priority: str | None = None
    assignee: str | None = None
    queue: str | None = None
    note: str | None = None


def change(
    job_id: int,
    wanted: JobChange,
    *,
    by: str,
    now: datetime,
    seen: Seen = MappingProxyType({}),
    token: str | None = None,
) -> list[Difference]:
    """Change a job, all or nothing; returns what changed. ``seen`` is what the editor looked at.

    ``token`` names the API token with which they do it.

    1. Closing needs no resolution: ``other`` where none is named. A resolution belongs to closed jobs only.
    2. Reopening beside an open job of the same site and type is refused (409), or while an incident covers
       the site. From then on the job counts against duplicates, so two that are reopened at once meet in the
       unique index. An incident is refused beside another one of its source.
    Raises InvalidInput, EditConflict and UnknownJob.
    """
    try:
        with write() as session:
            return change_within(session, job_id, wanted, Author(by, now, token), seen=seen)
    except IntegrityError as error:
        raise beside(error) from error


def change_within(
    session: Session,
    job_id: int,
    wanted: JobChange,
    author: Author,
    *,
    seen: Seen = MappingProxyType({}),
    unless: Refusal | None = None,
    site_key: int | None = None,
    puts_back: bool = False,
) -> list[Difference]:
    """The same in the transaction of the caller, who turns an IntegrityError into what :func:`beside` says.

    What ``unless`` names as a reason, once the job is locked, leaves it as it is (409). A distributed
    database finds a job by its ``site_key``; without it, all machines are asked first. Of what only
    ``puts_back`` what was, nobody is told: whoever gets a job back has known it.
    """
    may_reopen = wanted.status is not None and incidents.lock(session, job_id, site_key)
    job = lock(session, job_id, site_key)
    if wanted.status not in (None, "closed") and job.status == "closed" and not may_reopen:
        raise InvalidInput("Nothing was changed: somebody has closed the job at this moment.", status=409)
    if unless is not None and (reason := unless(job)) is not None:
        raise InvalidInput(reason, status=409)
    asked = {name: value for name, value in vars(wanted).items() if value is not None and name in seen}
    require_agreement(session, "job", job_id, job, asked, seen)
    _check(session, job, wanted)
    return _apply(session, job, wanted, author, puts_back=puts_back)


def hand_over(session: Session, assignee: str, to: str, author: Author) -> int:
    """Give somebody's open jobs to somebody else, or to nobody; how many they were.

    In the transaction of the caller. Raises InvalidInput where ``to`` may work no jobs.
    """
    if to and not _may_work_jobs(session, to):
        raise InvalidInput("Nothing was changed.", {"to": [f"{to} is nobody who works jobs."]})
    be_alone_in_changing_many(session.connection())
    theirs = update(Job).where(STILL_OPEN, Job.assignee == assignee)
    change = theirs.values(assignee=to or None, touched=True).returning(Job.id, Job.site_key)
    handed = [(job_id, site_key) for job_id, site_key in session.execute(change)]
    for job_id, _ in handed:
        record(session, author, "job", job_id, [("assignee", assignee, to or None)])
    if to:
        assignments.note(session.connection(), to, handed, author)
    return len(handed)


def lock(session: Session, job_id: int, site_key: int | None = None) -> Job:
    """A job, locked until the end of the transaction. Raises UnknownJob."""
    if site_key is None:
        site_key = session.scalar(select(Job.site_key).where(Job.id == job_id))
    same = select(Job).where(Job.id == job_id, Job.site_key == site_key)
    locked = same.with_for_update(of=Job).execution_options(populate_existing=True)
    job = session.scalars(locked).one_or_none()
    if job is None:
        raise UnknownJob(job_id)
    return job


def _check(session: Session, job: Job, wanted: JobChange) -> None:
    wrong: dict[str, list[str]] = {}
    for name, allowed in (("status", STATUSES), ("resolution", RESOLUTIONS), ("priority", PRIORITIES)):
        value = getattr(wanted, name)
        if value is not None and value not in allowed:
            wrong[name] = [f"Must be one of {', '.join(allowed)}."]
    if wanted.resolution == "":
        wrong["resolution"] = ["A closed job has a resolution. Choose one, or reopen the job by its status."]
    if wanted.resolution is not None and (wanted.status or job.status) != "closed":
        wrong.setdefault("resolution", ["Only a closed job has a resolution."])
    is_new = wanted.assignee and wanted.assignee != job.assignee
    if is_new and not _may_work_jobs(session, wanted.assignee):
        wrong["assignee"] = [f"{wanted.assignee} is nobody who works jobs: an active operator or admin."]
    if wanted.queue is not None and not (wanted.queue.isprintable() and len(wanted.queue) <= QUEUE_LENGTH):
        wrong["queue"] = [f"Must have at most {QUEUE_LENGTH} characters, all of which can be seen."]
    if wanted.note is not None and not 1 <= len(wanted.note.strip()) <= NOTE_LENGTH:
        wrong["note"] = [f"Must have 1 to {NOTE_LENGTH} characters."]
    if wanted.note is not None and "\0" in wanted.note:
        wrong["note"] = ["Must be text, without NUL."]
    if wrong:
        raise InvalidInput("Nothing was changed. What is wrong is said beside each field.", wrong)


def _may_work_jobs(session: Session, username: str | None) -> bool:
    return session.scalar(select(User.id).where(User.username == username, *MAY_WORK_JOBS)) is not None


def _apply(
    session: Session, job: Job, wanted: JobChange, author: Author, *, puts_back: bool
) -> list[Difference]:
    values: dict[str, Any] = {"touched": True}
    if job.status == "closed" and wanted.status not in (None, "closed"):
        if job.covers is None:
            incidents.require_uncovered(session, job)
            _require_none_beside(session, job)
        else:
            incidents.reopen(session, job)
        values |= {"closed_at": None, "closed_by": None, "duplicate_checked": True}
    elif job.status != "closed" and wanted.status == "closed":
        values |= {"closed_at": author.now, "closed_by": author.name}
        if job.covers is not None:
            incidents.close(session, job, author)
    changes: list[Difference] = list(_differences(job, wanted))
    values |= {field: after for field, _, after in changes}
    if wanted.note is not None:
        changes.append(("note", None, wanted.note.strip()))
        values["search_notes"] = f"{job.search_notes} {fold(wanted.note)}"[-SEARCHED_NOTES:]
    if changes:
        # With the site's key beside its number: an UPDATE of the session's own would go to every machine.
        same = (Job.id == job.id, Job.site_key == job.site_key)
        session.execute(update(Job).where(*same).values(values))
        record(session, author, "job", job.id, changes)
    if (assignee := values.get("assignee")) and not puts_back:
        assignments.note(session.connection(), assignee, [(job.id, job.site_key)], author)
    return changes


def _require_none_beside(session: Session, job: Job) -> None:
    other = aliased(Job)
    beside = select(other.id).where(
        other.site_key == job.site_key,
        other.job_type == job.job_type,
        other.status != "closed",
        other.covers.is_(None),
    )
    if session.scalar(beside.limit(1)) is not None:
        raise open_beside()


def _differences(job: Job, wanted: JobChange) -> Iterator[Difference]:
    status = wanted.status or job.status
    after = {
        "status": status,
        "resolution": (wanted.resolution or job.resolution or "other") if status == "closed" else None,
        "priority": wanted.priority or job.priority,
        "assignee": job.assignee if wanted.assignee is None else wanted.assignee or None,
        "queue": job.queue if wanted.queue is None else wanted.queue.strip(),
    }
    for field, value in after.items():
        if getattr(job, field) != value:
            yield field, getattr(job, field), value


def beside(error: IntegrityError) -> InvalidInput:
    """What the database refused when a job was reopened: a second open one, or a second incident."""
    return incidents.another_open() if "incident" in str(error.orig) else open_beside()


def open_beside() -> InvalidInput:
    """What the unique index says of a job that is reopened beside an open one."""
    return InvalidInput(
        "This site has another open job of this type. Work that one, or close it first.",
        {"status": ["Another job of this site and type is open."]},
        status=409,
    )
