"""Filling an empty database with the demo fleet, and taking it away again."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import count

from sqlalchemy import String, cast, delete, exists, func, select, true, update
from sqlalchemy.orm import Session

from ..clock import Clock
from ..detection.service import RunParameters, run
from ..extensions import db
from ..imports.readings import import_readings
from ..imports.rows import Row
from ..imports.sites import OPTIONAL, import_sites
from ..jobs.service import JobChange
from ..jobs.service import change as change_job
from ..models import (
    BulkJob,
    Cover,
    DecidedReading,
    Decision,
    Event,
    Hold,
    ImportSite,
    Incident,
    Job,
    JobReading,
    MeterChange,
    OutboxMessage,
    Reading,
    ReplacedReading,
    Review,
    Run,
    RunCount,
    RunRule,
    RunSite,
    Site,
    ToClassify,
)
from ..models.job import STILL_OPEN
from ..notifications import service as notifications
from ..settings import service as settings
from ..sites.queries import any_site
from ..storage.citus import unregister
from ..storage.connections import write
from ..storage.regroupings import regrouped
from . import fleet

STAFF = "demo"
RESOLUTIONS = ("fixed", "fixed", "recovered", "fixed", "false_alarm")
LEAD_DAYS = 2
"""So many days after a fault has ended, the demo's staff close its job."""


class NotEmpty(Exception):
    """There is a fleet already; the demo would mix with it."""


def is_empty() -> bool:
    """Whether there are neither sites nor runs."""
    return db.session.scalar(any_site()) is None and not db.session.scalar(select(exists(select(Run.id))))


def fill(now: datetime) -> int:
    """Make the fleet up to now and let the daily check run over its past weeks. Returns the number of sites.

    Raises NotEmpty.
    """
    if not is_empty():
        raise NotEmpty
    sites, zone = fleet.sites(), settings.current().settings.schedule.zone
    import_sites(_site_rows(sites, now))
    with write() as session:
        session.execute(update(Site).values(is_demo=True))
    import_readings(_reading_rows(sites, now), zone=zone, now=now)
    with write() as session:  # as if each had come in at once: the runs of the past weeks knew them
        session.execute(update(Reading).values(received=Reading.reading_date))
    today = now.astimezone(zone).date()
    for back in range(fleet.HISTORY, 0, -1):
        day = today - timedelta(days=back)
        morning = datetime.combine(day, time(6), tzinfo=zone).astimezone(UTC)
        run(RunParameters(trigger="schedule", slot=day, is_demo=True), _clock_from(morning))
        _close_what_has_ended(sites, back, morning + timedelta(hours=3))
    return len(sites)


def remove() -> int:
    """Take away the demo's sites, readings, jobs and runs, and what tells of them. Returns how many sites.

    Runs that others started while there was nothing but the demo go with it. Those that looked at a fleet
    beside it stay, and say so.
    """
    demo_sites = select(Site.key).where(Site.is_demo)
    demo_runs = select(Run.id).where(Run.is_demo)
    with write() as session:
        unregister(session.connection(), select(Site.site_id).where(Site.is_demo))
        regrouped(session.connection())
        _claim_runs_over_the_demo(session)
        _forget_what_was_told(session)
        session.execute(delete(JobReading).where(JobReading.site_key.in_(demo_sites)))
        incidents = session.scalars(select(Incident.job_id).where(Incident.site_key.in_(demo_sites))).all()
        session.execute(delete(Cover).where(Cover.site_key.in_(demo_sites)))
        session.execute(delete(Cover).where(Cover.job_id.in_(incidents)))
        session.execute(delete(Incident).where(Incident.site_key.in_(demo_sites)))
        session.execute(update(Job).where(Job.recovered_run_id.in_(demo_runs)).values(recovered_run_id=None))
        session.execute(delete(Job).where(Job.site_key.in_(demo_sites)))
        session.execute(delete(Hold).where(Hold.run_id.in_(demo_runs)))
        session.execute(delete(RunRule).where(RunRule.run_id.in_(demo_runs)))
        session.execute(delete(RunCount).where(RunCount.run_id.in_(demo_runs)))
        session.execute(delete(RunSite).where(RunSite.run_id.in_(demo_runs)))
        session.execute(delete(RunSite).where(RunSite.site_key.in_(demo_sites)))
        session.execute(delete(Run).where(Run.is_demo))
        decisions = session.scalars(select(Decision.id).where(Decision.site_key.in_(demo_sites))).all()
        session.execute(delete(DecidedReading).where(DecidedReading.decision_id.in_(decisions)))
        # SQLite gives the keys of deleted sites again: nothing that was said of them may stay.
        for of_sites in (Reading, ReplacedReading, ImportSite, Review, Decision, MeterChange, ToClassify):
            session.execute(delete(of_sites).where(of_sites.site_key.in_(demo_sites)))
        return len(session.scalars(delete(Site).where(Site.is_demo).returning(Site.key)).all())


