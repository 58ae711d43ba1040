"""Zero Reads: readings arrive, but the register no longer goes up."""

from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import ColumnElement, Select, String, Subquery, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from ..models import Reading, Site
from ..models.types import (
    BEFORE_ALL,
    MICROSECOND,
    Instant,
    format_minute,
    microseconds_between,
    whole_days,
)
from ..wording import pluralize
from .moment import Moment
from .rule import FLAGGED, NOT_ASSESSABLE, VERDICT, FindingLike, Rule, Variables, Window, explained_jobs
from .settings import DescriptionTemplate, JobTypeId, RuleSettings

SLACK = timedelta(hours=12)
"""Readings need not be exactly a day apart, but a burst in one night is no evidence."""


class ZeroReadsSettings(RuleSettings):
    """When a register counts as standing still."""

    title = "Zero Reads"
    variables = ("site_id", "site_name", "zero_count", "days_to_check", "date_range", "total_difference")

    job_type_id: JobTypeId = "zero_reads"
    description_template: DescriptionTemplate = "No generation increase for {zero_count} days at {site_name}"
    days_to_check: Annotated[
        int,
        Field(
            ge=2,
            le=30,
            title="Days to check",
            description="How far back the rule looks, in days of 24 hours: 2 to 30.",
        ),
    ] = 4
    readings_to_compare: Annotated[
        int,
        Field(
            ge=2,
            le=10,
            title="Readings to compare",
            description="How many equal readings it takes, spread over as many days: 2 to 10, "
            "and no more than the days to check.",
        ),
    ] = 3

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """More readings than days could never come together: daily ones are the fewest that are common."""
        if self.readings_to_compare > self.days_to_check:
            why = "The rule could never fire: readings to compare must not exceed days to check."
            yield from (("readings_to_compare", why), ("days_to_check", why))

    def reconciled(self) -> Self:
        """With as many readings to compare as there are days, where there were more."""
        return self.model_copy(
            update={"readings_to_compare": min(self.readings_to_compare, self.days_to_check)}
        )


def verdicts(settings: ZeroReadsSettings, moment: Moment) -> Select[Any]:
    """Every judged site whose register did not change in the window.

    The window is ``as_of - days_to_check days < reading_date <= as_of``.

    1. Seek the oldest and the newest value of the window: two steps into the primary key. Where they
       differ the register moved, and the site is ok. Almost every site ends here.
    2. Of the others, read the window. Where its lowest and highest value differ, the site is ok: any
       change counts, up or down, however few the readings.
    3. Fewer than ``readings_to_compare``, or a span of less than ``readings_to_compare - 1`` days less
       12 hours: not assessable.
    4. The rest is flagged. Its flat run starts at the first reading after the last one with another
       value, which may lie before the window.
    """
    window = _unchanged_windows(settings, moment).subquery("unchanged")
    short = or_(
        window.c.count < settings.readings_to_compare,
        microseconds_between(window.c.newest, window.c.oldest) < _needed_span(settings) // MICROSECOND,
    )
    since = case((~short, _flat_since(window, moment)))
    site = select(window, short.label("short"), since.label("since")).subquery("flat")
    return select(
        site.c.key.label("site_key"),
        case((site.c.short, NOT_ASSESSABLE), else_=FLAGGED).label("verdict"),
        case((site.c.short, "too few readings")).label("reason"),
        site.c.since,
        whole_days(literal(moment.as_of, Instant), site.c.since).label("days"),
        case((~site.c.short, site.c.count - 1)).label("zero_count"),
        case((~site.c.short, site.c.value)).label("value"),
    )


def _needed_span(settings: ZeroReadsSettings) -> timedelta:
    return timedelta(days=settings.readings_to_compare - 1) - SLACK


def _in_window(site_key: Any, settings: ZeroReadsSettings, moment: Moment) -> ColumnElement[bool]:
    return and_(
        Reading.site_key == site_key,
        Reading.reading_date > moment.ago(settings.days_to_check),
        Reading.reading_date <= moment.as_of,
    )


