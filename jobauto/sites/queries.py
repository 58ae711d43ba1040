"""What is asked about sites."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)

from ..extensions import db
from ..models import Cover, Job, JobReading, Reading, Site
from ..models.folding import fold, words_of
from ..models.job import STILL_OPEN
from ..models.quality import Quality
from ..models.types import BEFORE_ALL, Kwh
from ..rules import RULES
from ..rules.asked import Asked
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, NOT_JUDGED, Rule, Window
from ..rules.settings import RuleSettings
from ..settings.schema import Settings
from ..storage.distinct import distinct_values
from .set_aside import describe_set_aside


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a site: ``flagged``, ``ok``, ``not_assessable`` or ``not_judged``, and why.

    ``reason`` is short and for machines, ``text`` a sentence for people. ``set_aside`` says which readings
    the rule did not go by, and why: a headline and sentences.
    """

    rule: str
    title: str
    verdict: str
    reason: str | None = None
    text: str = ""
    since: datetime | None = None
    days: int | None = None
    zero_count: int | None = None
    value: Decimal | None = None
    set_aside: Sequence[str] = ()


def sites_matching(search: str = "", after: str = "") -> Select[Any]:
    """Sites by their id: those that a search finds, and whose id comes after one."""
    query = select(Site).order_by(Site.site_id)
    if after:
        query = query.where(Site.site_id > after)
    return query.where(*(says(word) for word in words_of(search)))


def says(word: str) -> ColumnElement[bool]:
    """Whether a site has a word somewhere in its id, name or group, whatever the case, accents, blanks and
    punctuation. One of punctuation alone is nowhere."""
    folded = fold(word)
    return or_(Site.search_text.contains(folded), Site.search_group.contains(folded)) if folded else false()


def by_site_id(site_id: str) -> Select[Any]:
    """The site of a business key."""
    return select(Site).where(Site.site_id == site_id)


def readings(site: Site) -> Select[Any]:
    """A site's readings, newest first."""
    return select(Reading).where(Reading.site_key == site.key).order_by(Reading.reading_date.desc())


def readings_between(site: Site, start: datetime | None, end: datetime | None) -> Select[Any]:
    """A site's readings from one instant to another, both included, newest first."""
    query = readings(site)
    if start is not None:
        query = query.where(Reading.reading_date >= start)
    return query if end is None else query.where(Reading.reading_date <= end)


def readings_before(site: Site, at: datetime | None) -> Select[Any]:
    """A site's readings before an instant, newest first; without one, its newest."""
    return readings(site) if at is None else readings(site).where(Reading.reading_date < at)


def readings_after(site: Site, at: datetime | None) -> Select[Any]:
    """A site's readings after an instant, oldest first; without one, all from the first on."""
    oldest_first = readings(site).order_by(None).order_by(Reading.reading_date)
    return oldest_first if at is None else oldest_first.where(Reading.reading_date > at)


def by_keys(keys: Collection[int]) -> Select[Any]:
    """Those of some sites that there are."""
    return select(Site).where(Site.key.in_(keys))


def groups() -> Select[Any]:
    """The groups in use, in order."""
    return distinct_values(Site.group)


def any_of_group(group: str) -> Select[int]:
    """Some site of a group, if there is one."""
    return select(Site.key).where(Site.group == group).limit(1)


def any_demo() -> Select[Any]:
    """Whether the fleet is, or has, demo data."""
    # Spelled out as in the partial index, which SQLite does not take for "is_demo = 1".
    return select(exists(select(Site.key).where(text("is_demo")).limit(1)))


def any_site() -> Select[int]:
    """Some site, if there is one."""
    return select(Site.key).limit(1)


def active_and_faulty_inactive() -> Select[int, int]:
    """(number of active sites, of inactive ones that have an open job whose fault holds, or a cover)."""
    has_job = exists().where(Job.site_key == Site.key, STILL_OPEN, Job.recovered_at.is_(None))
    is_faulty = or_(has_job, exists().where(Cover.site_key == Site.key, Cover.ended_at.is_(None)))
    return select(func.count().filter(Site.active), func.count().filter(~Site.active, is_faulty)).select_from(
        Site
    )


def count_open_jobs(site_keys: Collection[int] | None = None) -> Select[int, int]:
    """(key, number of open jobs) of some sites, or of all that have any.

    An incident that covers a site is one of its jobs.
    """
    own = select(Job.site_key).where(STILL_OPEN)
    is_its_own = exists().where(Job.site_key == Cover.site_key, Job.id == Cover.job_id)
    covering = select(Cover.site_key).where(Cover.ended_at.is_(None), ~is_its_own)
    if site_keys is not None:
        own, covering = own.where(Job.site_key.in_(site_keys)), covering.where(Cover.site_key.in_(site_keys))
    each = union_all(own, covering).subquery()
    return select(each.c.site_key, func.count().label("count")).group_by(each.c.site_key)


def count_snoozed(now: datetime) -> Select[int]:
    """How many of the active sites are snoozed: read off an index."""
    return select(func.count()).select_from(Site).where(Site.snoozed_at(now), Site.active)


def count_added(since: int, watched: ColumnElement[bool]) -> Select[int]:
    """How many of the watched sites were added after the one with a key: read off their keys."""
    return select(func.count()).select_from(Site).where(Site.key > since, watched)


def any_reading() -> Select[Any]:
    """Whether there is any reading."""
    # Without a limit a distributed database fetches them all and then looks whether there is one.
    return select(exists(select(Reading.site_key).limit(1)))


