"""What one person does with several jobs at once, and its undoing.

1. What was chosen is written down first: one row for the action, one for each job.
2. Each job is changed in a transaction of its own, which also marks its row as done. So whoever goes on, and
   however often, does nothing twice; and a job that cannot be changed holds up no other.
3. A process that dies in the middle leaves a heartbeat that grows stale: the next tick goes on.
4. Undoing is an action on the jobs that were changed. It gives a job what it had before, but only where each
   field's newest change is that of the action: decided on the job as it is locked, by its history.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Select, delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..audit import queries as audit
from ..audit.conflicts import shown
from ..audit.service import Author, Difference
from ..clock import Clock, utcnow
from ..errors import InvalidInput
from ..extensions import db
from ..models import BulkAction, BulkJob, Event, Job
from ..storage.connections import write
from ..storage.leases import is_stale
from . import incidents
from .bulk import Refusal, not_taken_since, only_closed, only_open, still_open
from .outcome import Tally
from .service import JobChange, UnknownJob, beside, change_within, lock

log = logging.getLogger("job_automation")

MOST = 10_000
"""So many jobs at most are chosen at once."""
MOST_UNFINISHED = 10
"""So many actions of one person may be left to do before the next: a press writes :data:`MOST` rows, kept
for weeks, in a hundredth of the time that the jobs take. Presses at one moment may pass it by a few."""
UNDO_FOR = timedelta(days=14)
KEPT_FOR = UNDO_FOR + timedelta(days=1)
"""So long it is known what became of each job: for longer than somebody may begin to undo it."""
STALE_AFTER = timedelta(minutes=1)
AT_ONCE = 100
"""After so many jobs a process proves that it is still at it."""


@dataclass(frozen=True)
class Wanted:
    """An action by its name, and the fields of its change."""

    action: str
    change: Mapping[str, str]


def begin(seen_assignees: Mapping[int, str], wanted: Wanted, *, by: str, now: datetime) -> int:
    """Write down an action on jobs by their numbers, each with whom the list showed; returns its id.

    Raises InvalidInput where :data:`MOST_UNFINISHED` of this person are left to do.
    """
    with write() as session:
        _refuse_many(session, by)
        bulk_id = _begin(session, wanted, by, now)
        session.execute(
            insert(BulkJob),
            [
                {"bulk_id": bulk_id, "job_id": job_id, "seen_assignee": name}
                for job_id, name in seen_assignees.items()
            ],
        )
    return bulk_id


def begin_matching(jobs: Select[Job], wanted: Wanted, *, by: str, now: datetime) -> int:
    """The same of the first jobs of a query, as they are now."""
    first = jobs.with_only_columns(Job.id, Job.assignee, maintain_column_froms=True).limit(MOST).subquery()
    with write() as session:
        _refuse_many(session, by)
        bulk_id = _begin(session, wanted, by, now)
        chosen = select(literal(bulk_id), first.c.id, func.coalesce(first.c.assignee, ""))
        session.execute(insert(BulkJob).from_select(["bulk_id", "job_id", "seen_assignee"], chosen))
    return bulk_id


def begin_undoing(bulk_id: int, *, by: str, now: datetime) -> int:
    """Write down that an action is undone; returns the id of the undoing, which is made once.

    Raises InvalidInput where an action may not be undone.
    """
    if (undone := undoing_of(bulk_id)) is not None:
        return undone
    if not may_undo(bulk_id, now):
        raise InvalidInput("Nothing was undone: there is nothing to undo, or not yet.", status=409)
    changed = (BulkJob.bulk_id == bulk_id, BulkJob.done, BulkJob.refused.is_(None))
    try:
        with write() as session:
            undo_id = _begin(session, Wanted("undo", {}), by, now, undoes=bulk_id)
            chosen = select(literal(undo_id), BulkJob.job_id, BulkJob.seen_assignee).where(*changed)
            session.execute(insert(BulkJob).from_select(["bulk_id", "job_id", "seen_assignee"], chosen))
    except IntegrityError:
        return db.session.scalars(select(BulkAction.id).where(BulkAction.undoes == bulk_id)).one()
    return undo_id


def _refuse_many(session: Session, by: str) -> None:
    unfinished = select(func.count()).where(BulkAction.finished_at.is_(None), BulkAction.who == by)
    if (session.scalar(unfinished) or 0) >= MOST_UNFINISHED:
        why = f"{MOST_UNFINISHED} actions of yours are not finished. Try again when one is."
        raise InvalidInput(f"Nothing was changed: {why}", status=409)


def _begin(session: Session, wanted: Wanted, by: str, now: datetime, undoes: int | None = None) -> int:
    begun = BulkAction(
        who=by, at=now, action=wanted.action, change=dict(wanted.change), undoes=undoes, heartbeat_at=now
    )
    session.add(begun)
    session.flush()
    return begun.id


def go_on(bulk_id: int, clock: Clock = utcnow) -> None:
    """Do what is left of an action."""
    bulk = db.session.get_one(BulkAction, bulk_id)
    db.session.expunge(bulk)
    if bulk.finished_at is not None:  # it waited for its turn so long that a tick took it up
        return
    while pending := _some_pending(bulk_id):
        for job_id, site_key, seen in pending:
            _do(bulk, job_id, partial(_change, bulk, job_id, site_key, seen, clock()))
        _stamp(bulk_id, heartbeat_at=clock())
    _stamp(bulk_id, finished_at=clock())


def process_pending(clock: Clock = utcnow) -> None:
    """Go on with each action whose process has died."""
    while (bulk_id := _claim(clock())) is not None:
        go_on(bulk_id, clock)


def tally(bulk_id: int) -> Tally:
    """How far an action is."""
    counts = select(func.count(), func.count().filter(BulkJob.done), func.count(BulkJob.refused))
    return Tally(*db.session.execute(counts.where(BulkJob.bulk_id == bulk_id)).one())


def refused(bulk_id: int) -> Select[int, str | None]:
    """(job, why) of those that were left alone."""
    return (
        select(BulkJob.job_id, BulkJob.refused)
        .where(BulkJob.bulk_id == bulk_id, BulkJob.refused.is_not(None))
        .order_by(BulkJob.job_id)
    )


def chosen(bulk_id: int) -> Select[int, bool, str | None]:
    """(job, whether it is done, why it was left alone) of all that were chosen; those left alone first."""
    return (
        select(BulkJob.job_id, BulkJob.done, BulkJob.refused)
        .where(BulkJob.bulk_id == bulk_id)
        .order_by(BulkJob.refused.is_(None), BulkJob.job_id)
    )


def changed(bulk_id: int) -> Select[int]:
    """The jobs that were changed."""
    return select(BulkJob.job_id).where(BulkJob.bulk_id == bulk_id, BulkJob.done, BulkJob.refused.is_(None))


def may_undo(bulk_id: int, now: datetime) -> bool:
    """Whether an action can be undone: it has ended, not too long ago, has changed something, is no undoing
    and has none."""
    bulk = db.session.get(BulkAction, bulk_id, populate_existing=True)
    if bulk is None or bulk.finished_at is None or bulk.undoes is not None:
        return False
    if bulk.finished_at <= now - UNDO_FOR:
        return False
    return undoing_of(bulk_id) is None and tally(bulk_id).changed > 0


def undoing_of(bulk_id: int) -> int | None:
    """The id of the undoing of an action, where it has one."""
    return db.session.scalar(select(BulkAction.id).where(BulkAction.undoes == bulk_id))


def is_forgotten(bulk: BulkAction, now: datetime) -> bool:
    """Whether it is no longer known what became of each job."""
    return bulk.finished_at is not None and bulk.finished_at <= now - KEPT_FOR


def expire(now: datetime) -> None:
    """Forget what became of each job in actions that cannot be undone any more, an action a transaction."""
    while (bulk_id := db.session.scalar(select(func.min(BulkJob.bulk_id)))) is not None:
        is_over = is_forgotten(db.session.get_one(BulkAction, bulk_id, populate_existing=True), now)
        db.session.rollback()
        if not is_over:
            return
        with write() as session:
            session.execute(delete(BulkJob).where(BulkJob.bulk_id == bulk_id))


def _claim(now: datetime) -> int | None:
    left = (BulkAction.finished_at.is_(None), is_stale(BulkAction.heartbeat_at, now, STALE_AFTER))
    first = db.session.scalar(select(BulkAction.id).where(*left).order_by(BulkAction.id).limit(1))
    db.session.rollback()
    if first is None:
        return None
    claim = update(BulkAction).where(BulkAction.id == first, *left).values(heartbeat_at=now)
    with write() as session:
        return session.scalar(claim.returning(BulkAction.id))


def _stamp(bulk_id: int, **values: datetime) -> None:
    with write() as session:
        session.execute(update(BulkAction).where(BulkAction.id == bulk_id).values(**values))


def _some_pending(bulk_id: int) -> list[tuple[int, int | None, str]]:
    """(job, key of its site, whom the list showed) of some that are left, the oldest job first.

    In a distributed database a number alone has every machine asked: once for them all.
    """
    left = (
        select(BulkJob.job_id, BulkJob.seen_assignee)
        .where(BulkJob.bulk_id == bulk_id, ~BulkJob.done)
        .order_by(BulkJob.job_id)
        .limit(AT_ONCE)
    )
    seen = {job_id: name for job_id, name in db.session.execute(left)}  # noqa: C416 (a row is a tuple, which mypy does not know)
    found = db.session.execute(select(Job.id, Job.site_key).where(Job.id.in_(seen)))
    keys = {job_id: key for job_id, key in found}  # noqa: C416 (the same)
    db.session.rollback()
    return [(job_id, keys.get(job_id), name) for job_id, name in seen.items()]


def _do(bulk: BulkAction, job_id: int, change: Callable[[Session], list[Difference]]) -> None:
    row = (BulkJob.bulk_id == bulk.id, BulkJob.job_id == job_id, ~BulkJob.done)
    done = update(BulkJob).where(*row).returning(BulkJob.job_id)
    try:
        with write() as session:
            if session.scalar(done.values(done=True)) is not None:
                change(session)
    except InvalidInput as error:
        by_field = [text for texts in error.fields.values() for text in texts]
        why = " ".join(by_field) if by_field and error.status == 422 else str(error)
    except IntegrityError as error:
        why = str(beside(error))
    except UnknownJob:
        why = "There is no such job."
    else:
        return
    with write() as session:
        session.execute(done.values(done=True, refused=why))


def _change(
    bulk: BulkAction, job_id: int, site_key: int | None, seen: str, now: datetime, session: Session
) -> list[Difference]:
    author = Author(bulk.who, now, bulk_id=bulk.id)
    if bulk.undoes is not None:
        return _undo(session, bulk.undoes, job_id, site_key, author)
    wanted, unless = JobChange(**bulk.change), _unless(bulk, seen, job_id)
    return change_within(session, job_id, wanted, author, unless=unless, site_key=site_key)


def _unless(bulk: BulkAction, seen: str, job_id: int) -> Refusal | None:
    """What must not have become of a job since the list was shown."""
    if bulk.action == "assign":
        return not_taken_since(bulk.change["assignee"], {job_id: seen})
    return {"close": only_open, "status": still_open, "reopen": only_closed}.get(bulk.action)


def _undo(
    session: Session, undone: int, job_id: int, site_key: int | None, author: Author
) -> list[Difference]:
    incidents.lock(session, job_id, site_key)  # first, as a run does
    job = lock(session, job_id, site_key)
    before = {}
    for event in session.scalars(audit.events_of_bulk(undone, job_id)):
        if event.field == "note":
            continue  # what was said was said
        _require_still_stands(session, job, event)
        before[event.field] = event.before or ""
    if before.get("status", job.status) != "closed":
        before.pop("resolution", None)
    return change_within(session, job_id, JobChange(**before), author, site_key=site_key, puts_back=True)


def _require_still_stands(session: Session, job: Job, event: Event) -> None:
    last = session.scalar(audit.last_change("job", job.id, event.field))
    if last is None or last.id != event.id:
        who = last.who if last is not None and last.who else "The program"
        raise InvalidInput(f"{who} has changed it since.", status=409)
    if shown(getattr(job, event.field)) != (event.after or ""):
        raise InvalidInput("It was changed since.", status=409)
