"""The list of sites: which, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, text

from ..models import Reading, Review, Site
from ..models.folding import words_of
from ..models.types import EPOCH, Instant
from ..rules import RULES
from ..rules.no_coms import NO_COMS
from ..storage.distinct import distinct_values
from .queries import count_open_jobs, says
from .states import LastRun, flagged_by, not_assessable, not_ok

NOT_ASSESSABLE = "not_assessable"
IN_DOUBT, SNOOZED, INACTIVE, NEVER = "in_doubt", "snoozed", "inactive", "never"
REASONS = tuple(dict.fromkeys(reason for rule in RULES for reason in rule.reasons))
STATES = {
    **{rule.name: f"{rule.flagged_as.capitalize()} ({rule.title})" for rule in RULES},
    NOT_ASSESSABLE: "Not assessable",
    **{f"{NOT_ASSESSABLE}:{reason}": f"Not assessable: {reason}" for reason in REASONS},
    IN_DOUBT: "Readings in doubt",
    SNOOZED: "Snoozed",
    INACTIVE: "Inactive",
    NEVER: "Never reported",
    "unchecked": "Not checked lately",
    "unassessable": "Not assessable, not flagged",
    "jobless": "Flagged, without an open job",
}
"""What sites are found by, with labels. What rules said is of the last run; the rest is of now.

The last three are numbers of the dashboard, which knows the sites behind them.
"""
SORTS = {
    "id": "By id",
    "name": "By name",
    "group": "By group",
    "source": "By source",
    "silence": "Longest silence first",
    "jobs": "Most open jobs first",
}


@dataclass(frozen=True)
class SiteFilter:
    """Which sites, and in which order. Empty texts do not narrow."""

    search: str = ""
    group: str = ""
    source: str = ""
    state: str = ""
    sort: str = "id"


def sites_found(wanted: SiteFilter, last: Sequence[LastRun], now: datetime) -> Select[Any]:
    """Sites as the filter wants them, in no order; by a state that is known here."""
    same = {Site.group: wanted.group, Site.source: wanted.source}
    query = select(Site).where(*(column == value for column, value in same.items() if value))
    if wanted.state:
        query = query.where(_has_state(wanted.state, last, now))
    return query.where(*(says(word) for word in words_of(wanted.search)))


def in_order(query: Select[Any], sort: str, last: Sequence[LastRun], *, few: bool = False) -> Select[Any]:
    """The same in an order; what is equal goes by its id.

    A ``few`` among many are found first and sorted then: SQLite would walk all sites in their order.
    """
    if few:
        query = select(Site).where(Site.key.in_(query.with_only_columns(Site.key)))
    if sort == "silence":
        query = query.order_by(*_silence(last))
    elif sort == "jobs":
        jobs = count_open_jobs().subquery("open_jobs")
        query = query.outerjoin(jobs, jobs.c.site_key == Site.key)
        query = query.order_by(func.coalesce(jobs.c.count, 0).desc())
    elif sort in ("name", "group", "source"):
        query = query.order_by({"name": Site.site_name, "group": Site.group, "source": Site.source}[sort])
    return query.order_by(Site.site_id)


def sources() -> Select[Any]:
    """The sources in use, in order."""
    return distinct_values(Site.source)


def _has_state(state: str, last: Sequence[LastRun], now: datetime) -> ColumnElement[bool]:
    if state == SNOOZED:
        return Site.snoozed_at(now)
    if state == INACTIVE:
        # Spelled out as in the partial index, which SQLite does not take for "active = 0".
        return text("NOT site.active")  # type: ignore[return-value]
    if state == IN_DOUBT:
        return Site.key.in_(select(Review.site_key).where(Review.state == "open"))
    if state == NEVER:
        return _never_reported(last)
    if state.startswith(NOT_ASSESSABLE):
        reason = state.partition(":")[2]
        return Site.key.in_(not_assessable(last, [reason] if reason else []))
    return Site.key.in_(flagged_by(state, last))


def _never_reported(last: Sequence[LastRun]) -> ColumnElement[bool]:
    """No reading now. Looked for where it can be: at sites that No Coms did not find ok, or came later."""
    newest_site = next((one.newest_site for one in last if one.rule is NO_COMS), 0)
    can_be = or_(Site.key > newest_site, Site.key.in_(not_ok(NO_COMS.name, last)))
    seen = select(literal(1)).where(Reading.site_key == Site.key).limit(1).scalar_subquery()
    return and_(can_be, seen.is_(None))


def _silence(last: Sequence[LastRun]) -> list[ColumnElement[Any]]:
    """The sites that No Coms flagged by their last reading, one that never reported first; then all others,
    which have reported within the threshold."""
    is_silent = Site.key.in_(flagged_by(NO_COMS.name, last))
    newest = (
        select(Reading.reading_date)
        .where(Reading.site_key == Site.key)
        .order_by(Reading.reading_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    since = case((is_silent, func.coalesce(newest, literal(EPOCH, Instant))), else_=None)
    return [since.is_(None), since]
