"""What is asked about jobs."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from ..extensions import db
from ..models import Cover, Job, JobReading, Reading, Run, Site
from ..models.folding import fold, words_of
from ..models.job import IS_ANY, PRIORITIES, STILL_OPEN
from ..models.quality import Quality
from ..models.types import BEFORE_ALL
from ..rules import rule_named
from ..rules.moment import Moment
from ..sites import queries as sites
from ..sites.queries import believed_window, window
from ..storage.distinct import distinct_values
from .progress import Late, Seen
from .recurrence import LOOKED_BACK
from .sorting import BY_SITE, SORTS

LOOKED_INTO = 5_000
"""Jobs whose notes and descriptions a page looks into: the newest of all, and the newest open ones."""
FEW_SITES = 1000
"""A page lists all jobs of the sites that a search finds, if they are no more than so many."""


@dataclass(frozen=True)
class Within:
    """How far a search goes back, so that its time is bounded however many jobs there are.

    Of jobs before ``newest``, and of open ones before ``newest_open``, notes and descriptions are not looked
    into. Older ones are found by their number, and by the keys of their ``sites``, which have all the words;
    by their sites not (None) where those are too many.
    """

    newest: int
    newest_open: int
    sites: Sequence[int] | None

    @property
    def leaves_out(self) -> str:
        """What of older jobs is not found, as a sentence; empty where the search gets to all of them."""
        if not self.newest:
            return ""
        by = "number" if self.sites is None else "number and site"
        return (
            f"Notes and descriptions were looked into of the newest {LOOKED_INTO:,} jobs and the newest "
            f"{LOOKED_INTO:,} open ones. Older jobs are found by {by} alone."
        )


@dataclass(frozen=True)
class JobFilter:
    """Which jobs, and in which order. Empty texts do not narrow.

    The status ``unclosed`` means any but closed; the assignee ``-`` nobody; ``recovered`` is ``yes`` or
    ``no``; ``min_age`` counts whole days since the job was opened; of ``before_id`` on, newer jobs are left
    out. ``within`` bounds the ``search``; without it all jobs are looked into.
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
    closed_after: datetime | None = None
    before_id: int | None = None
    search: str = ""
    within: Within | None = None
    sort: str = "newest"


JOB_NUMBER = re.compile("(#?)([0-9]{1,18})")


def bounded(wanted: JobFilter) -> JobFilter:
    """The same jobs, as far as a search gets in the time that a page has."""
    if not (words := words_of(wanted.search)):
        return wanted
    newest, newest_open = (
        db.session.scalar(query.order_by(Job.id.desc()).offset(LOOKED_INTO - 1).limit(1)) or 0
        for query in (select(Job.id), select(Job.id).where(STILL_OPEN))
    )
    of_words = select(Site.key).where(*map(_in_site, words)).limit(FEW_SITES + 1)
    keys = db.session.scalars(of_words).all()
    return replace(wanted, within=Within(newest, newest_open, keys if len(keys) <= FEW_SITES else None))


def jobs_matching(wanted: JobFilter, now: datetime) -> Select[Any]:
    """Jobs as the filter wants them, in its order."""
    return _in_view(wanted, now).order_by(*SORTS[wanted.sort].order())


def first_jobs_matching(wanted: JobFilter, now: datetime, most: int) -> Select[Any]:
    """The same, where no more than the first so many are asked for: quickly among very many, too."""
    if not _is_walked_by_priority(wanted):
        return jobs_matching(wanted, now)
    first = _first_of_priorities({one: _in_view(wanted, now) for one in PRIORITIES}, most)
    return select(Job).where(Job.id.in_(first)).order_by(*SORTS[wanted.sort].order())


def next_in_view(job: Job, wanted: JobFilter, now: datetime, *, back: bool = False) -> Select[int]:
    """The job of a view that comes after one, which need not be in the view any more; or before it."""
    sort = SORTS[wanted.sort].reversed() if back else SORTS[wanted.sort]
    others = _in_view(wanted, now).where(Job.id != job.id)
    if not _is_walked_by_priority(wanted):
        after = others.where(sort.after(job)).with_only_columns(Job.id, maintain_column_froms=True)
        return after.order_by(*sort.order()).limit(1)
    place = PRIORITIES.index(job.priority)
    ways = dict.fromkeys(PRIORITIES[place + 1 :] if back else PRIORITIES[:place], others)
    ways[job.priority] = others.where(Job.id > job.id if back else Job.id < job.id)
    first = _first_of_priorities(ways, 1, back=back)
    return select(Job.id).where(Job.id.in_(first)).order_by(*sort.order()).limit(1)


