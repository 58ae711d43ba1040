"""No Coms: a site has stopped sending readings."""

from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
)

from ..models import Reading, Site
from ..models.quality import Quality
from ..models.types import Instant, format_minute, local_minute_in, whole_days
from ..wording import pluralize
from .asked import Asked, Given
from .moment import Moment
from .rule import FLAGGED, NOT_ASSESSABLE, VERDICT, FindingLike, Rule, Variables, Window, explained_jobs
from .settings import DescriptionTemplate, JobTypeId, RuleSettings

SPOKEN = Reading.quality != literal_column(str(int(Quality.ESTIMATED)))
"""A doubtful, wrong or ignored reading is a sign of life, whatever anybody thinks of its value."""
NEW_SITE = "new site"


class NoComsSettings(RuleSettings):
    """When a site counts as silent."""

    title = "No Coms"
    variables = ("site_id", "site_name", "days_threshold", "last_reading", "days_without_reading")

    job_type_id: JobTypeId = "no_coms"
    description_template: DescriptionTemplate = "No readings from {site_name} (last reading: {last_reading})"
    days_threshold: Annotated[
        int,
        Field(
            ge=1,
            le=30,
            title="Days without a reading",
            description="A site is flagged when its last reading is at least so many days old: 1 to 30.",
        ),
    ] = 3


def verdicts(asked: Asked[NoComsSettings], moment: Moment) -> Select[Any]:
    """Every judged site without a reading in ``as_of - days_threshold days < reading_date <= as_of``.

    An estimated reading is none: nobody has heard of the site.

    1. Seek one reading of the site inside the window: one step into the primary key, however many
       readings the window or the history has. Where there is one, the site is ok.
    2. Only where there is none, seek the last reading before.
    3. A site that never reported is flagged too, unless its ``monitored_from`` (from midnight in the
       schedule's zone) is younger than the threshold: then it is new and not assessable.
    """
    latest = max(moment.ago(settings.days_threshold) for settings in asked.settings)
    given = asked.each(
        latest=(lambda _: latest, Instant),
        seen_from=(lambda settings: moment.ago(settings.days_threshold), Instant),
        new_from=(lambda settings: moment.date_ago(settings.days_threshold), Date),
    )
    silent = _silent_sites(given, moment).subquery("silent")
    last = (
        select(Reading.reading_date)
        .where(Reading.site_key == silent.c.key, Reading.reading_date <= moment.as_of, SPOKEN)
        .where(*moment.known(Reading))
        .order_by(Reading.reading_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    site = select(silent, last.label("last")).subquery("silent_since")
    is_new = and_(site.c.monitored_from > given.within(site)["new_from"], site.c.last.is_(None))
    return select(
        site.c.key.label("site_key"),
        case((is_new, NOT_ASSESSABLE), else_=FLAGGED).label("verdict"),
        case((is_new, NEW_SITE)).label("reason"),
        site.c.last.label("since"),
        whole_days(literal(moment.as_of, Instant), site.c.last).label("days"),
        cast(null(), VERDICT.c.zero_count.type).label("zero_count"),
        cast(null(), VERDICT.c.value.type).label("value"),
    )


def _silent_sites(given: Given, moment: Moment) -> Select[Any]:
    silent = [_unseen_since(given["latest"], moment)]
    if given.differing:
        # Only for the few that have not been seen lately it is asked when each would have to be seen.
        silent.append(_unseen_since(given["seen_from"], moment))
    columns = (Site.key, Site.monitored_from, *given.columns())
    return select(*columns).where(moment.sites_to_check(), *silent)


def _unseen_since(instant: ColumnElement[datetime], moment: Moment) -> ColumnElement[bool]:
    # "(SELECT 1 ... LIMIT 1) IS NULL" is a seek whatever the planner believes; NOT EXISTS on statistics
    # older than an import became a scan of all readings on PostgreSQL.
    seen = (
        select(literal(1))
        .where(
            Reading.site_key == Site.key,
            Reading.reading_date > instant,
            Reading.reading_date <= moment.as_of,
            SPOKEN,
            *moment.known(Reading),
        )
        .limit(1)
        .scalar_subquery()
    )
    return seen.is_(None)


def variables(settings: NoComsSettings, moment: Moment) -> Variables:
    """What a description may name, beside the site."""
    last = local_minute_in(VERDICT.c.since, moment.zone)
    return {
        "days_threshold": str(settings.days_threshold),
        "last_reading": func.coalesce(last, "never"),
        "days_without_reading": func.coalesce(cast(VERDICT.c.days, String), "never"),
    }


def explained(settings: NoComsSettings) -> list[str]:
    """How the rule decides with these settings, in words."""
    days = pluralize(settings.days_threshold, "day")
    return [
        f"A site is flagged when it has sent no reading in the last {days} "
        f"({pluralize(settings.days_threshold * 24, 'hour')}) before the check.",
        "A site that has never sent a reading is flagged too. "
        f"One that has been monitored for less than {days} is new, and not assessable yet.",
        *explained_jobs(settings),
    ]


def describe_finding(finding: FindingLike, zone: ZoneInfo, *, is_interval: bool) -> str:  # noqa: ARG001 (same for both)
    """What was found at a site, in words."""
    if finding.since is None:
        return "The site has never sent a reading."
    silent = pluralize(finding.days or 0, "day")
    return f"No reading since {format_minute(finding.since, zone)}: {silent} of silence."


def unflagged(settings: NoComsSettings, verdict: str, window: Window, zone: ZoneInfo) -> str:
    """Why a site was not flagged, in words."""
    if verdict == NOT_ASSESSABLE or window.last is None:
        days = pluralize(settings.days_threshold, "day")
        return f"The site has never sent a reading, and has been monitored for less than {days}."
    return f"{window.describe(zone)}, the last one at {format_minute(window.last, zone)}."


RULE = NO_COMS = Rule(
    name="no_coms",
    title="No Coms",
    settings=NoComsSettings,
    verdicts=verdicts,
    variables=variables,
    window=attrgetter("days_threshold"),
    explained=explained,
    describe_finding=describe_finding,
    unflagged=unflagged,
    days_field="days_without_reading",
    colour="blue",
    icon="no_coms",
    guarded=True,
    believes=frozenset(Quality) - {Quality.ESTIMATED},
    flagged_as="silent",
    reasons=(NEW_SITE,),
)
