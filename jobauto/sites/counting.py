"""Which readings count for what a site has made, and of which meter they are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import literal_column, select

from ..extensions import db
from ..models import MeterChange, Reading, Site
from ..models.quality import Quality
from .days import Meters

COUNTS = Reading.quality <= literal_column(str(int(Quality.GOOD)))
"""The good ones. It is the lowest quality: an equation would have PostgreSQL believe that few are good, and
sort instead of seek."""


@dataclass(frozen=True)
class Stand:
    """What a meter showed: a reading that counts."""

    reading_date: datetime
    reading_value: Decimal
    meter: int
    quality: int = Quality.GOOD


def meters_of(sites: Collection[Site]) -> dict[int, Meters]:
    """How the registers of a few sites are to be understood, by key."""
    changes: dict[int, list[MeterChange]] = {site.key: [] for site in sites}
    of_sites = select(MeterChange).where(MeterChange.site_key.in_(changes)).order_by(MeterChange.changed_at)
    for change in db.session.scalars(of_sites):
        changes[change.site_key].append(change)
    return {site.key: Meters(site.counts == "down", changes[site.key]) for site in sites}
