"""Zero Reads: readings arrive, but the register no longer goes up."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from ..models import Job, Reading, Run, Site
from ..models.quality import Quality
from ..models.types import (
    BEFORE_ALL,
    MICROSECOND,
    WATT_HOURS,
    Instant,
    format_minute,
    microseconds_between,
    whole_days,
)
from ..wording import pluralize
from .asked import Asked, Given
from .moment import Moment
from .rule import FLAGGED, NOT_ASSESSABLE, VERDICT, FindingLike, Rule, Variables, Window, explained_jobs
from .settings import DescriptionTemplate, JobTypeId, KilowattHours, RuleSettings

SLACK = timedelta(hours=12)
"""Readings need not be exactly a day apart, but a burst in one night is no evidence."""
NO_FLICKER = 30
"""In watt-hours."""
IN_DOUBT = "readings in doubt"
TOO_FEW = "too few readings"
METERS = 1024
A_METER = 2**52
"""More than twice as many watt-hours as two registers can be apart."""
HALF = 2**50
"""Half of that: two readings of one meter are less than twice as many apart."""
_RUNS = select(Run.id, Run.as_of).cte("runs")
"""A table of the coordinator, where jobs are distributed. One for all settings that a statement asks by."""


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

    min_increase: Annotated[
        KilowattHours,
        Field(
            title="Increase that counts as none, in kWh",
            description="A rise of no more than this over the days to check counts as none, such as the "
            "creep of a dead meter: 0.00 to 1,000.00.",
        ),
    ] = Decimal("0.00")

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


def verdicts(asked: Asked[ZeroReadsSettings], moment: Moment) -> Select[Any]:
    """Every judged site whose register did not rise in the window.

    The window is ``as_of - days_to_check days < reading_date <= as_of``. Only good readings count, and of
    those in the window only the ones of the meter of the newest. Below, *rise* is one of more than
    ``min_increase``.

    1. Seek the oldest and the newest of them: two steps into the primary key. Where the newest is so much
       higher that a fall before the window cannot matter either, the register rose. Almost every site ends
       here.
    2. Of the others, read the window. The register rose where the highest is above the oldest, and above the
       last one before the window where that is higher; at an interval site, where all add up to a rise.
    3. Fewer than ``readings_to_compare``, or a span of less than ``readings_to_compare - 1`` days less
       12 hours: not assessable.
    4. The rest is flagged. It is flat since the first reading that is hardly below the highest, after the
       newest one that is well below it; both may lie before the window.
    """
    given = _given(asked, moment)
    window = _still_windows(given, moment).subquery("still")
    given = given.within(window)
    short = or_(
        window.c.count < given["needed"],
        microseconds_between(window.c.newest, window.c.oldest) < given["span"],
    )
    since = case((~short, _flat_since(window, given, moment)))
    zero_count = case((~short, _zero_count(window, given, moment, since)))
    site = select(window, short.label("short"), since.label("since"), zero_count.label("zeroes")).subquery(
        "flat"
    )
    in_doubt = and_(site.c.short, site.c.in_doubt)
    return select(
        site.c.key.label("site_key"),
        case((site.c.short, NOT_ASSESSABLE), else_=FLAGGED).label("verdict"),
        case((in_doubt, IN_DOUBT), (site.c.short, TOO_FEW)).label("reason"),
        site.c.since,
        whole_days(literal(moment.as_of, Instant), site.c.since).label("days"),
        site.c.zeroes.label("zero_count"),
        case((~site.c.short, site.c.value)).label("value"),
    )


def _given(asked: Asked[ZeroReadsSettings], moment: Moment) -> Given:
    tolerance = int(moment.fall_tolerance * WATT_HOURS)
    earliest = min(moment.ago(settings.days_to_check) for settings in asked.settings)
    return asked.each(
        earliest=(lambda _: earliest, Instant),
        start=(lambda settings: moment.ago(settings.days_to_check), Instant),
        needed=(attrgetter("readings_to_compare"), Integer),
        span=(lambda settings: _needed_span(settings) // MICROSECOND, BigInteger),
        increase=(_increase, BigInteger),
        below=(lambda settings: _increase(settings) + tolerance, BigInteger),
        too_far=(lambda settings: _increase(settings) + tolerance + 1 + HALF, BigInteger),
    )


def _needed_span(settings: ZeroReadsSettings) -> timedelta:
    return timedelta(days=settings.readings_to_compare - 1) - SLACK


def _increase(settings: ZeroReadsSettings) -> int:
    return int(settings.min_increase * WATT_HOURS)


def _in_window(of: Any, site_key: Any, start: ColumnElement[Any], moment: Moment) -> ColumnElement[bool]:
    return and_(
        of.site_key == site_key,
        of.reading_date > start,
        of.reading_date <= moment.as_of,
        *moment.known(of),
    )


def _good(of: Any) -> ColumnElement[bool]:
    # The lowest of all. As an equation PostgreSQL would believe that few are, and sort instead of seek.
    return of.quality <= literal_column(str(int(Quality.GOOD)))  # type: ignore[no-any-return]


def _of_meter(of: Any, meter: ColumnElement[int]) -> ColumnElement[bool]:
    """Of the meter of the newest good reading: no older one is of a higher number."""
    return of.meter >= meter  # type: ignore[no-any-return]


def _big(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)


def _watt_hours(of: Any) -> ColumnElement[int]:
    return type_coerce(of.reading_value, BigInteger)


def _suspects(given: Given, moment: Moment) -> Select[Any]:
    """The sites of which the two ends of the window do not tell that they rose, with the newest's meter."""
    inside = (_in_window(Reading, Site.key, given["start"], moment), _good(Reading))
    # Where there is a reading in the window, the newest one of a longer window is the same. A database works
    # out what differs anew wherever it is named.
    by_now = (_in_window(Reading, Site.key, given["earliest"], moment), _good(Reading))
    # The meter stands above the value, so that one number tells that both ends are of one meter, and how far
    # they are apart. The numbers of meters are cut off where they would not fit.
    end = select(
        cast(Reading.meter, BigInteger).bitwise_and(METERS - 1) * _big(A_METER) + _watt_hours(Reading)
    ).limit(1)
    newest = end.where(*by_now).order_by(Reading.reading_date.desc()).scalar_subquery()
    oldest = end.where(*inside).order_by(Reading.reading_date).scalar_subquery()
    # One comparison, for databases seek anew for each time that a subquery is named. NULL: no readings.
    apart = func.coalesce(func.abs(newest - oldest - given["too_far"]), _big(A_METER))
    is_odd = or_(Site.counts == literal_column("'down'"), Site.measure == literal_column("'interval'"))
    # As an equation, of which the planner believes that it holds of few sites: so it goes on with seeks.
    is_suspect = case((is_odd, 1), (apart > _big(HALF), 1), else_=0)
    meter = (
        select(Reading.meter).where(*inside).order_by(Reading.reading_date.desc()).limit(1).scalar_subquery()
    )
    return select(
        Site.key,
        case((Site.counts == "down", -1), else_=1).label("sign"),
        case((Site.measure == "interval", 1), else_=0).label("is_interval"),
        meter.label("meter"),
        *given.columns(),
    ).where(moment.sites_to_check(), is_suspect == 1)


