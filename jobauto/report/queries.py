"""The numbers of jobs, and the jobs behind each: a number is counted and listed by the same condition."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import Job, Site
from ..models.job import STILL_OPEN
from ..models.types import DAY, EPOCH, MICROSECOND, Instant, from_microseconds, microseconds_between
from .scope import Scope, Span

AGES: tuple[tuple[int, int | None], ...] = ((0, 3), (4, 7), (8, 14), (15, 30), (31, None))
"""Whole days since a job was opened, from and to, at the end of the time."""
OFTEN, OFTEN_IN = 3, timedelta(days=90)
"""So many jobs in the days before the end are many for one site."""
PARTS = ("group", "source", "assignee")
QUARTER = timedelta(minutes=15) // MICROSECOND
"""Local midnights lie on whole quarters of an hour, whatever the zone."""
FINE, COARSE = timedelta(minutes=3), DAY / 10
"""Steps of how long jobs took: half of what is told below a day, and all of it from a day on."""


def age_name(least: int) -> str:
    """The number that counts the open jobs of an age: ``age_4``."""
    return f"age_{least}"


def age_title(least: int, most: int | None) -> str:
    """``4 to 7 days``, ``over 30 days``."""
    return f"{least} to {most} days" if most is not None else f"over {least - 1} days"


def _within(column: InstrumentedAttribute[Any], span: Span) -> ColumnElement[bool]:
    return and_(column >= span.start, column < span.end)


def _was_open(span: Span) -> ColumnElement[bool]:
    """Still open now, or closed since."""
    if span.end == span.now:
        return STILL_OPEN
    return and_(Job.created_at < span.end, or_(STILL_OPEN, Job.closed_at >= span.end))


def _lately(span: Span) -> ColumnElement[bool]:
    return and_(Job.created_at >= span.end - OFTEN_IN, Job.created_at < span.end)


BY_ITSELF = or_(~Job.touched, Job.resolution == "recovered")
"""Nobody has worked it, or it was closed for having recovered."""


def _of_age(least: int, most: int | None, span: Span) -> ColumnElement[bool]:
    begun = [Job.created_at <= span.end - least * DAY]
    return and_(*begun, *([Job.created_at > span.end - (most + 1) * DAY] if most is not None else []))


@dataclass(frozen=True)
class Number:
    """A number of the report: what its jobs are called in a title, and which they are."""

    title: str
    jobs: Callable[[Span], ColumnElement[bool]]


NUMBERS: dict[str, Number] = {
    "opened": Number("Jobs opened", lambda span: _within(Job.created_at, span)),
    "closed": Number("Jobs closed", lambda span: _within(Job.closed_at, span)),
    "open": Number("Jobs still open at the end", _was_open),
    "recovered": Number("Jobs that recovered", lambda span: _within(Job.recovered_at, span)),
    "by_itself": Number(
        "Jobs that recovered by themselves", lambda span: and_(_within(Job.recovered_at, span), BY_ITSELF)
    ),
    "often": Number("Jobs opened in the 90 days before the end", _lately),
    **{
        age_name(least): Number(
            f"Jobs still open at the end, {age_title(least, most)} old",
            lambda span, least=least, most=most: and_(_was_open(span), _of_age(least, most, span)),  # type: ignore[misc] # mypy knows no defaults of a lambda
        )
        for least, most in AGES
    },
}
"""By name."""


def jobs_behind(number: str, span: Span, scope: Scope, site_id: str = "") -> Select[Any]:
    """The jobs that a number counts, newest first; of one site, if it is named."""
    query = select(Job).where(NUMBERS[number].jobs(span)).order_by(Job.id.desc())
    narrowed = [*scope.of_jobs(), *([Site.site_id == site_id] if site_id else [])]
    return query.join(Site, Site.key == Job.site_key).where(*narrowed) if narrowed else query


@dataclass
class Jobs:
    """What became of jobs: each number by its name, in all and by part (group, source, assignee)."""

    counts: Counter[str] = field(default_factory=Counter)
    by_part: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {part: defaultdict(Counter) for part in PARTS}
    )

    def count(self, parts: Sequence[str | None], name: str, count: int) -> None:
        """Count jobs of a group, a source and an assignee."""
        self.counts[name] += count
        for part, value in zip(PARTS, parts, strict=True):
            self.by_part[part][value or ""][name] += count


_COUNTED = ("opened", "closed", "recovered", "by_itself", *(age_name(least) for least, _ in AGES))
_ALSO = {"by_itself": "recovered", **{age_name(least): "open" for least, _ in AGES}}
"""What a job counts as besides."""
_NONE = -1
"""Of an open job that was not yet opened at the end."""


def count_jobs(session: Session, span: Span, scope: Scope) -> Jobs:
    """All numbers of jobs: walks along indexes, however many jobs there are, and then one over the sites."""
    walks = [
        select(Job.site_key, Job.assignee, number.label("number")).where(which, *scope.of_assignee())
        for which, number in _walks(span)
    ]
    jobs = union_all(*walks).subquery()
    parts = (Site.group, Site.source, jobs.c.assignee, jobs.c.number)
    query = select(*parts, func.count()).join(jobs, jobs.c.site_key == Site.key)
    found = Jobs()
    query = query.where(jobs.c.number != _NONE, *scope.of_sites())
    for *named, number, count in session.execute(query.group_by(*parts)):
        name = _COUNTED[number]
        for each in (name, _ALSO[name]) if name in _ALSO else (name,):
            found.count(named, each, count)
    return found


def _walks(span: Span) -> Iterator[tuple[ColumnElement[bool], ColumnElement[int]]]:
    """Which jobs, and as what each counts: its place in ``_COUNTED``."""
    opened, closed, recovered = (NUMBERS[name].jobs(span) for name in ("opened", "closed", "recovered"))
    yield opened, literal(_COUNTED.index("opened"))
    yield closed, literal(_COUNTED.index("closed"))
    as_recovered, as_by_itself = _COUNTED.index("recovered"), _COUNTED.index("by_itself")
    yield recovered, case((BY_ITSELF, as_by_itself), else_=as_recovered)
    age = case(
        (Job.created_at >= span.end, _NONE),
        *((_of_age(least, most, span), _COUNTED.index(age_name(least))) for least, most in AGES[:-1]),
        else_=_COUNTED.index(age_name(AGES[-1][0])),
    )
    # Apart from each other, so that each has its index; that it was opened by then is no condition, or SQLite
    # would go by the index of that, over all jobs.
    for which in (STILL_OPEN, *([Job.closed_at >= span.end] if span.end < span.now else [])):
        yield which, age


def time_to(
    session: Session, until: InstrumentedAttribute[Any], count: int, span: Span, scope: Scope
) -> tuple[timedelta, timedelta] | None:
    """How long it took from the opening of a job to ``until``, of the ``count`` jobs that got there in the
    time: what half of them, and what nine of ten, took at most. None where there are none.

    As exactly as people are told: below a day in tenths of an hour, otherwise in tenths of a day. So the jobs
    need only be counted, in one walk, and not sorted.
    """
    if not count:
        return None
    lasted = microseconds_between(until, Job.created_at)
    step = case(
        (lasted <= 0, 0),
        (lasted < DAY // MICROSECOND, lasted // (FINE // MICROSECOND)),
        else_=DAY // FINE + (lasted + COARSE // MICROSECOND // 2) // (COARSE // MICROSECOND),
    ).label("step")
    jobs = select(step, func.count()).select_from(Job).where(_within(until, span)).group_by(step)
    if narrowed := scope.of_jobs():
        jobs = jobs.join(Site, Site.key == Job.site_key).where(*narrowed)
    steps = sorted(session.execute(jobs).all())

    def at(place: int) -> timedelta:
        for number, jobs_of_step in steps:
            if place <= jobs_of_step:
                return _length(number)
            place -= jobs_of_step
        return timedelta()  # a job was reopened since they were counted

    return at((count + 1) // 2), at((count * 9 + 9) // 10)


def _length(step: int) -> timedelta:
    """How long jobs of a step took, so that it is rounded as each of them."""
    coarse = step - DAY // FINE
    return coarse * COARSE if coarse > 0 else (step + 0.5) * FINE


def by_day(session: Session, at: InstrumentedAttribute[Any], span: Span, scope: Scope) -> Counter[date]:
    """How many jobs were opened, or closed, on each local date."""
    quarter = (microseconds_between(at, literal(EPOCH, Instant)) // QUARTER).label("quarter")
    query = select(quarter, func.count()).select_from(Job).where(_within(at, span)).group_by(quarter)
    if narrowed := scope.of_jobs():
        query = query.join(Site, Site.key == Job.site_key).where(*narrowed)
    days: Counter[date] = Counter()
    for number, count in session.execute(query):
        days[_local_date(from_microseconds(number * QUARTER), span)] += count
    return days


def _local_date(at: datetime, span: Span) -> date:
    return at.astimezone(span.zone).date()


def often(span: Span, scope: Scope) -> Select[Any]:
    """Sites that had many jobs in the 90 days before the end, and how many; the most first."""
    many = _many_jobs(span)
    return (
        select(Site, many.c.jobs)
        .join(many, many.c.site_key == Site.key)
        .where(*scope.of_sites())
        .order_by(many.c.jobs.desc(), Site.site_id)
    )


def count_often(span: Span, scope: Scope) -> Select[int]:
    """How many sites those are; of the whole fleet, no site need be looked up."""
    many = _many_jobs(span)
    counted = select(func.count()).select_from(many)
    if narrowed := scope.of_sites():
        counted = counted.join(Site, Site.key == many.c.site_key).where(*narrowed)
    return counted


def _many_jobs(span: Span) -> Subquery:
    """(site_key, jobs)."""
    jobs = select(Job.site_key).where(NUMBERS["often"].jobs(span))
    # PostgreSQL would else make a hash of all sites that had a job; SQLite sorts them anyhow.
    jobs = jobs.with_statement_hint("ORDER BY job.site_key", "postgresql")
    lately = jobs.subquery()
    return (
        select(lately.c.site_key, func.count().label("jobs"))
        .group_by(lately.c.site_key)
        .having(func.count() >= OFTEN)
        .subquery()
    )
