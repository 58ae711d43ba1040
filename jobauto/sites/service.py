"""Changing a site: its name, group, dates, and a snooze. Every change is kept with who and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..audit.service import Author, Difference, record
from ..errors import InvalidInput
from ..imports import fields
from ..models import Site
from ..models.site import GROUP_LENGTH, SITE_NAME_LENGTH, SNOOZE_REASON_LENGTH
from ..storage.connections import write

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


def edit(site_id: str, wanted: SiteChange, *, author: Author) -> None:
    """Change a site. Raises UnknownSite and InvalidInput."""
    wrong = dict(_wrong_texts(wanted))
    if wrong:
        raise InvalidInput("The site was not changed.", wrong)
    with write() as session:
        _set(session, _locked(session, site_id), vars(wanted), author)


def snooze(site_id: str, last_day: date, reason: str, zone: ZoneInfo, *, author: Author) -> None:
    """Do not judge a site through a local date; its jobs stay as they are. Ends by itself.

    Raises UnknownSite, and InvalidInput without a reason, or for a day that is past or over a year away.
    """
    until = datetime.combine(last_day + timedelta(days=1), time(), tzinfo=zone)
    wrong: dict[str, list[str]] = {}
    if not author.now < until <= author.now + LONGEST_SNOOZE:
        wrong["last_day"] = ["Must be today or later, and within a year."]
    if not 1 <= len(reason.strip()) <= SNOOZE_REASON_LENGTH:
        wrong["reason"] = [f"Must have 1 to {SNOOZE_REASON_LENGTH} characters."]
    elif problem := _problem(reason.strip(), "reason", SNOOZE_REASON_LENGTH):
        wrong["reason"] = [problem]
    if wrong:
        raise InvalidInput("The site was not snoozed.", wrong)
    with write() as session:
        _set(
            session,
            _locked(session, site_id),
            {"snoozed_until": until, "snooze_reason": reason.strip()},
            author,
        )


def wake(site_id: str, *, author: Author) -> None:
    """End a snooze early. Raises UnknownSite."""
    with write() as session:
        _set(session, _locked(session, site_id), {"snoozed_until": None, "snooze_reason": ""}, author)


def _locked(session: Session, site_id: str) -> Site:
    # By its key, which leads to the shard where the database is a distributed one.
    key = session.scalar(select(Site.key).where(Site.site_id == site_id))
    site = session.scalars(select(Site).where(Site.key == key).with_for_update()).one_or_none()
    if site is None:
        raise UnknownSite(site_id)
    return site


def _set(session: Session, site: Site, values: dict[str, Any], author: Author) -> None:
    changes: list[Difference] = []
    for field, after in values.items():
        before = getattr(site, field)
        if before != after:
            changes.append((field, before, after))
            setattr(site, field, after)
    site.fold_again()
    record(session, author, "site", site.site_id, changes)


def _wrong_texts(wanted: SiteChange) -> Iterator[tuple[str, list[str]]]:
    if not wanted.site_name.strip():
        yield "site_name", ["Must not be empty."]
    elif problem := _problem(wanted.site_name, "site_name", SITE_NAME_LENGTH):
        yield "site_name", [problem]
    if problem := _problem(wanted.group, "group", GROUP_LENGTH):
        yield "group", [problem]


def _problem(text: str, name: str, longest: int) -> str | None:
    try:
        fields.short_text(text, name, longest)
    except fields.FieldError as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}."
    return None
