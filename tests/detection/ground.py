"""Where rules are tried: sites and readings in one transaction that is never committed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from jobauto.models import Reading, Site
from jobauto.rules.asked import Asked
from jobauto.rules.moment import Moment
from jobauto.rules.rule import Rule

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
MOMENT = Moment(NOON, LONDON)


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a site."""

    verdict: str
    reason: str | None = None
    since: datetime | None = None
    days: int | None = None
    zero_count: int | None = None
    value: Decimal | None = None


OK = Verdict("ok")
NEW_SITE = Verdict("not_assessable", "new site")
IN_DOUBT = Verdict("not_assessable", "readings in doubt")
TOO_FEW = Verdict("not_assessable", "too few readings")


class Ground:
    """Sites with readings on a connection of their own, and what a rule says of them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.keys: list[int] = []

    def site(
        self,
        readings: Mapping[datetime, Any] | None = None,
        quality: Mapping[datetime, int] = MappingProxyType({}),
        meter: Mapping[datetime, int] = MappingProxyType({}),
        **values: Any,
    ) -> int:
        """A site with readings ``{instant: kWh}``, good ones of meter 0 unless said; returns its key."""
        number = len(self.keys) + 1
        row = {"site_id": f"S{number}", "site_name": f"Site {number}", "active": True, **values}
        key: int = self.connection.execute(insert(Site).values(row).returning(Site.key)).scalar_one()
        rows = [
            {
                "site_key": key,
                "reading_date": instant,
                "reading_value": Decimal(str(value)),
                "quality": quality.get(instant, 0),
                "meter": meter.get(instant, 0),
            }
            for instant, value in (readings or {}).items()
        ]
        if rows:
            self.connection.execute(insert(Reading), rows)
        self.keys.append(key)
        return key

    def verdicts(self, rule: Rule, settings: Any, moment: Moment = MOMENT) -> dict[int, Verdict]:
        """What the rule says of every site that it judges and that is not ok, by the site's key."""
        return said(self.connection, rule, Asked([settings]), moment)

    def verdict(self, rule: Rule, settings: Any, moment: Moment = MOMENT) -> Verdict:
        """What the rule says of the one site there is."""
        (key,) = self.keys
        return self.verdicts(rule, settings, moment).get(key, OK)


def said(connection: Connection, rule: Rule, asked: Asked[Any], moment: Moment) -> dict[int, Verdict]:
    """What a rule's statement says of every site that it judges and that is not ok, by the site's key."""
    rows = connection.execute(rule.verdicts(asked, moment)).mappings()
    return {row["site_key"]: Verdict(**{k: v for k, v in row.items() if k != "site_key"}) for row in rows}


def before(*ages: timedelta, value: Any = 1234, instant: datetime = NOON) -> dict[datetime, Any]:
    """Readings of one value, so old at an instant; a negative age lies in the future."""
    return dict.fromkeys((instant - age for age in ages), value)


def each_day(values: Iterable[Any], instant: datetime = NOON) -> dict[datetime, Any]:
    """One reading a day, oldest first, the last one at the instant."""
    newest_first = list(values)[::-1]
    return {instant - age * DAY: value for age, value in enumerate(newest_first)}
