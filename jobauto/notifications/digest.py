"""The daily digest: what jobs are new since the digest before, and how many reviews wait for somebody."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from ..models import Job, Review, Run, Site
from ..rules import RULES
from .texts import MessageText, Opened, Place, digest

DIGESTED = ("succeeded", "partial", "held")
"""Daily runs that end with a digest; after any other, the next one tells of two days."""
NAMED = 20
"""So many jobs are named; all are counted."""


def after(connection: Connection, run: Run, place: Place) -> MessageText:
    """What the digest after a daily run says."""
    since = connection.scalar(
        select(func.max(Run.finished_at)).where(
            Run.id < run.id, Run.slot.is_not(None), Run.status.in_(DIGESTED)
        )
    )
    new = _new(run, since)
    counted = dict(connection.execute(select(Job.rule, func.count()).where(new).group_by(Job.rule)).all())
    counts = {rule.name: counted.pop(rule.name, 0) for rule in RULES} | counted
    opened = connection.execute(
        select(Job.id, Job.rule, Site.site_id, Site.site_name, Job.description, Job.covers)
        .join(Site, Site.key == Job.site_key)
        .where(new)
        .order_by(Job.id)
        .limit(NAMED)
    )
    waiting = connection.scalar(select(func.count()).select_from(Review).where(Review.state == "open")) or 0
    return digest(run, since, counts, [Opened(*job) for job in opened], waiting, place)


def _new(run: Run, since: datetime | None) -> ColumnElement[bool]:
    # By time and not by run: jobs of a held run are opened when somebody releases them.
    return Job.run_id == run.id if since is None else Job.created_at > since
