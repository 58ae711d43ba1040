"""The demo fleet: 200 rooftop sites over 60 days, always the same for the same last day. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random

SITES = 200
DAYS = 60
HISTORY = 28
"""So many days back the daily check has run."""

MEAN_KWH = (1.06, 1.75, 2.65, 3.65, 3.85, 3.9, 3.75, 3.3, 2.75, 1.85, 1.15, 0.94)
"""kWh a day per kWp, by month, of a roof in the United Kingdom (after PVGIS)."""

TOWNS = (
    "Taunton",
    "Exeter",
    "Bristol",
    "Swindon",
    "Reading",
    "Norwich",
    "Leeds",
    "Carlisle",
    "Perth",
    "Inverness",
)
STREETS = (
    "Orchard Close",
    "Mill Lane",
    "Station Road",
    "Church View",
    "Meadow Way",
    "High Street",
    "Quarry Hill",
)
STEP_HOURS = 6
GATEWAY_DOWN, DOWN_SINCE = 8, 5
"""The town whose gateway is down, and since how many days."""
ZERO, EXCHANGED, LEAP = 16, 46, 71
"""With readings in doubt: a 0.00 between others, a new meter that nobody told of, a point that slipped."""
ZERO_SINCE, EXCHANGED_SINCE, LEAP_SINCE = 4.5, 9, 0.5
"""Since how many days; the zero came alone."""


@dataclass(frozen=True)
class Fault:
    """A time of silence or of a standing register: from so many days ago until so many (None: still)."""

    kind: str
    began: int
    ended: int | None

    def lasts(self, days_ago: float) -> bool:
        """Whether the fault holds at that time."""
        return self.began >= days_ago > (-1 if self.ended is None else self.ended)


@dataclass(frozen=True)
class DemoSite:
    """A roof: its size, how much of the sun it sees, since when it reports (days ago), and its faults."""

    number: int
    town: int
    kwp: float
    aspect: float
    start: float
    reports_since: int | None
    faults: tuple[Fault, ...]

    @property
    def site_id(self) -> str:
        """``DEMO-0042``."""
        return f"DEMO-{self.number:04}"

    @property
    def site_name(self) -> str:
        """An address."""
        return f"{self.number % 97 + 1} {STREETS[self.number % len(STREETS)]}, {TOWNS[self.town]}"

    @property
    def group(self) -> str:
        """The town."""
        return TOWNS[self.town]

    @property
    def source(self) -> str:
        """The gateway of the town."""
        return f"gw-{TOWNS[self.town].lower()}"


def sites() -> list[DemoSite]:
    """The fleet."""
    random = Random(20)  # noqa: S311 (reproducible, not secret)
    found = [
        DemoSite(
            number=number,
            town=random.randrange(len(TOWNS)),
            kwp=random.choice((2.2, 2.9, 3.6, 3.9, 4.0, 5.2, 8.4)),
            aspect=random.uniform(0.75, 1.05),
            start=random.uniform(400, 38_000),
            reports_since=_reports_since(number),
            faults=_faults(number, random),
        )
        for number in range(1, SITES + 1)
    ]
    return [_behind_its_gateway(site) for site in found]


def _behind_its_gateway(site: DemoSite) -> DemoSite:
    if site.town != GATEWAY_DOWN:
        return site
    ended = 1 if site.number % 4 == 0 else None  # a few have been heard of since
    return replace(site, faults=(*site.faults, Fault("silent", DOWN_SINCE, ended)))


def _reports_since(number: int) -> int | None:
    if number % 67 == 0:
        return None  # fitted, but never heard of
    return 1 + number % 3 if number % 41 == 0 else DAYS  # a few are new


def _faults(number: int, random: Random) -> tuple[Fault, ...]:
    if number % 17 == 5:  # one that still holds, found some time in the past weeks
        return (Fault("silent", random.choice((2, 3, 3, 4, 5, 6, 8, 9, 14, 26)), None),)
    if number % 19 == 7:
        return (Fault("flat", random.choice((3, 4, 4, 5, 6, 7, 9, 12, 21)), None),)
    if number % 7 == 3:  # one that was found and has ended
        began = random.randrange(9, HISTORY + 3)
        return (Fault(random.choice(("silent", "flat")), began, began - random.randrange(5, 9)),)
    return ()


def register(site: DemoSite, last: datetime) -> Iterator[tuple[datetime, str]]:
    """The site's readings, every six hours up to ``last``: (instant, register in kWh)."""
    if site.reports_since is None:
        return
    value, step, taken_off = site.start, timedelta(hours=STEP_HOURS), 0.0
    for back in range(site.reports_since * 24 // STEP_HOURS, -1, -1):
        at, days_ago = last - back * step, back * STEP_HOURS / 24
        holding = [fault.kind for fault in site.faults if fault.lasts(days_ago)]
        if "flat" not in holding:
            value += _generated(site, at)
        if (site.number, days_ago) == (EXCHANGED, EXCHANGED_SINCE):
            taken_off = value
        if "silent" not in holding:
            yield at, f"{_as_read(site, days_ago, value - taken_off):.2f}"


def _as_read(site: DemoSite, days_ago: float, value: float) -> float:
    if (site.number, days_ago) == (ZERO, ZERO_SINCE):
        return 0
    return value * 10 if site.number == LEAP and days_ago <= LEAP_SINCE else value


def _generated(site: DemoSite, at: datetime) -> float:
    """kWh in the six hours before an instant: season, length of the day, weather of the town."""
    midday = at - timedelta(hours=STEP_HOURS / 2)
    sun = max(0.0, math.sin((midday.hour + midday.minute / 60 - 6) / 12 * math.pi))
    return (
        site.kwp * site.aspect * MEAN_KWH[midday.month - 1] * _weather(site.town, midday.date()) * sun / 1.42
    )


@cache
def _weather(town: int, day: date) -> float:
    """From a dull day (0.2) to a bright one (1.8); towns share most of it."""
    return 0.2 + 1.1 * Random(day.toordinal()).random() + 0.5 * Random(day.toordinal() * 100 + town).random()  # noqa: S311


def last_reading(day: date) -> datetime:
    """The newest reading that the fleet has sent: that day's midnight, in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
