"""A year of a site as squares, a day each: what is drawn, and the same in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from math import ceil
from zoneinfo import ZoneInfo

from ..models import Job
from ..wording import pluralize
from .days import DAY, GAP, Day
from .thinning import day_of
from .year import YearOfDays
from .years import Year

SHADES = 5
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WORDS = {
    "silent": "no reading",
    "flat": "no increase",
    "doubt": "readings in doubt",
    "unknown": "yield unknown: no reading that counts on the day before",
    "aside": "no reading that counts",
}
"""The kinds of days without a yield; ``yield`` and ``blank`` (nothing to tell of) need no word."""


@dataclass(frozen=True)
class Square:
    """A day: its ``kind`` is ``yield`` (with a ``shade`` of 1 to ``SHADES``), ``blank`` or one of ``WORDS``.

    ``jobs`` are those that were opened on it, ``covered_by`` the numbers of those of incidents that covered
    the site.
    """

    day: date
    kind: str
    shade: int = 0
    kwh: Decimal | None = None
    readings: int = 0
    snoozed: bool = False
    jobs: tuple[Job, ...] = ()
    covered_by: tuple[int, ...] = ()

    def note(self) -> str:
        """What there is to say beside the yield: ``No increase; covered by job 46; job 47 opened``."""
        said = [WORDS[self.kind]] if self.kind in WORDS else []
        said += ["snoozed"] * self.snoozed
        said += [f"covered by job {number}" for number in self.covered_by]
        said += [f"job {job.id} opened" for job in self.jobs]
        text = "; ".join(said)
        return f"{text[:1].upper()}{text[1:]}"

    def title(self) -> str:
        """``2026-11-26: 12.30 kWh; job 47 opened``."""
        made = [] if self.kwh is None else [f"{self.kwh:,.2f} kWh"]
        note = [self.note()] if self.note() else []
        return f"{self.day}: {'; '.join([*made, *note]) or 'nothing to tell'}"


@dataclass(frozen=True)
class Month:
    """The squares of a month; ``name`` is short."""

    name: str
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Calendar:
    """A year: its months, the days that have something to tell, newest first, and a sentence about all."""

    year: int
    months: list[Month]
    told: list[Square]
    summary: str


def calendar(
    sent: YearOfDays,
    now: datetime,
    zone: ZoneInfo,
    *,
    snoozes: Sequence[tuple[datetime, datetime]] = (),
    jobs: Sequence[Job] = (),
    covers: Sequence[tuple[int, datetime, datetime]] = (),
    made: Year | None = None,
) -> Calendar:
    """Every day of a year, from what was sent on it, when the site was snoozed and when jobs were opened.

    ``covers`` are jobs of incidents with since and until when they covered the site, ``made`` what the site
    has made in the year, which is more than its days tell one by one.
    """
    opened: dict[date, list[Job]] = {}
    for job in jobs:
        opened.setdefault(job.created_at.astimezone(zone).date(), []).append(job)
    asleep = {day for since, until in snoozes for day in _days(sent.year, since, until, zone)}
    covered: dict[date, list[int]] = {}
    for number, since, until in covers:
        for day in _days(sent.year, since, until, zone):
            covered.setdefault(day, []).append(number)
    most = max((day.value for day in sent.yields.values() if day.value is not None), default=Decimal(0))
    known = {day: _kind(day, sent, now, zone) for day in _all_days(sent.year)}
    squares = {
        day: replace(
            _square(day, kind, sent, most),
            snoozed=day in asleep,
            jobs=tuple(opened.get(day, ())),
            covered_by=tuple(covered.get(day, ())),
        )
        for day, kind in known.items()
    }
    months = [
        Month(name, tuple(square for day, square in squares.items() if day.month == number))
        for number, name in enumerate(MONTHS, start=1)
    ]
    told = [square for square in squares.values() if square.kind != "blank" or square.note()]
    return Calendar(sent.year, months, told[::-1], _summary(sent.year, squares, made))


def _all_days(year: int) -> Iterator[date]:
    return _all_between(date(year, 1, 1), date(year, 12, 31))


def _days(year: int, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The local days of a year of which some part lies in a time that ends before ``until``."""
    first, last = since.astimezone(zone).date(), day_of(until, zone)
    return _all_between(max(first, date(year, 1, 1)), min(last, date(year, 12, 31)))


def _all_between(first: date, last: date) -> Iterator[date]:
    return (first + DAY * number for number in range((last - first).days + 1))


def _kind(day: date, sent: YearOfDays, now: datetime, zone: ZoneInfo) -> str:
    if (of_day := sent.sent.get(day)) is None:
        return "silent" if _is_silent(day, sent, now, zone) else "blank"
    if of_day.in_doubt:
        return "doubt"
    if not of_day.counts:
        return "aside"
    made = sent.yields.get(day)
    if made is None or made.value is None:
        return "unknown" if day > day_of(sent.first, zone) else "blank"
    return "yield" if made.value > 0 else "flat"


def _is_silent(day: date, sent: YearOfDays, now: datetime, zone: ZoneInfo) -> bool:
    """A day between readings; after the last one only in a silence, for a reading may be on its way."""
    first, last = day_of(sent.first, zone), day_of(sent.last, zone)
    if day > last:
        return now - sent.last > GAP and day <= day_of(now, zone)
    return day > first


def _square(day: date, kind: str, sent: YearOfDays, most: Decimal) -> Square:
    made = sent.yields.get(day, Day(day, "unknown")).value
    shade = ceil(made / most * SHADES) if kind == "yield" and made else 0
    number = sent.sent[day].readings if day in sent.sent else 0
    return Square(day, kind, shade, made if kind in ("yield", "flat") else None, number)


def _summary(year: int, squares: Mapping[date, Square], made: Year | None) -> str:
    kinds = [square.kind for square in squares.values()]
    by_day = sum((square.kwh for square in squares.values() if square.kwh), Decimal(0))
    said = [f"{pluralize(kinds.count('yield'), 'day')} with a yield, {by_day:,.2f} kWh"]
    if made is not None and (made.kwh != by_day or made.is_least):
        least = "at least " * made.is_least
        said[0] = f"{least}{made.kwh:,.2f} kWh from its first reading to its last; day by day {said[0]}"
    for kind, words in (
        ("flat", "without increase"),
        ("silent", "without a reading"),
        ("doubt", "in doubt"),
    ):
        if number := kinds.count(kind):
            said.append(f"{pluralize(number, 'day')} {words}")
    if number := sum(square.snoozed for square in squares.values()):
        said.append(f"{pluralize(number, 'day')} snoozed")
    if number := sum(bool(square.covered_by) for square in squares.values()):
        said.append(f"{pluralize(number, 'day')} covered by an incident")
    if number := sum(len(square.jobs) for square in squares.values()):
        said.append(f"{pluralize(number, 'job')} opened")
    return f"{year}: {'; '.join(said)}."