def _is_walked_by_priority(wanted: JobFilter) -> bool:
    """Whether closed jobs are sorted by priority, of which there may be very many."""
    return wanted.sort == "priority" and wanted.status in ("", "closed") and not wanted.search


def _first_of_priorities(
    ways: Mapping[str, Select[Any]], most: int, *, back: bool = False
) -> CompoundSelect[int]:
    """The numbers of the first jobs of each priority, along an index. They are no more than so many each."""
    order = Job.id.asc() if back else Job.id.desc()
    found = [
        query.where(IS_ANY, Job.priority == priority)
        .with_only_columns(Job.id, maintain_column_froms=True)
        .order_by(order)
        .limit(most)
        .subquery()
        for priority, query in ways.items()
    ]
    return union_all(*map(select, found))


def _in_view(wanted: JobFilter, now: datetime) -> Select[Any]:
    query = select(Job)
    if wanted.site_id:
        query = query.where(Job.id.in_(_of_site_or_covering(wanted.site_id)))
    if wanted.search and wanted.within is not None:
        # Found first, and sorted then: a walk in the order of the list would come by all jobs.
        found = _found_within(wanted.within, words_of(wanted.search)).cte("found")
        query = query.join(found.prefix_with("MATERIALIZED", dialect="postgresql"), found.c.id == Job.id)
    if wanted.group or _is_searched(wanted) or wanted.sort in BY_SITE:
        query = query.join(Site, Site.key == Job.site_key)
    same = {
        Job.rule: wanted.rule,
        Job.priority: wanted.priority,
        Job.queue: wanted.queue,
        Site.group: wanted.group,
    }
    query = query.where(*(column == value for column, value in same.items() if value))
    query = query.where(*_states(wanted))
    if _is_found_by_priority(wanted):
        query = query.where(IS_ANY)
    if wanted.before_id is not None:
        query = query.where(Job.id < wanted.before_id)
    if wanted.min_age is not None:
        query = query.where(Job.created_at <= now - timedelta(days=wanted.min_age))
    return query.where(*(_says(word) for word in words_of(wanted.search))) if _is_searched(wanted) else query


def _is_found_by_priority(wanted: JobFilter) -> bool:
    """Whether the jobs of a priority are best found by its index, which has them in their order.

    Without it a page of few among very many would walk over all. What narrows more has an index of its own.
    """
    narrows_more = wanted.site_id or wanted.group or wanted.queue or wanted.search
    in_its_order = wanted.sort in ("newest", "oldest")
    return bool(wanted.priority) and wanted.status in ("", "closed") and in_its_order and not narrows_more


def _is_searched(wanted: JobFilter) -> bool:
    return bool(wanted.search) and wanted.within is None


def _found_within(within: Within, words: Sequence[str]) -> CompoundSelect[int]:
    """The numbers of the jobs that have all the words, as far as they are looked for."""
    looked_into = select(Job.id).join(Site, Site.key == Job.site_key).where(*map(_says, words))
    ways = [
        looked_into.where(Job.id >= within.newest),
        looked_into.where(STILL_OPEN, Job.id >= within.newest_open),
    ]
    if numbers := [int(number[2]) for word in words if (number := JOB_NUMBER.fullmatch(word))]:
        ways.append(looked_into.where(Job.id.in_(numbers)))
    if within.sites:
        ways.append(select(Job.id).where(Job.site_key.in_(within.sites)))
    return union(*ways)


def _of_site_or_covering(site_id: str) -> CompoundSelect[int]:
    """The numbers of a site's jobs, and of the incident that covers it."""
    own = select(Job.id).join(Site, Site.key == Job.site_key).where(Site.site_id == site_id)
    covering = (
        select(Cover.job_id)
        .join(Site, Site.key == Cover.site_key)
        .where(Site.site_id == site_id, Cover.ended_at.is_(None))
    )
    return own.union(covering)


def _says(word: str) -> ColumnElement[bool]:
    """Whether a job has a word: its site has it, a note, or its description; or it is the job's number.

    Numbers are not looked for in descriptions: the dates there have every small one. One with ``#`` is that
    of a job, or stands so in the name of a site. Punctuation alone is looked for in descriptions only, as it
    stands.
    """
    if not fold(word):
        return Job.description.contains(word, autoescape=True)
    number = JOB_NUMBER.fullmatch(word)
    if not number:
        return _in_site_or(word, Job.search_notes, Job.search_description)
    is_it = Job.id == int(number[2])
    return or_(is_it, _in_site(word) if number[1] else _in_site_or(word, Job.search_notes))