def verdicts(site: Site, settings: Settings, moment: Moment, *, even_if_off: bool = False) -> list[Verdict]:
    """What every rule says of one site at a moment, by the very select that judges the fleet.

    ``settings`` are those in force at the site. A rule that is off does not judge it, unless one wants to
    know what it would say.
    """
    if (why := _not_judged(site, moment)) is not None:
        return [
            Verdict(rule.name, rule.title, NOT_JUDGED, why, f"{why[0].upper()}{why[1:]}.") for rule in RULES
        ]
    only = replace(moment, only=site.key)
    return [
        _verdict(rule, section, only, site)
        if (section := settings.rule(rule.name)).enabled or even_if_off
        else Verdict(rule.name, rule.title, NOT_JUDGED, "switched off", "The rule is switched off here.")
        for rule in RULES
    ]


def _not_judged(site: Site, moment: Moment) -> str | None:
    if not site.active:
        return "the site is inactive"
    if site.is_snoozed(moment.as_of):
        return "the site is snoozed"
    return None


def _verdict(rule: Rule, settings: RuleSettings, moment: Moment, site: Site) -> Verdict:
    row = db.session.execute(rule.verdicts(Asked([settings]), moment)).mappings().one_or_none()
    start = moment.ago(rule.window(settings))
    aside = tuple(describe_set_aside(rule, site.key, start, moment.as_of))
    if row is not None and row["verdict"] == FLAGGED:
        figures = {name: row[name] for name in ("since", "days", "zero_count", "value")}
        found = Verdict(rule.name, rule.title, FLAGGED, set_aside=aside, **figures)
        is_interval = site.measure == "interval"
        return replace(found, text=rule.describe_finding(found, moment.zone, is_interval=is_interval))
    verdict, reason = (row["verdict"], row["reason"]) if row is not None else ("ok", None)
    seen, _ = believed_window(site, rule.believes, start, moment.as_of, newest_meter=rule.newest_meter)
    is_strict = rule.believes == {Quality.GOOD}
    seen = replace(seen, only_good=bool(aside) and is_strict, tolerated=moment.fall_tolerance)
    text = rule.unflagged(settings, verdict, seen, moment.zone)
    return Verdict(rule.name, rule.title, verdict, reason, text, set_aside=aside)


def believed_window(
    site: Site,
    believes: Collection[Quality],
    after: datetime,
    until: datetime,
    *,
    newest_meter: bool = False,
) -> tuple[Window, int]:
    """What the readings of some qualities have in common, of ``after < reading_date <= until``.

    And the number of the meter of the newest of them. With ``newest_meter`` only those of that meter count.
    """
    which = [Reading.site_key == site.key, Reading.quality.in_(believes)]
    newest = (
        select(Reading.meter)
        .where(*which, Reading.reading_date > after, Reading.reading_date <= until)
        .order_by(Reading.reading_date.desc())
        .limit(1)
    )
    meter = db.session.scalar(newest) or 0
    if newest_meter:
        which.append(Reading.meter >= meter)
    found = window(until, *which, after=after, counts_down=site.counts == "down")
    return (found if site.measure == "interval" else replace(found, total=None)), meter


def window(
    until: datetime,
    *which: ColumnElement[bool],
    after: datetime = BEFORE_ALL,
    readings: type[Reading | JobReading] = Reading,
    counts_down: bool = False,
) -> Window:
    """What the readings that ``which`` tells have in common, of ``after < reading_date <= until``.

    The first of them has fallen, too, if the one before it was higher; of a register that counts down, lower.
    """
    at, kwh = readings.reading_date, readings.reading_value
    inside = (*which, at > after, at <= until)
    value = select(kwh).limit(1)
    earlier = value.where(*which, at <= after).order_by(at.desc()).scalar_subquery()
    before = func.coalesce(func.lag(kwh).over(order_by=at), earlier)
    seen = select(at, kwh, before.label("before")).where(*inside).subquery("seen")
    difference = seen.c.reading_value - seen.c.before if counts_down else seen.c.before - seen.c.reading_value
    fall = type_coerce(difference, Kwh)
    value = value.where(*inside)
    watt_hours = type_coerce(seen.c.reading_value, BigInteger)
    found = db.session.execute(
        select(
            func.count().label("count"),
            func.min(seen.c.reading_date).label("first"),
            func.max(seen.c.reading_date).label("last"),
            value.order_by(at).scalar_subquery().label("first_value"),
            value.order_by(at.desc()).scalar_subquery().label("last_value"),
            func.min(seen.c.reading_value).label("lowest"),
            func.max(seen.c.reading_value).label("highest"),
            func.count().filter(fall > 0).label("falls"),
            func.max(fall).label("deepest_fall"),
            func.count().filter(seen.c.reading_value == 0).label("zeroes"),
            type_coerce(cast(func.coalesce(func.sum(watt_hours), 0), BigInteger), Kwh).label("total"),
        )
    ).one()
    return Window(until, **found._mapping, counts_down=counts_down)


def last_readings(sites: Sequence[Site]) -> dict[int, datetime]:
    """The newest reading of each of a few sites, by key: one seek a site."""
    newest = (
        select(Reading.reading_date)
        .where(Reading.site_key == Site.key)
        .order_by(Reading.reading_date.desc())
        .limit(1)
        .scalar_subquery()
    )
    keys = [site.key for site in sites]
    found = db.session.execute(select(Site.key, newest).where(Site.key.in_(keys)))
    return {key: at for key, at in found if at is not None}
