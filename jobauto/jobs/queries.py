"""What is asked about jobs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, or_, select

from ..extensions import db
from ..models import Job, JobReading, Reading, Run, Site
from ..models.job import PRIORITIES, STILL_OPEN
from ..models.types import BEFORE_ALL
from ..sites.queries import window
from ..storage.distinct import distinct_values
from .progress import Late, Seen


@dataclass(frozen=True)
class JobFilter:
    """Which jobs, and in which order. Empty texts do not narrow.

    The status ``unclosed`` means any but closed; the assignee ``-`` nobody; ``recovered`` is ``yes`` or
    ``no``; ``min_age`` counts whole days since the job was opened.
    """

    status: str = ""
    rule: str = ""
    site_id: str = ""
    group: str = ""
    priority: str = ""
    assignee: str = ""
    queue: str = ""
    recovered: str = ""
    min_age: int | None = None
    search: str = ""
    sort: str = "newest"


SORTS: dict[str, tuple[str, ColumnElement[Any]]] = {
    "newest": ("Newest first", Job.id.desc()),
    "oldest": ("Oldest first", Job.id.asc()),
    "longest": ("Longest fault first", Job.days.desc().nulls_last()),
    "priority": (
        "Highest priority first",
        case({name: place for place, name in enumerate(PRIORITIES)}, value=Job.priority).desc(),
    ),
    "site": ("By site", Site.site_id.asc()),
}
"""By name: the label, and what jobs are sorted by; newest first among equals."""


def jobs_matching(wanted: JobFilter, now: datetime) -> Select[Any]:
    """Jobs as the filter wants them."""
    query = select(Job)
    if wanted.site_id or wanted.group or wanted.search or wanted.sort == "site":
        query = query.join(Site, Site.key == Job.site_key)
    same = {
        Job.rule: wanted.rule,
        Job.priority: wanted.priority,
        Job.queue: wanted.queue,
        Site.site_id: wanted.site_id,
        Site.group: wanted.group,
    }
    query = query.where(*(column == value for column, value in same.items() if value))
    query = query.where(*_states(wanted))
    if wanted.min_age is not None:
        query = query.where(Job.created_at <= now - timedelta(days=wanted.min_age))
    if wanted.search:
        texts = (Site.site_id, Site.site_name, Job.description)
        query = query.where(or_(*(text.icontains(wanted.search, autoescape=True) for text in texts)))
    return query.order_by(SORTS[wanted.sort][1], Job.id.desc())


def _states(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.status == "unclosed":
        yield STILL_OPEN
    elif wanted.status:
        yield Job.status == wanted.status
    if wanted.assignee == "-":
        yield Job.assignee.is_(None)
    elif wanted.assignee:
        yield Job.assignee == wanted.assignee
    if wanted.recovered:
        yield Job.recovered_at.is_not(None) if wanted.recovered == "yes" else Job.recovered_at.is_(None)


def newest(count: int) -> Select[Any]:
    """The jobs opened last."""
    return select(Job).order_by(Job.id.desc()).limit(count)


def of_site(site_key: int) -> Select[Any]:
    """A site's jobs, newest first."""
    return select(Job).where(Job.site_key == site_key).order_by(Job.id.desc())


def of_run(run_id: int) -> Select[Any]:
    """The jobs that a run opened, newest first."""
    return select(Job).where(Job.run_id == run_id).order_by(Job.id.desc())


def open_by_rule() -> Select[str, int]:
    """(rule, number of open jobs)."""
    return select(Job.rule, func.count()).where(STILL_OPEN).group_by(Job.rule)


def open_by_site(site_keys: Collection[int]) -> Select[int, int]:
    """(key, number of open jobs) of some sites."""
    return (
        select(Job.site_key, func.count())
        .where(STILL_OPEN, Job.site_key.in_(site_keys))
        .group_by(Job.site_key)
    )


def faulty_sites() -> Select[int]:
    """How many sites, active or not, have an open job: one walk in the order of an index."""
    return select(func.count(distinct(Job.site_key))).where(STILL_OPEN)


def evidence(job: Job) -> Select[Any]:
    """The readings that a job was opened on, oldest first."""
    return select(JobReading).where(*evidence_of(job)).order_by(JobReading.reading_date)


def evidence_of(job: Job) -> tuple[ColumnElement[bool], ...]:
    """What the readings that a job was opened on have in common."""
    return JobReading.site_key == job.site_key, JobReading.job_id == job.id


def late_readings(
    job: Job, start: datetime, as_of: datetime
) -> Select[datetime, Decimal, Decimal, int, Decimal, Decimal]:
    """The newest reading up to ``as_of`` that the job's check did not have, or had with another value.

    With ``was``, that other value, and with ``count``, ``lowest`` and ``highest`` of all such readings from
    ``start`` on. Where the check had the readings of that time, they came in or were corrected after it.
    """
    return (
        select(
            Reading.reading_date.label("at"),
            Reading.reading_value.label("value"),
            JobReading.reading_value.label("was"),
            func.count().over().label("count"),
            func.min(Reading.reading_value).over().label("lowest"),
            func.max(Reading.reading_value).over().label("highest"),
        )
        .outerjoin(
            JobReading,
            and_(
                JobReading.site_key == Reading.site_key,
                JobReading.reading_date == Reading.reading_date,
                JobReading.job_id == job.id,
            ),
        )
        .where(
            Reading.site_key == job.site_key,
            Reading.reading_date >= start,
            Reading.reading_date <= as_of,
            JobReading.reading_value.is_distinct_from(Reading.reading_value),
        )
        .order_by(Reading.reading_date.desc())
        .limit(1)
    )


def seen(job: Job, window_days: int, now: datetime) -> Seen:
    """What is known of a job's register; its rule looks at so many days."""
    as_of, started_at = db.session.execute(
        select(Run.as_of, Run.started_at).where(Run.id == job.run_id)
    ).one()
    frozen = window(as_of, *evidence_of(job), readings=JobReading)
    start = min(frozen.first, as_of - timedelta(days=window_days)) if frozen.first else BEFORE_ALL
    late = db.session.execute(late_readings(job, start, as_of)).mappings().one_or_none()
    since = window(now, Reading.site_key == job.site_key, after=as_of)
    return Seen(as_of, started_at, frozen, since, Late(**late) if late else None)


def settings_version(job: Job) -> int:
    """The version of the settings that the job was opened with."""
    return db.session.scalars(select(Run.settings_version).where(Run.id == job.run_id)).one()


def queues() -> Select[Any]:
    """The queues that jobs have, in order."""
    return distinct_values(Job.queue)