def _in_site(word: str) -> ColumnElement[bool]:
    """Whether a job's site has a word; one such as ``#12`` as it stands in its name."""
    number = JOB_NUMBER.fullmatch(word)
    return and_(sites.says(word), Site.site_name.contains(word)) if number and number[1] else sites.says(word)


def _in_site_or(word: str, *texts: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return or_(sites.says(word), *(text.contains(fold(word)) for text in texts))


def _states(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.status == "unclosed":
        yield STILL_OPEN
    elif wanted.status:
        yield Job.status == wanted.status
        if wanted.status != "closed":
            yield STILL_OPEN  # which it is: so that the indexes of open jobs serve the list
    if wanted.assignee == "-":
        yield Job.assignee.is_(None)
    elif wanted.assignee:
        yield Job.assignee == wanted.assignee
    if wanted.closed_after is not None:
        yield Job.closed_at >= wanted.closed_after
    if wanted.recovered:
        yield Job.recovered_at.is_not(None) if wanted.recovered == "yes" else Job.recovered_at.is_(None)


def newest(count: int) -> Select[Any]:
    """The jobs opened last."""
    return select(Job).order_by(Job.id.desc()).limit(count)


def numbered(job_ids: Collection[int]) -> Select[Any]:
    """Jobs with these numbers, and their sites, which may lie on other machines than what names the jobs."""
    return select(Job).where(Job.id.in_(job_ids))


def of_site(site_key: int) -> Select[Any]:
    """A site's jobs, newest first."""
    return select(Job).where(Job.site_key == site_key).order_by(Job.id.desc())


def concerning_site(site_key: int) -> Select[Any]:
    """A site's jobs, and the incidents that cover it or have covered it, newest first."""
    own = select(Job.id).where(Job.site_key == site_key)
    incidents = select(Cover.job_id).where(Cover.site_key == site_key)
    return select(Job).where(Job.id.in_(own.union(incidents))).order_by(Job.id.desc())


def opened_between(site_key: int, start: datetime, end: datetime) -> Select[Any]:
    """A site's jobs that were opened from one instant to before another, oldest first."""
    return (
        select(Job)
        .where(Job.site_key == site_key, Job.created_at >= start, Job.created_at < end)
        .order_by(Job.id)
    )


def earlier_of_this_fault(job: Job) -> Select[Any]:
    """A site's jobs of the same rule before this one, newest first, as far back as a year.

    They are a few, unless ``check_duplicate`` is off: then one a day.
    """
    return of_site(job.site_key).where(
        Job.rule == job.rule, Job.id < job.id, Job.created_at > job.created_at - LOOKED_BACK
    )


def later_of_this_fault(job: Job) -> Select[Any]:
    """Whether a site has a job of the same rule after this one."""
    later = (Job.site_key == job.site_key, Job.rule == job.rule, Job.id > job.id)
    return select(exists(select(Job.id).where(*later)))


def left_unrecovered(job_ids: Collection[int], moment: Moment) -> Select[str, str, str]:
    """(rule, site_id, group) of those of these jobs that were closed while no run had seen the fault gone, at
    sites that are judged."""
    return (
        select(Job.rule, Site.site_id, Site.group)
        .join(Site, Site.key == Job.site_key)
        .where(Job.id.in_(job_ids), Job.recovered_at.is_(None), moment.sites_to_check())
    )


def of_run(run_id: int) -> Select[Any]:
    """The jobs that a run opened, newest first."""
    return select(Job).where(Job.run_id == run_id).order_by(Job.id.desc())


def open_by_rule() -> Select[str, int]:
    """(rule, number of open jobs)."""
    return select(Job.rule, func.count()).where(STILL_OPEN).group_by(Job.rule)


def covered_without_job() -> Select[int]:
    """How many sites an incident covers that have no open job whose fault holds, so that it is theirs."""
    has_its_own = exists().where(Job.site_key == Cover.site_key, STILL_OPEN, Job.recovered_at.is_(None))
    return select(func.count()).select_from(Cover).where(Cover.ended_at.is_(None), ~has_its_own)


def open_by_recovery() -> Select[int, int, int]:
    """(sites, active or not, with an open job whose fault holds, such jobs, open jobs that have recovered).

    One walk in the order of an index.
    """
    by_site = (
        select((func.count() - func.count(Job.recovered_at)).label("holding"), func.count(Job.recovered_at))
        .where(STILL_OPEN)
        .group_by(Job.site_key)
        .subquery()
    )
    holding, recovered = by_site.c
    return select(
        func.count(case((holding > 0, 1))),
        func.coalesce(func.sum(holding), 0),
        func.coalesce(func.sum(recovered), 0),
    )


def evidence(job: Job) -> Select[Any]:
    """The readings that a job was opened on, oldest first."""
    return select(JobReading).where(*evidence_of(job)).order_by(JobReading.reading_date)


def evidence_of(job: Job) -> tuple[ColumnElement[bool], ...]:
    """What the readings that a job was opened on have in common."""
    return JobReading.site_key == job.site_key, JobReading.job_id == job.id


def wrong_by_now(job: Job) -> Select[int]:
    """How many of the readings that a job was opened on were believed then, and are known to be wrong now."""
    same = and_(
        Reading.site_key == JobReading.site_key,
        Reading.reading_date == JobReading.reading_date,
        Reading.reading_value == JobReading.reading_value,
    )
    is_wrong = Reading.quality.in_([Quality.WRONG, Quality.IGNORED])
    believed = (*evidence_of(job), JobReading.quality == Quality.GOOD)
    return select(func.count()).select_from(JobReading).join(Reading, same).where(*believed, is_wrong)


def late_readings(
    job: Job, start: datetime, as_of: datetime, believes: Collection[Quality]
) -> Select[datetime, Decimal, Decimal, int, Decimal, Decimal]:
    """The newest reading up to ``as_of`` that the job's check did not have, or had with another value.

    Of those that are believed. With ``was``, that other value, and with ``count``, ``lowest`` and ``highest``
    of all such readings from ``start`` on. Where the check had the readings of that time, they came in or
    were corrected after it.
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
            Reading.quality.in_(believes),
            JobReading.reading_value.is_distinct_from(Reading.reading_value),
        )
        .order_by(Reading.reading_date.desc())
        .limit(1)
    )


def assignees_of_open_jobs() -> Select[str | None]:
    """Who has open jobs, whether or not they may work them any more."""
    return select(Job.assignee).where(STILL_OPEN, Job.assignee.is_not(None)).distinct().order_by(Job.assignee)


def open_jobs_of(assignee: str) -> Select[int]:
    """How many open jobs somebody has."""
    return select(func.count()).select_from(Job).where(STILL_OPEN, Job.assignee == assignee)


def seen(job: Job, window_days: int, now: datetime) -> Seen:
    """What is known of a job's register; its rule looks at so many days. Values are of good readings."""
    as_of, started_at = db.session.execute(
        select(Run.as_of, Run.started_at).where(Run.id == job.run_id)
    ).one()
    rule = rule_named(job.rule)
    believes = rule.believes if rule else frozenset(Quality)
    frozen = window(as_of, *evidence_of(job), JobReading.quality.in_(believes), readings=JobReading)
    start = min(frozen.first, as_of - timedelta(days=window_days)) if frozen.first else BEFORE_ALL
    late = db.session.execute(late_readings(job, start, as_of, {Quality.GOOD})).mappings().one_or_none()
    since, meter = believed_window(job.site, {Quality.GOOD}, as_of, now, newest_meter=True)
    if believes != {Quality.GOOD}:
        sent, _ = believed_window(job.site, believes, as_of, now)
        since = replace(since, count=sent.count, first=sent.first, last=sent.last)
    return Seen(
        as_of,
        started_at,
        frozen,
        since,
        Late(**late) if late else None,
        new_meter=since.last_value is not None and meter > _meter_at(job, frozen.last),
        set_aside=_count_others(job, believes, as_of, now),
    )


def _meter_at(job: Job, at: datetime | None) -> int:
    """The meter of the last reading of a job's evidence; 0 where there is none any more."""
    of_site = (Reading.site_key == job.site_key, Reading.reading_date <= (at or BEFORE_ALL))
    newest = select(Reading.meter).where(*of_site).order_by(Reading.reading_date.desc()).limit(1)
    return db.session.scalar(newest) or 0


def _count_others(job: Job, believes: Collection[Quality], after: datetime, until: datetime) -> int:
    inside = (Reading.site_key == job.site_key, Reading.reading_date > after, Reading.reading_date <= until)
    others = select(func.count()).select_from(Reading).where(*inside, Reading.quality.not_in(believes))
    return db.session.scalar(others) or 0


def queues() -> Select[Any]:
    """The queues that jobs have, in order."""
    return distinct_values(Job.queue)