def _still_windows(given: Given, moment: Moment) -> Select[Any]:
    """The windows in which the register did not rise, of the sites of which the two ends do not tell."""
    suspect = _suspects(given, moment).subquery("suspect")
    window = _windows(suspect, given.within(suspect), moment).subquery("window")
    told = _with_ends(window, given.within(window), moment).subquery("told")
    increase = given.within(told)["increase"]
    ground = case((told.c.before > told.c.first, told.c.before), else_=told.c.first)
    rose = case(
        (told.c.is_interval == 1, told.c.total > increase),
        else_=told.c.highest - ground > increase,
    )
    return select(told).where(~func.coalesce(rose, false()))


def _windows(site: Subquery, given: Given, moment: Moment) -> Select[Any]:
    """How many good readings a window has, from when to when, the highest and the sum of them."""
    same = ("sign", "is_interval", "meter", *given.differing)
    of_meter = and_(
        _in_window(Reading, site.c.key, given["start"], moment),
        _good(Reading),
        _of_meter(Reading, site.c.meter),
    )
    return (
        select(
            site.c.key,
            # The same for all readings of a site: grouped by more than its key they would be sorted.
            *(func.min(site.c[name]).label(name) for name in same),
            func.count(Reading.reading_date).label("count"),
            func.min(Reading.reading_date).label("oldest"),
            func.max(Reading.reading_date).label("newest"),
            func.max(site.c.sign * _watt_hours(Reading)).label("highest"),
            func.sum(_watt_hours(Reading)).label("total"),
        )
        .outerjoin(Reading, of_meter)
        .group_by(site.c.key)
    )


