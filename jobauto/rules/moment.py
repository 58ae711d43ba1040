"""What the rules are asked about: an instant, and the sites that are judged."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_

from ..models import Site


@dataclass(frozen=True)
class Moment:
    """The one instant at which a run looks at the fleet, and the schedule's zone for calendar dates.

    ``only`` narrows the question to one site, by its key, and ``among`` to some of the sites.
    """

    as_of: datetime
    zone: ZoneInfo
    only: int | None = None
    among: ColumnElement[bool] | None = None

    def ago(self, days: int) -> datetime:
        """The instant so many days of 24 hours before."""
        return self.as_of - timedelta(days=days)

    def date_ago(self, days: int) -> date:
        """The local date at that instant."""
        return self.ago(days).astimezone(self.zone).date()

    def sites_to_check(self) -> ColumnElement[bool]:
        """Which sites get a verdict: those that are active and not snoozed."""
        judged = and_(Site.active, Site.awake_at(self.as_of))
        if self.among is not None:
            judged = and_(judged, self.among)
        return judged if self.only is None else and_(judged, Site.key == self.only)
