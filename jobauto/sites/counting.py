"""Which readings count for what a site has made, and how."""

from decimal import Decimal

from sqlalchemy import literal_column

from ..models import Reading, Site
from ..models.quality import Quality

COUNTS = Reading.quality <= literal_column(str(int(Quality.GOOD)))
"""The good ones. It is the lowest quality: an equation would have PostgreSQL believe that few are good, and
sort instead of seek."""


def turned(site: Site, kwh: Decimal) -> Decimal:
    """The register of a site; of one that counts down turned round, so that it rises with what is made."""
    return -kwh if site.counts == "down" else kwh