def _with_ends(window: Subquery, given: Given, moment: Moment) -> Select[Any]:
    """And its newest and first value, the last one before it, and whether readings of it are in doubt."""
    ends, doubted = aliased(Reading), aliased(Reading)
    at = select(ends.reading_value).where(ends.site_key == window.c.key).limit(1).correlate(window)
    newest = at.where(ends.reading_date == window.c.newest)
    first = at.where(ends.reading_date == window.c.oldest)
    before = at.where(
        _good(ends),
        _of_meter(ends, window.c.meter),
        ends.reading_date < window.c.oldest,
        *moment.known(ends),
    ).order_by(ends.reading_date.desc())
    in_doubt = (
        select(literal(1))
        .where(
            _in_window(doubted, window.c.key, given["start"], moment),
            doubted.quality == literal_column(str(int(Quality.DOUBTFUL))),
        )
        .limit(1)
        .correlate(window)
    )

    def upwards(value: Select[Any]) -> ColumnElement[int]:
        return window.c.sign * type_coerce(value.scalar_subquery(), BigInteger)

    return select(
        window,
        newest.scalar_subquery().label("value"),
        upwards(first).label("first"),
        upwards(before).label("before"),
        in_doubt.scalar_subquery().is_not(None).label("in_doubt"),
    )


def _flat_since(window: Subquery, given: Given, moment: Moment) -> ColumnElement[Any]:
    earlier, first = aliased(Reading), aliased(Reading)

    def of_meter(of: Any) -> ColumnElement[bool]:
        return and_(
            of.site_key == window.c.key,
            of.reading_date <= moment.as_of,
            _good(of),
            _of_meter(of, window.c.meter),
            *moment.known(of),
        )

    last_below = (
        select(earlier.reading_date)
        .where(of_meter(earlier), window.c.highest - window.c.sign * _watt_hours(earlier) > given["below"])
        .order_by(earlier.reading_date.desc())
        .limit(1)
        .correlate(window)
        .scalar_subquery()
    )
    register = (
        select(first.reading_date)
        .where(
            of_meter(first),
            window.c.highest - window.c.sign * _watt_hours(first) <= given["increase"],
            first.reading_date > func.coalesce(last_below, literal(BEFORE_ALL, Instant)),
        )
        .order_by(first.reading_date)
        .limit(1)
        .correlate(window)
        .scalar_subquery()
    )
    return case(
        (
            window.c.is_interval == 1,
            func.coalesce(_last_that_counted(window, given, moment), window.c.oldest),
        ),
        else_=func.coalesce(register, window.c.newest),
    )


def _last_that_counted(window: Subquery, given: Given, moment: Moment) -> ColumnElement[Any]:
    """The end of the newest interval that, with all after it, adds up to a rise."""
    interval = aliased(Reading)
    added_up = (
        select(
            interval.reading_date,
            func.sum(_watt_hours(interval)).over(order_by=interval.reading_date.desc()).label("energy"),
        )
        .where(
            interval.site_key == window.c.key,
            # From both sides, or PostgreSQL without statistics believes that they are many, and sorts them.
            interval.reading_date > literal(BEFORE_ALL, Instant),
            interval.reading_date <= moment.as_of,
            _good(interval),
            *moment.known(interval),
        )
        .correlate(window)
        .subquery("added_up")
    )
    return (
        select(func.max(added_up.c.reading_date))
        .where(added_up.c.energy > given["increase"])
        .correlate(window)
        .scalar_subquery()
    )


def _zero_count(
    window: Subquery, given: Given, moment: Moment, since: ColumnElement[Any]
) -> ColumnElement[int]:
    """Pairs of neighbours in the window without a rise; of an interval site, readings after the last rise."""
    reading, after = aliased(Reading), aliased(Reading)
    steps = (
        select(
            (_watt_hours(reading) - func.lag(_watt_hours(reading)).over(order_by=reading.reading_date)).label(
                "step"
            )
        )
        .where(
            _in_window(reading, window.c.key, given["start"], moment),
            _good(reading),
            _of_meter(reading, window.c.meter),
        )
        .correlate(window)
        .subquery("steps")
    )
    pairs = select(func.count()).where(window.c.sign * steps.c.step <= given["increase"]).scalar_subquery()
    intervals = (
        select(func.count())
        .where(
            _in_window(after, window.c.key, given["start"], moment), _good(after), after.reading_date > since
        )
        .correlate(window)
        .scalar_subquery()
    )
    return case((window.c.is_interval == 1, intervals), else_=pairs)


