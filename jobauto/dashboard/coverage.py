"""What the newest runs say of the sites that are watched now, and what the open jobs say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from ..detection.combinations import Combination, combinations
from ..jobs import queries as jobs
from ..models import Cover, Job, Run, RunRule, RunSite, Site
from ..models.job import STILL_OPEN
from ..rules import RULES
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, NOT_ASSESSABLE, NOT_JUDGED
from ..runs import queries as runs
from ..settings.policies import Policies
from ..sites import queries as sites

FRESH = timedelta(hours=25)
"""A verdict of an older instant says nothing of now: a day, and the hour that a change of the clocks adds."""
NUMBERS = ("unchecked", "unassessable", "jobless")
"""The numbers of the fleet behind which there are sites."""


@dataclass(frozen=True)
class Fleet:
    """What is known of the fleet.

    Of the ``active`` sites ``faulty`` have an open job whose fault holds, or are covered by one; in all there
    are so many jobs open whose fault is ``holding``, or has ``recovered``. Of the active ones ``watched`` are
    not snoozed; of these ``unchecked`` lack a fresh verdict of an enabled rule, and ``unassessable`` could
    not be assessed and are flagged by no rule; ``jobless`` are flagged, not held, and have no open job any
    more, since it was closed while the fault held. ``runs`` are the newest finished ones of the enabled
    rules; None stands for a rule that never ran.
    """

    active: int = 0
    faulty: int = 0
    holding: int = 0
    recovered: int = 0
    watched: int = 0
    unchecked: int = 0
    unassessable: int = 0
    jobless: int = 0
    runs: Sequence[Run | None] = ()


def fleet(session: Session, policies: Policies, now: datetime) -> Fleet:
    """The fleet as of now, in one walk over the sites, one over the open jobs, and what the runs kept.

    A site has a verdict of a rule's newest finished run if it was there (its key is no higher than that of
    the newest site then) and is not kept as one that was not judged. It is ok unless it is kept as something
    else. It needs none of a rule that is off for it.
    """
    known = _known(session, policies, now)
    active, faulty_inactive = session.execute(sites.active_and_faulty_inactive()).one()
    count = active - (session.scalar(sites.count_snoozed(now)) or 0)
    added = session.scalar(sites.count_added(known.newest_site, known.watched)) or 0
    faulty, holding, recovered = session.execute(jobs.open_by_recovery()).one()
    faulty += session.scalar(jobs.covered_without_job()) or 0
    unjudged, unassessable, jobless = session.execute(_count_not_ok(known)).one()
    return Fleet(
        active=active,
        # A job that is closed between the two questions must not make it less than none.
        faulty=max(0, faulty - faulty_inactive),
        holding=holding,
        recovered=recovered,
        watched=count,
        unchecked=added + unjudged if known.by_all_rules else count,
        unassessable=unassessable,
        jobless=jobless,
        runs=known.runs,
    )


def sites_behind(number: str, session: Session, policies: Policies, now: datetime) -> ColumnElement[bool]:
    """Which sites one of the ``NUMBERS`` of the fleet counts."""
    known = _known(session, policies, now)
    if number == "unchecked" and not known.by_all_rules:
        return known.watched
    counted = Site.key.in_(select(known.not_ok.c.site_key).where(known.not_ok.c[number] == 1))
    if number == "unchecked":
        return and_(known.watched, or_(Site.key > known.newest_site, counted))
    return and_(known.watched, Site.key <= known.newest_site, counted)


@dataclass(frozen=True)
class _Known:
    """What the newest runs said of the ``watched`` sites up to ``newest_site``.

    ``by_all_rules`` tells whether each enabled rule has said something that is fresh, and ``not_ok`` has the
    sites that are kept as something else than ok, with 1 for each of the ``NUMBERS`` that counts them.
    """

    watched: ColumnElement[bool]
    runs: Sequence[Run | None]
    newest_site: int
    by_all_rules: bool
    not_ok: Subquery


def _known(session: Session, policies: Policies, now: datetime) -> _Known:
    connection = session.connection()
    found = {rule.name: combinations(connection, rule, policies) for rule in RULES}
    enabled = {name: each for name, each in found.items() if any(one.settings.enabled for one in each)}
    newest = [session.execute(runs.newest_of_rule(rule)).one_or_none() for rule in enabled]
    fresh = [found[1] for found in newest if found and _is_fresh(*found, now - FRESH)]
    return _Known(
        watched=Moment(now, policies.settings.schedule.zone).sites_to_check(),
        runs=[found[0] if found else None for found in newest],
        newest_site=min((entry.newest_site or 0 for entry in fresh), default=0),
        by_all_rules=len(fresh) == len(newest),
        not_ok=_not_ok(fresh, [_is_off(name, each) for name, each in enabled.items()]),
    )


def _is_fresh(run: Run, entry: RunRule, oldest: datetime) -> bool:
    return run.as_of >= oldest and entry.status != "failed" and entry.newest_site is not None


def _is_off(rule: str, combinations: Sequence[Combination]) -> ColumnElement[bool]:
    """Of what runs kept: whether it is of a rule that is off for the site now."""
    off = [one.sites for one in combinations if one.sites is not None and not one.settings.enabled]
    return and_(RunSite.rule == rule, or_(*off)) if off else false()


def _not_ok(entries: Sequence[RunRule], off: Sequence[ColumnElement[bool]]) -> Subquery:
    """(site_key, whether it was not judged, could not be assessed, is flagged but has no open job) by what
    runs kept of their rules."""
    kept = (and_(RunSite.run_id == entry.run_id, RunSite.rule == entry.rule) for entry in entries)
    flagged = and_(RunSite.verdict == FLAGGED, RunSite.outcome != "held")
    return (
        select(
            RunSite.site_key,
            _says(NOT_JUDGED).label("unchecked"),
            (_says(NOT_ASSESSABLE) - _says(FLAGGED)).label("unassessable"),
            func.max(case((and_(flagged, Job.id.is_(None), Cover.job_id.is_(None)), 1), else_=0)).label(
                "jobless"
            ),
        )
        .join(Site, Site.key == RunSite.site_key)
        .outerjoin(Job, and_(Job.site_key == RunSite.site_key, STILL_OPEN, Job.covers.is_(None), flagged))
        .outerjoin(Cover, and_(Cover.site_key == RunSite.site_key, Cover.ended_at.is_(None), flagged))
        .where(or_(false(), *kept), ~or_(false(), *off))
        .group_by(RunSite.site_key)
        .subquery()
    )


def _count_not_ok(known: _Known) -> Select[int, int, int]:
    """How many sites each of the ``NUMBERS`` counts, of those that were there."""
    unchecked, unassessable, jobless = (
        func.count(case((known.not_ok.c[number] == 1, 1))) for number in NUMBERS
    )
    return (
        select(unchecked, unassessable, jobless)
        .join(Site, Site.key == known.not_ok.c.site_key)
        .where(known.watched, Site.key <= known.newest_site)
    )


def _says(verdict: str) -> ColumnElement[int]:
    return func.max(case((RunSite.verdict == verdict, 1), else_=0))
