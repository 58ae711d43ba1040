"""How the dates of a column may be written: every way that reads all of them, none guessed among several.

A way is a date's order with its sign between, and the formats of it that are met: some cells of a column may
have a time of day and others none.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from ..profiles.stamps import Stamp, reader

MOST = 400
"""So many different texts of a column are looked at."""
ENOUGH = 0.9
"""A column of dates may have some other texts, such as a total's."""
EARLIEST = date(2000, 1, 1)

_ORDERS = {
    "day first": ("%d{0}%m{0}%Y", "%d{0}%m{0}%y"),
    "month first": ("%m{0}%d{0}%Y", "%m{0}%d{0}%y"),
    "year first": ("%Y{0}%m{0}%d", "%y{0}%m{0}%d"),
    "named month": ("%d{0}%b{0}%Y", "%d{0}%b{0}%y", "%b{0}%d{0}%Y"),
}
_SIGNS = ("/", "-", ".", " ")
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d %H:%M", "%Y%m%d %H%M", "%Y%m%d%H%M%S%z")
_COMMAS = ("%b %d, %Y", "%B %d, %Y")
_CLOCKS = (
    "",
    "{0}%H:%M",
    "{0}%H:%M:%S",
    "{0}%H:%M:%S.%f",
    "{0}%I:%M %p",
    "{0}%I:%M:%S %p",
    "{0}%I:%M%p",
    "{0}%H.%M",
    "{0}%H%M",
)
_OFFSETS = ("", " %z", "%z", " %Z")


class Way(NamedTuple):
    """A way in which all dates can be read: its formats, and what the first of the texts means by it."""

    formats: tuple[str, ...]
    order: str
    days: dict[str, date]
    has_clock: bool
    has_offset: bool
    all_have_clock: bool


def ways_of(texts: Sequence[str], today: date, *, may_be_numbers: bool) -> list[Way]:
    """All ways to read the dates of a column. ``may_be_numbers``: also those that are digits alone.

    Of several, those are left out by which a reading would come from the future or from before 2000.
    """
    distinct = list(dict.fromkeys(text for text in texts if text))[:MOST]
    if not distinct:
        return []
    found = _best(way for way in _ways(distinct, may_be_numbers) if way)
    likely = [
        way for way in found if all(EARLIEST <= day <= today + timedelta(days=1) for day in way.days.values())
    ]
    return _unlike(likely or found)


def _best(ways: Iterator[Way]) -> list[Way]:
    every = list(ways)
    most = max((len(way.days) for way in every), default=0)
    return [way for way in every if len(way.days) == most]


def _unlike(ways: list[Way]) -> list[Way]:
    """Of ways that mean the same the first; the program's own form before any other."""
    kept: list[Way] = []
    for way in ways:
        if all(way.days != other.days for other in kept):
            kept.append(way)
    return kept


def _ways(texts: Sequence[str], may_be_numbers: bool) -> Iterator[Way | None]:
    yield _way(texts, ("iso",), "iso")
    if may_be_numbers:
        for each in _COMPACT:
            yield _way(texts, (each,), "year first")
        if all(text.partition(".")[0].isdigit() and 9 <= len(text.partition(".")[0]) <= 10 for text in texts):
            yield _way(texts, ("unix",), "unix")
    for order, dates in _ORDERS.items():
        for each in dates:
            for sign in _SIGNS:
                if sign in texts[0]:
                    yield _way(texts, _with_clocks(each.format(sign)), order)
    for each in _COMMAS:
        if "," in texts[0]:
            yield _way(texts, _with_clocks(each), "named month")


@cache
def _with_clocks(day: str) -> tuple[str, ...]:
    joints = (" ", "T", ", ") if not day.endswith(" ") else (" ",)
    clocks = dict.fromkeys(clock.format(joint) for joint in joints for clock in _CLOCKS)
    return tuple(f"{day}{clock}{offset}" for clock in clocks for offset in (_OFFSETS if clock else ("",)))


def _way(texts: Sequence[str], formats: tuple[str, ...], order: str) -> Way | None:
    used: dict[str, None] = {}
    stamps: dict[str, Stamp] = {}
    wrong = 0
    for text in texts:
        # A format that has read one text is tried first for the next: nearly all are written alike.
        fitting = next(((each, stamp) for each in (*used, *formats) if (stamp := reader(each)(text))), None)
        if fitting is None:
            wrong += 1
            if wrong > len(texts) * (1 - ENOUGH):
                return None
            continue
        used[fitting[0]] = None
        stamps[text] = fitting[1]
    if not stamps:
        return None
    return Way(
        tuple(used),
        order,
        {text: stamp.day for text, stamp in stamps.items()},
        any(stamp.clock is not None for stamp in stamps.values()),
        any(stamp.offset is not None for stamp in stamps.values()),
        all(stamp.clock is not None for stamp in stamps.values()),
    )


def read_any(text: str, formats: Sequence[str]) -> datetime | None:
    """A text on the clock's face, by the first format that fits; a date alone at its midnight."""
    for each in formats:
        if stamp := reader(each)(text):
            passed = (stamp.clock or timedelta(0)) - (stamp.offset or timedelta(0))
            with suppress(OverflowError):
                return datetime.combine(stamp.day, time(0)) + passed
    return None


def in_words(day: date) -> str:
    """``5 November 2026``."""
    return f"{day.day} {day:%B %Y}"