def recovered(settings: ZeroReadsSettings, moment: Moment) -> ColumnElement[bool]:
    """Whether the fault of a job, whose site the rule finds ok, is gone.

    A good reading stands above the job's value by more than ``min_increase``, and by 0.03 kWh at least: a
    flicker of the last digit is no recovery. Or a newer meter has risen by so much; or the intervals after
    the job's ``as_of`` add up to it.
    """
    least = max(_increase(settings) + 1, NO_FLICKER)
    reading, began, flat = aliased(Reading), aliased(Reading), aliased(Reading)
    of_site = and_(reading.site_key == Job.site_key, _good(reading), reading.reading_date <= moment.as_of)
    site = select(literal(1)).where(Site.key == Job.site_key).correlate(Job)
    is_interval = site.where(Site.measure == "interval").exists()
    sign = case((site.where(Site.counts == "down").exists(), -1), else_=1)
    meter = (
        select(flat.meter)
        .where(flat.site_key == Job.site_key, flat.reading_date == Job.since)
        .correlate(Job)
        .scalar_subquery()
    )
    first = (
        select(_watt_hours(began))
        .where(began.site_key == reading.site_key, _good(began), began.meter == reading.meter)
        .order_by(began.reading_date)
        .limit(1)
        .correlate(reading)
        .scalar_subquery()
    )
    ground = case((reading.meter > meter, first), else_=type_coerce(Job.value, BigInteger))
    rose = (
        select(literal(1))
        .where(of_site, reading.reading_date > Job.since, sign * (_watt_hours(reading) - ground) >= least)
        .correlate(Job)
        .exists()
    )
    as_of = select(_RUNS.c.as_of).where(_RUNS.c.id == Job.run_id).correlate(Job).scalar_subquery()
    energy = (
        select(func.sum(_watt_hours(reading)))
        .where(of_site, reading.reading_date > as_of)
        .correlate(Job)
        .scalar_subquery()
    )
    return case((is_interval, func.coalesce(energy, 0) >= least), else_=rose)


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
        f"at least {hours} lie between the first and the last, and the register has not risen by more than "
        f"{settings.min_increase:.2f} kWh. A register that falls has not risen.",
        "Only good readings of the newest meter count. "
        "Fewer of them, or a shorter time between them: not assessable.",
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


def describe_finding(finding: FindingLike, zone: ZoneInfo, *, is_interval: bool) -> str:
    """What was found at a site, in words."""
    if finding.since is None:
        return "No generation." if is_interval else "The register has not moved."
    still = pluralize(finding.days or 0, "day")
    since = format_minute(finding.since, zone)
    if is_interval:
        return f"The intervals since {since} show no generation: {still}."
    return f"The register has stood at {finding.value:,} kWh since {since}: {still}."


def unflagged(settings: ZeroReadsSettings, verdict: str, window: Window, zone: ZoneInfo) -> str:
    """Why a site was not flagged, in words."""
    seen, needed = window.describe(zone), settings.readings_to_compare
    if verdict == NOT_ASSESSABLE and window.count >= needed:
        hours = pluralize(_needed_span(settings) // timedelta(hours=1), "hour")
        return f"{seen}, all within less than {hours}: too short a time to tell."
    if verdict == NOT_ASSESSABLE:
        within = "" if window.count else f" in the last {pluralize(settings.days_to_check, 'day')}"
        return f"{seen}{within}, {needed} are needed."
    falls = window.describe_falls()
    if window.falls_too_far:
        return f"{seen}, from {window.first_value:,} to {window.last_value:,} kWh. {falls}"
    if window.total is not None:
        return f"{seen}, {window.made:,} kWh in all."
    no_fault = f" {falls[:-1]}: that is no fault." if falls else ""
    return f"{seen}, {'down' if window.counts_down else 'up'} {window.made:,} kWh.{no_fault}"


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
    recovered=recovered,
    believes=frozenset({Quality.GOOD}),
    newest_meter=True,
    days_field="days_with_zero_increase",
    colour="orange",
    icon="zero_reads",
    flagged_as="standing still",
    reasons=(IN_DOUBT, TOO_FEW),
)
