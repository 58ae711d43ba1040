"""Recording that the meter of a site was changed; what follows for its readings is stored at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..errors import InvalidInput
from ..models import MeterChange, Site
from ..storage.connections import write
from ..storage.marks import mark
from .classifying import classify
from .turns import take_turns

FUTURE = timedelta(hours=24)
LARGEST = Decimal("999999999999.99")
MOST = 200
"""So many of a site are recorded by hand or API: its page, charts and classification look at all."""
RECORDED = "meter_change"
"""The field of a site's history that says what was recorded."""
NO_INTERVALS = "The site sends intervals, and no register."


class UnknownMeterChange(LookupError):
    """The site has no such meter change."""


@dataclass(frozen=True)
class Change:
    """A meter change to record; what nobody wrote down is None, or an empty ``serial``."""

    changed_at: datetime
    closing: Decimal | None = None
    opening: Decimal | None = None
    serial: str = ""

    def describe(self) -> str:
        """``2026-03-01 10:00 UTC, closing 45210.33, opening 0.00, serial A1``."""
        return ", ".join([f"{self.changed_at:%Y-%m-%d %H:%M} UTC", *self._parts()])

    def _parts(self) -> Iterator[str]:
        if self.closing is not None:
            yield f"closing {self.closing:.2f}"
        if self.opening is not None:
            yield f"opening {self.opening:.2f}"
        if self.serial:
            yield f"serial {self.serial}"


def of_site(site_key: int) -> Select[MeterChange]:
    """A site's meter changes, newest first."""
    return (
        select(MeterChange)
        .where(MeterChange.site_key == site_key)
        .order_by(MeterChange.changed_at.desc(), MeterChange.id.desc())
    )


def record_change(site: Site, change: Change, *, author: Author) -> int:
    """Record a meter change, or replace the one of the same instant; returns its number.

    Raises InvalidInput for an interval site, one with :data:`MOST` changes, and an instant more than 24 hours
    ahead.
    """
    site_key, site_id = site.key, site.site_id
    if change.changed_at > author.now + FUTURE:
        why = "Must not be more than 24 hours ahead."
        raise InvalidInput("The meter change was not recorded.", {"changed_at": [why]})
    with write() as session:
        take_turns(session.connection(), [site_key])
        if session.scalar(select(Site.measure).where(Site.key == site_key)) == "interval":
            raise InvalidInput("The meter change was not recorded.", {"changed_at": [NO_INTERVALS]})
        stored = session.scalar(of_site(site_key).where(MeterChange.changed_at == change.changed_at))
        before = None
        if stored is None:
            _refuse_many(session, site_key)
            stored = MeterChange(site_key=site_key, **vars(change))
            session.add(stored)
        else:
            before = _change_of(stored)
            stored.closing, stored.opening, stored.serial = change.closing, change.opening, change.serial
        if before != change:
            _keep(session, site_id, before, change, author)
            _classify(session, site_key, author)
        session.flush()
        return stored.id


def _refuse_many(session: Session, site_key: int) -> None:
    recorded = select(func.count()).where(MeterChange.site_key == site_key)
    if (session.scalar(recorded) or 0) >= MOST:
        why = f"The site has {MOST} meter changes. Take one back first."
        raise InvalidInput("The meter change was not recorded.", {"changed_at": [why]})


def delete_change(site: Site, number: int, *, author: Author) -> None:
    """Take a meter change back. Raises UnknownMeterChange."""
    site_key, site_id = site.key, site.site_id
    with write() as session:
        take_turns(session.connection(), [site_key])
        stored = session.scalar(of_site(site_key).where(MeterChange.id == number))
        if stored is None:
            raise UnknownMeterChange(f"The site {site_id} has no meter change {number}.")
        session.delete(stored)
        _keep(session, site_id, _change_of(stored), None, author)
        _classify(session, site_key, author)


def _change_of(stored: MeterChange) -> Change:
    return Change(stored.changed_at, stored.closing, stored.opening, stored.serial)


def _keep(
    session: Session, site_id: str, before: Change | None, after: Change | None, author: Author
) -> None:
    was, becomes = (change.describe() if change else None for change in (before, after))
    record(session, author, "site", site_id, [(RECORDED, was, becomes)])


def _classify(session: Session, site_key: int, author: Author) -> None:
    session.flush()
    mark(session.connection(), [site_key])
    classify(session.connection(), [site_key], author)
