"""What closing and reopening the job of an incident does to the sites that it covers; and who they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from ..audit.service import Author
from ..errors import InvalidInput
from ..extensions import db
from ..models import Cover, Incident, Job, Reading, Run, Site
from ..models.incident import IS_COVERING
from ..models.job import STILL_OPEN
from ..rules.no_coms import NO_COMS, SPOKEN
from ..storage.covers import be_alone_in_reopening

AT_ONCE = 1000
"""Sites of an incident that are read at once: it may have all of a fleet."""


@dataclass(frozen=True)
class CoveredSite:
    """A site of an incident; ``last_reading`` is None of one that never reported, ``recovered_at`` of one
    that no run has found ok since."""

    site_id: str
    site_name: str
    last_reading: datetime | None
    recovered_at: datetime | None


def lock(session: Session, job_id: int, site_key: int | None = None) -> bool:
    """Before its job, as a run does: of two that wait for each other the database would end one.

    Whether the job is closed, and may be reopened in this transaction.
    """
    same = [Job.id == job_id, *([Job.site_key == site_key] if site_key is not None else [])]
    is_closed = session.scalar(select(Job.status).where(*same)) == "closed"
    if is_closed:
        be_alone_in_reopening(session.connection())
    session.execute(select(Incident.job_id).where(Incident.job_id == job_id).with_for_update())
    return is_closed


def close(session: Session, job: Job, author: Author) -> None:
    """A person closes the job: it covers nobody any more."""
    incident = update(Incident).where(Incident.job_id == job.id, IS_COVERING)
    session.execute(incident.values(state="closed"))
    left = update(Cover).where(Cover.job_id == job.id, Cover.ended_at.is_(None))
    session.execute(left.values(ended_at=author.now, closed_by=author.name))


def require_uncovered(session: Session, job: Job) -> None:
    """Raise InvalidInput (409) where an incident is the job of a site whose own is to be reopened."""
    if job.rule != NO_COMS.name:
        return
    covering = select(Cover.job_id).where(Cover.site_key == job.site_key, Cover.ended_at.is_(None))
    if (incident := session.scalar(covering)) is not None:
        raise InvalidInput(
            f"The incident of job {incident} covers this site. Work that one, or close it first.",
            {"status": [f"Job {incident} covers this site."]},
            status=409,
        )


def reopen(session: Session, job: Job) -> None:
    """Let an incident cover again what it covered when a person closed it: sites that have not recovered and
    have got no job since. One that had recovered, or that stayed for its own site alone, covers no others.

    Raises InvalidInput (409) where another incident of its source is open, or covers its own site.
    """
    incident = session.get_one(Incident, job.id)
    _require_only_one(session, incident)
    require_uncovered(session, job)
    if incident.state == "recovered":
        return
    other, own = aliased(Cover), aliased(Job)
    has_other = exists().where(other.site_key == Cover.site_key, other.ended_at.is_(None))
    has_job = exists().where(
        own.site_key == Cover.site_key,
        own.job_type == incident.job_type,
        own.status != "closed",
        own.covers.is_(None),
    )
    left = [Cover.job_id == job.id, Cover.closed_by.is_not(None), Cover.recovered_at.is_(None)]
    if incident.state == "ended":
        left.append(Cover.site_key == job.site_key)
    again = update(Cover).where(*left, ~has_other, ~has_job).values(ended_at=None, closed_by=None)
    session.execute(again, execution_options={"synchronize_session": False})
    closed = update(Incident).where(Incident.job_id == job.id, Incident.state == "closed")
    session.execute(closed.values(state="covering"))


def _require_only_one(session: Session, incident: Incident) -> None:
    of_source = select(Incident.job_id, Incident.site_key).where(
        Incident.source == incident.source,
        Incident.job_type == incident.job_type,
        Incident.job_id != incident.job_id,
    )
    others = session.execute(of_source).all()
    open_one = select(Job.id).where(
        Job.id.in_([job_id for job_id, _ in others]), Job.site_key.in_([key for _, key in others]), STILL_OPEN
    )
    if others and session.scalar(open_one.limit(1)) is not None:
        raise another_open()


def another_open() -> InvalidInput:
    """Why an incident cannot be reopened."""
    return InvalidInput(
        "Another incident of this source is open. Work that one, or close it first.",
        {"status": ["Another incident of this source is open."]},
        status=409,
    )


def of_job(job: Job) -> Incident | None:
    """What is the matter with the job of an incident; None of an ordinary job."""
    return db.session.get(Incident, job.id) if job.covers is not None else None


def covering(site: Site) -> int | None:
    """The number of the job whose incident covers a site."""
    return db.session.scalar(select(Cover.job_id).where(Cover.site_key == site.key, Cover.ended_at.is_(None)))


def times_covered(site_key: int, now: datetime) -> list[tuple[int, datetime, datetime]]:
    """(job, since, until) of the incidents that have covered a site, or do so now; from the ``as_of`` of the
    run in which it came to each."""
    covers = (
        select(Cover.job_id, Run.as_of, Cover.ended_at)
        .join(Run, Run.id == Cover.run_id)
        .where(Cover.site_key == site_key)
        .order_by(Cover.job_id)
    )
    return [(job_id, since, until or now) for job_id, since, until in db.session.execute(covers)]


def count_silent(job: Job) -> int:
    """How many sites of an incident have not recovered, its own among them."""
    silent = select(func.count()).where(Cover.job_id == job.id, Cover.recovered_at.is_(None))
    return db.session.scalar(silent) or 0


def covered_sites(
    job: Job, now: datetime, *, limit: int | None = None, offset: int = 0
) -> Iterator[CoveredSite]:
    """The sites of an incident but its own, by their id, read as they are wanted; none of an ordinary job."""
    if job.covers is None:
        return iter(())
    last = (
        select(Reading.reading_date)
        .where(Reading.site_key == Site.key, Reading.reading_date <= now, SPOKEN)
        .order_by(Reading.reading_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    sites = (
        select(Site.site_id, Site.site_name, last.label("last_reading"), Cover.recovered_at)
        .join(Cover, Cover.site_key == Site.key)
        .where(Cover.job_id == job.id, Site.key != job.site_key)
        .order_by(Site.site_id)
    )
    return _read(sites.limit(limit).offset(offset))


def _read(sites: Select[str, str, datetime, datetime | None]) -> Iterator[CoveredSite]:
    for row in db.session.execute(sites.execution_options(yield_per=AT_ONCE)):
        yield CoveredSite(*row)
