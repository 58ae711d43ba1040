"""Changing a site: its name, group, dates, and a snooze. Every change is kept with who and when."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..audit.conflicts import EditConflict, Seen, asked_for, require_agreement
from ..audit.service import Author, Difference, record
from ..errors import InvalidInput
from ..imports import fields
from ..imports.sites import CLASSIFIED_BY
from ..models import Reading, Site
from ..models.site import GROUP_LENGTH, GROUPED_BY, SITE_NAME_LENGTH, SNOOZE_REASON_LENGTH, SOURCE_LENGTH
from ..readings.classifying import require_classified
from ..readings.turns import take_turns
from ..storage.connections import write
from ..storage.marks import mark
from ..storage.regroupings import regrouped
from .bulk import Refusal

LONGEST_SNOOZE = timedelta(days=366)


class UnknownSite(LookupError):
    """There is no such site."""


@dataclass(frozen=True)
class SiteChange:
    """What a site is to be like."""

    site_name: str
    monitored_from: date | None
    active: bool
    group: str
    source: str = ""
    capacity_kwp: Decimal | None = None
    measure: str | None = None
    counts: str = "up"


def edit(
    site_id: str, wanted: SiteChange, *, author: Author, seen: Seen = MappingProxyType({})
) -> list[Difference]:
    """Change a site; returns what changed. ``seen`` is what the editor looked at.

    Raises UnknownSite, InvalidInput and EditConflict.
    """
    wrong = dict(_wrong_texts(wanted))
    if wrong:
        raise InvalidInput("The site was not changed.", wrong)
    with write() as session:
        site = _locked(session, site_id, in_turn=True)
        measure = site.measure
        changes = _set(session, site, vars(wanted), author, seen)
        if (site.measure or "register") != (measure or "register") and _has_readings(session, site.key):
            why = "Can be changed only while a site has no readings."
            raise InvalidInput("The site was not changed.", {"measure": [why]})
        is_affected = any(field in CLASSIFIED_BY for field, *_ in changes)
        key = site.key
        if is_affected:
            mark(session.connection(), [key])
    if is_affected:
        require_classified(key, author.now)
    return changes


def _has_readings(session: Session, site_key: int) -> bool:
    found = select(Reading.site_key).where(Reading.site_key == site_key).limit(1)
    return session.scalar(found) is not None


def snooze(
    site_id: str,
    last_day: date,
    reason: str,
    zone: ZoneInfo,
    *,
    author: Author,
    seen: Seen = MappingProxyType({}),
) -> list[Difference]:
    """Do not judge a site through a local date; its jobs stay as they are. Ends by itself.

    Returns what changed. ``seen`` is what the editor looked at: nobody's longer snooze is cut short unseen.

    Raises UnknownSite, InvalidInput without a reason or for a day that is past or over a year away, and
    EditConflict.
    """
    values = snooze_values(last_day, reason, zone, author.now)
    with write() as session:
        return _set(session, _locked(session, site_id), values, author, seen)


def snooze_values(last_day: date, reason: str, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """What a site has that is snoozed through a local date. Raises InvalidInput as :func:`snooze` does."""
    wrong: dict[str, list[str]] = {}
    if (why := wrong_day(last_day, zone, now)) is not None:
        wrong["last_day"] = [why]
    if not 1 <= len(reason.strip()) <= SNOOZE_REASON_LENGTH:
        wrong["reason"] = [f"Must have 1 to {SNOOZE_REASON_LENGTH} characters."]
    elif problem := _problem(reason.strip(), "reason", SNOOZE_REASON_LENGTH):
        wrong["reason"] = [problem]
    if wrong:
        raise InvalidInput("The site was not snoozed.", wrong)
    return {"snoozed_until": _end_of(last_day, zone).astimezone(UTC), "snooze_reason": reason.strip()}


def change_several(
    site_ids: Iterable[str],
    values: Mapping[str, Any],
    *,
    author: Author,
    seen: Mapping[str, Seen] = MappingProxyType({}),
    unless: Refusal,
) -> dict[str, str]:
    """Give several sites the same values, each on its own; returns those that were left alone, and why.

    ``seen`` is what the list showed of each: what somebody else has changed since is left alone, too.
    Raises InvalidInput for a text that no site can have.
    """
    _require_texts(values)
    left = {}
    for site_id in site_ids:
        try:
            with write() as session:
                site = _locked(session, site_id)
                if (why := unless(site)) is not None:
                    left[site_id] = why
                else:
                    _set(session, site, values, author, seen.get(site_id, MappingProxyType({})))
        except EditConflict:
            left[site_id] = "Somebody else has changed it since the list was shown."
        except UnknownSite:
            left[site_id] = "There is no such site."
    return left


def _require_texts(values: Mapping[str, Any]) -> None:
    longest = {"group": GROUP_LENGTH, "source": SOURCE_LENGTH}
    for name in longest.keys() & values.keys():
        if problem := _problem(values[name], name, longest[name]):
            raise InvalidInput("No site was changed.", {name: [problem]})


def wrong_day(last_day: date, zone: ZoneInfo, now: datetime) -> str | None:
    """Why a site cannot be snoozed through a local date; None where it can."""
    is_a_last = last_day < date.max  # which has no day after it
    allowed = is_a_last and now < _end_of(last_day, zone) <= now + LONGEST_SNOOZE
    return None if allowed else "Must be today or later, and within a year."


def _end_of(last_day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=zone)


def wake(site_id: str, *, author: Author, seen: Seen = MappingProxyType({})) -> list[Difference]:
    """End a snooze early; returns what changed. Raises UnknownSite and EditConflict."""
    values = {"snoozed_until": None, "snooze_reason": ""}
    with write() as session:
        return _set(session, _locked(session, site_id), values, author, seen)


def _locked(session: Session, site_id: str, *, in_turn: bool = False) -> Site:
    # By its key, which leads to the shard where the database is a distributed one.
    key = session.scalar(select(Site.key).where(Site.site_id == site_id))
    if in_turn and key is not None:  # first, as an import does, which may give the site its measure then
        take_turns(session.connection(), [key])
    site = session.scalars(select(Site).where(Site.key == key).with_for_update()).one_or_none()
    if site is None:
        raise UnknownSite(site_id)
    return site


def _set(
    session: Session, site: Site, values: Mapping[str, Any], author: Author, seen: Seen
) -> list[Difference]:
    asked = asked_for(values, seen)
    require_agreement(session, "site", site.site_id, site, asked, seen)
    changes: list[Difference] = []
    for field, after in asked.items():
        before = getattr(site, field)
        if before != after:
            changes.append((field, before, after))
            setattr(site, field, after)
    site.fold_again()
    record(session, author, "site", site.site_id, changes)
    if any(field in GROUPED_BY for field, *_ in changes):
        regrouped(session.connection())
    return changes


def _wrong_texts(wanted: SiteChange) -> Iterator[tuple[str, list[str]]]:
    if not wanted.site_name.strip():
        yield "site_name", ["Must not be empty."]
    elif problem := _problem(wanted.site_name, "site_name", SITE_NAME_LENGTH):
        yield "site_name", [problem]
    for name, longest in (("group", GROUP_LENGTH), ("source", SOURCE_LENGTH)):
        if problem := _problem(getattr(wanted, name), name, longest):
            yield name, [problem]


def _problem(text: str, name: str, longest: int) -> str | None:
    try:
        fields.short_text(text, name, longest)
    except fields.FieldError as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}."
    return None
