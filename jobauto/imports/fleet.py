"""What the fleet knows of the sites that a file names."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from ..extensions import db
from ..models import Reading, Site

AT_A_TIME = 500


class Known(NamedTuple):
    """A site: its key, and what its values are, None where that is open."""

    key: int
    measure: str | None


class Last(NamedTuple):
    """A reading that is stored."""

    at: datetime
    kwh: Decimal


def sites_among(names: Collection[str]) -> dict[str, Known]:
    """Those of some names that are sites."""
    wanted = sorted(name for name in names if name.isprintable())
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), AT_A_TIME):
        some = Site.site_id.in_(wanted[start : start + AT_A_TIME])
        rows = db.session.execute(select(Site.site_id, Site.key, Site.known_measure).where(some))
        found |= {site_id: Known(key, measure) for site_id, key, measure in rows}
    return found


def last_before(site: Known, at: datetime) -> Last | None:
    """The newest reading of a site before an instant: one seek."""
    row = db.session.execute(
        select(Reading.reading_date, Reading.reading_value)
        .where(Reading.site_key == site.key, Reading.reading_date < at)
        .order_by(Reading.reading_date.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Last(*row)
