"""What the rules are asked about: an instant, the sites that are judged, and the readings that are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false

from ..models import Site


@dataclass(frozen=True)
class Moment:
    """The one instant at which a run looks at the fleet, and the schedule's zone for calendar dates.

    ``only`` narrows the question to one site, by its key, and ``among`` to some of the sites. A register may
    fall by ``fall_tolerance`` kWh.
    """

    as_of: datetime
    zone: ZoneInfo
    only: int | None = None
    among: ColumnElement[bool] | None = None
    fall_tolerance: Decimal = Decimal("1.00")

    def ago(self, days: int) -> datetime:
        """The instant so many days of 24 hours before."""
        return self.as_of - timedelta(days=days)

    def date_ago(self, days: int) -> date:
        """The local date at that instant."""
        return self.ago(days).astimezone(self.zone).date()

    def sites_to_check(self) -> ColumnElement[bool]:
        """Which sites get a verdict: those that are active and not snoozed."""
        # Not as an equation: PostgreSQL would skip through an index that has ``active`` in it, and sort.
        judged = and_(Site.active.is_not(false()), Site.awake_at(self.as_of))
        if self.among is not None:
            judged = and_(judged, self.among)
        return judged if self.only is None else and_(judged, Site.key == self.only)

    def known(self, of: Any) -> Sequence[ColumnElement[bool]]:  # noqa: ARG002 (of those that ask)
        """What has to hold of a reading (``Reading`` or an alias of it) for the rule to know it.

        Nothing: a run knows all that is stored. Each part of a rule's statement that reads readings asks.
        """
        return ()
