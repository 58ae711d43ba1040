"""The sites whose jobs a run holds, for people who have to decide about them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from ..extensions import db
from ..models import Reading, Run, RunSite, Site


@dataclass(frozen=True)
class HeldSite:
    """A site that would get a job; ``last_reading`` is None of one that never reported."""

    site_id: str
    site_name: str
    group: str
    last_reading: datetime | None


@dataclass(frozen=True)
class HeldSites:
    """How many sites are held, and some of them, by their id."""

    total: int
    items: list[HeldSite]


def held_sites(run: Run, now: datetime, *, limit: int, offset: int = 0) -> HeldSites:
    """The sites that a run holds, less those that have reported since it; none where it holds none."""
    if run.hold is None or run.hold.decision is not None:
        return HeldSites(0, [])
    last = (
        select(Reading.reading_date)
        .where(Reading.site_key == Site.key, Reading.reading_date <= now)
        .order_by(Reading.reading_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Site.site_id, Site.site_name, Site.group, last.label("last_reading"))
        .join(RunSite, RunSite.site_key == Site.key)
        .where(RunSite.run_id == run.id, RunSite.rule == run.hold.rule, RunSite.outcome == "held")
    )
    if run.as_of >= run.started_at:
        query = query.where(or_(last.is_(None), last <= run.as_of))
    total = db.session.scalar(select(func.count()).select_from(query.subquery()))
    rows = db.session.execute(query.order_by(Site.site_id).limit(limit).offset(offset))
    return HeldSites(total or 0, [HeldSite(*row) for row in rows])