def _unchanged_windows(settings: ZeroReadsSettings, moment: Moment) -> Select[Any]:
    end = select(Reading.reading_value).where(_in_window(Site.key, settings, moment)).limit(1)
    oldest = end.order_by(Reading.reading_date).scalar_subquery()
    newest = end.order_by(Reading.reading_date.desc()).scalar_subquery()
    # Null equals null here: a site without a reading in the window stays in, to be told not assessable.
    equal_ends = (
        select(Site.key)
        .where(moment.sites_to_check(), oldest.is_not_distinct_from(newest))
        .subquery("equal_ends")
    )
    lowest, highest = func.min(Reading.reading_value), func.max(Reading.reading_value)
    return (
        select(
            equal_ends.c.key,
            func.count(Reading.reading_date).label("count"),
            func.min(Reading.reading_date).label("oldest"),
            func.max(Reading.reading_date).label("newest"),
            lowest.label("value"),
        )
        .outerjoin(Reading, _in_window(equal_ends.c.key, settings, moment))
        .group_by(equal_ends.c.key)
        .having(lowest.is_not_distinct_from(highest))
    )


def _flat_since(window: Subquery, moment: Moment) -> ColumnElement[Any]:
    earlier = aliased(Reading)
    last_other_value = (
        select(earlier.reading_date)
        .where(
            earlier.site_key == window.c.key,
            earlier.reading_date <= moment.as_of,
            earlier.reading_value != window.c.value,
        )
        .order_by(earlier.reading_date.desc())
        .limit(1)
        .correlate(window)
        .scalar_subquery()
    )
    return (
        select(Reading.reading_date)
        .where(
            Reading.site_key == window.c.key,
            Reading.reading_date <= moment.as_of,
            Reading.reading_date > func.coalesce(last_other_value, literal(BEFORE_ALL, Instant)),
        )
        .order_by(Reading.reading_date)
        .limit(1)
        .correlate(window)
        .scalar_subquery()
    )


def variables(settings: ZeroReadsSettings, moment: Moment) -> Variables:
    """What a description may name, beside the site. The date range is the window's, first to last date."""
    first, last = moment.date_ago(settings.days_to_check), moment.date_ago(0)
    return {
        "zero_count": cast(VERDICT.c.days, String),
        "days_to_check": str(settings.days_to_check),
        "date_range": f"{first} to {last}",
        "total_difference": "0.00",
    }


def explained(settings: ZeroReadsSettings) -> list[str]:
    """How the rule decides with these settings, in words."""
    days = pluralize(settings.days_to_check, "day")
    hours = pluralize(_needed_span(settings) // timedelta(hours=1), "hour")
    return [
        f"The rule looks at a site's readings of the last {days} "
        f"({pluralize(settings.days_to_check * 24, 'hour')}) before the check.",
        f"The site is flagged when there are at least {settings.readings_to_compare} of them, "
        f"at least {hours} lie between the first and the last, and all show the same value.",
        "If any of them differs, up or down, the site is ok. "
        "Fewer equal readings, or a shorter time between them: not assessable.",
        _four_days(settings),
        *explained_jobs(settings),
    ]


def _four_days(settings: ZeroReadsSettings) -> str:
    seen, needed = min(4, settings.days_to_check), settings.readings_to_compare
    outcome = "the site is flagged" if seen >= needed else "the site is not assessable, and no job is opened"
    return (
        "For example, daily readings of 1234, 1234, 1234 and 1234 on days 1 to 4, checked on day 4: "
        f"{seen} of them count and {needed} are needed, so {outcome}."
    )


def describe_finding(finding: FindingLike, zone: ZoneInfo) -> str:
    """What was found at a site, in words."""
    if finding.since is None:
        return "The register has not moved."
    still = pluralize(finding.days or 0, "day")
    since = format_minute(finding.since, zone)
    return f"The register has stood at {finding.value:,} kWh since {since}: {still}."


def unflagged(settings: ZeroReadsSettings, verdict: str, window: Window, zone: ZoneInfo) -> str:
    """Why a site was not flagged, in words."""
    seen, needed = window.describe(zone), settings.readings_to_compare
    if verdict == NOT_ASSESSABLE and window.count >= needed:
        hours = pluralize(_needed_span(settings) // timedelta(hours=1), "hour")
        return f"{seen}, all within less than {hours}: too short a time to tell."
    if verdict == NOT_ASSESSABLE:
        return f"{seen}, {needed} are needed."
    if falls := window.describe_falls():
        return f"{seen}, from {window.first_value:,} to {window.last_value:,} kWh. {falls}"
    change = (window.last_value or 0) - (window.first_value or 0)
    return f"{seen}, up {change:,} kWh."


RULE = ZERO_READS = Rule(
    name="zero_reads",
    title="Zero Reads",
    settings=ZeroReadsSettings,
    verdicts=verdicts,
    variables=variables,
    window=attrgetter("days_to_check"),
    explained=explained,
    describe_finding=describe_finding,
    unflagged=unflagged,
    days_field="days_with_zero_increase",
    colour="orange",
    icon="zero_reads",
)