def _claim_runs_over_the_demo(session: Session) -> None:
    """The demo fills an empty database, so its sites have the lowest keys and its runs the lowest ids: the
    runs after them were over the demo alone, up to the first one that knew of a site beside it."""
    first = session.scalar(select(func.min(Run.id)).where(Run.is_demo))
    if first is None:
        return
    own_site = session.scalar(select(func.min(Site.key)).where(~Site.is_demo))
    alone = true() if own_site is None else Run.id < _first_run_over(session, own_site)
    session.execute(update(Run).where(Run.id > first, alone).values(is_demo=True))
    removed = session.scalar(select(func.count()).select_from(Site).where(Site.is_demo))
    beside = (Run.id > first, ~Run.is_demo)
    session.execute(update(Run).where(*beside).values(removed_demo_sites=removed))


def _first_run_over(session: Session, site_key: int) -> int:
    """The first run that can have looked at a site; later than all where none has."""
    knew_of_it = select(func.min(RunRule.run_id)).where(RunRule.newest_site >= site_key)
    opened_its_job = select(func.min(Job.run_id)).where(Job.site_key >= site_key)
    last = session.scalar(select(func.max(Run.id))) or 0
    return min(session.scalar(found) or last + 1 for found in (knew_of_it, opened_its_job))


def _forget_what_was_told(session: Session) -> None:
    # SQLite gives the ids of deleted rows again: it would be taken for what was told of the new ones.
    told = {
        "job": select(cast(Job.id, String)).join(Site).where(Site.is_demo),
        "run": select(cast(Run.id, String)).where(Run.is_demo),
    }
    for subject, ids in told.items():
        session.execute(delete(Event).where(Event.subject == subject, Event.subject_id.in_(ids)))
    demo_jobs = select(Job.id).join(Site).where(Site.is_demo)
    session.execute(delete(BulkJob).where(BulkJob.job_id.in_(demo_jobs)))
    for run_id, slot in session.execute(select(Run.id, Run.slot).where(Run.is_demo)).all():
        session.execute(delete(OutboxMessage).where(notifications.messages_for_run(run_id, slot)))


def _clock_from(instant: datetime) -> Clock:
    """A clock that goes on with each look at it, so that a run of the past took a while, too."""
    looks = count()
    return lambda: instant + next(looks) * timedelta(milliseconds=40)


def _site_rows(sites: list[fleet.DemoSite], now: datetime) -> Iterator[Row]:
    for site in sites:
        since = (now - timedelta(days=site.reports_since or fleet.DAYS)).date().isoformat()
        said = [since, "true", site.group, site.source]
        unsaid = [None] * (len(OPTIONAL) - len(said))
        yield Row(site.number, [site.site_id, site.site_name, *said, *unsaid])


def _reading_rows(sites: list[fleet.DemoSite], now: datetime) -> Iterator[Row]:
    last = fleet.last_reading(now.date())
    for site in sites:
        for line, (at, value) in enumerate(fleet.register(site, last), start=1):
            yield Row(line, [site.site_id, at.isoformat(), value])


def _close_what_has_ended(sites: list[fleet.DemoSite], days_ago: int, now: datetime) -> None:
    ended = {
        site.site_id: site.number
        for site in sites
        for fault in site.faults
        if fault.ended is not None and fault.ended >= days_ago + LEAD_DAYS
    }
    open_jobs = select(Job.id, Site.site_id).join(Site).where(STILL_OPEN, Site.site_id.in_(ended))
    for job_id, site_id in db.session.execute(open_jobs).all():
        resolution = RESOLUTIONS[ended[site_id] % len(RESOLUTIONS)]
        change_job(job_id, JobChange(status="closed", resolution=resolution), by=STAFF, now=now)
