"""Dates and times as files write them: ``iso``, ``unix``, or strptime's directives.

The standard library's own ``strptime`` is not used: it knows no ``24:00`` and no fraction of more than six
digits, asks the locale for names of months, and needs twice the time.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from .. import fields

DAY = timedelta(days=1)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july",
           "august", "september", "october", "november", "december")  # fmt: skip
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_OFFSET = re.compile(r"Z|([+-])([0-9]{2}):?([0-9]{2})")
_UTC = re.compile(r"UTC|GMT|Z", re.IGNORECASE)
_HALF = re.compile(r"[AP]M", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
_SPACE = re.compile(r"\s+")
_DIGITS = {
    1: re.compile(r"[0-9]"),
    2: re.compile(r"[0-9]{1,2}"),
    3: re.compile(r"[0-9]{1,3}"),
    4: re.compile(r"[0-9]{4}"),
    9: re.compile(r"[0-9]{1,9}"),
}
_TWO = re.compile(r"[0-9]{2}")
_SECONDS = re.compile(r"(-?[0-9]{1,11})(?:\.([0-9]+))?")
_MIDNIGHT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]24:00(?::00(?:\.0+)?)?(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
_WHOLES = {"c": "%a %b %d %H:%M:%S %Y", "x": "%m/%d/%y", "X": "%H:%M:%S"}
"""Directives that stand for others."""
_PATTERNS = {
    "Y": _DIGITS[4], "y": _TWO, "m": _DIGITS[2], "d": _DIGITS[2], "j": _DIGITS[3], "H": _DIGITS[2],
    "I": _DIGITS[2], "M": _DIGITS[2], "S": _DIGITS[2], "f": _DIGITS[9], "w": _DIGITS[1],
    "b": _WORD, "B": _WORD, "a": _WORD, "A": _WORD, "p": _HALF, "z": _OFFSET, "Z": _UTC,
}  # fmt: skip


class StampError(ValueError):
    """A format that cannot be one."""


class Stamp(NamedTuple):
    """What a text says: a day; the time since its midnight on the clock's face, None for a date alone;
    the offset from UTC where it names one."""

    day: date
    clock: timedelta | None
    offset: timedelta | None = None


Read = Callable[[str], Stamp | None]
"""From a text to what it says; None where it is not written so."""
Step = tuple[str, str]
"""A directive and nothing, or no directive and the text that must stand there."""


def check_format(text: str) -> None:
    """Raises StampError for what is no format of a date."""
    if text not in _NAMED:
        _steps(text)


@lru_cache(maxsize=10_000)  # a proposal tries some thousands
def reader(text: str) -> Read:
    """How to read a format."""
    if text in _NAMED:
        return _NAMED[text]
    steps = _steps(text)
    return lambda written: _scan(steps, written)


def parse_offset(found: re.Match[str]) -> timedelta:
    """An offset of sign, hours and minutes; without a sign, none."""
    sign, hours, minutes = found.groups()
    size = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -size if sign in ("-", "\u2212") else size


def _iso(text: str) -> Stamp | None:
    with suppress(ValueError):
        if fields.INSTANT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return Stamp(moment.date(), since_midnight(moment), moment.utcoffset())
        if fields.DATE.fullmatch(text):
            return Stamp(date.fromisoformat(text), None)
        if midnight := _MIDNIGHT.fullmatch(text):
            offset = datetime.fromisoformat(f"{midnight[1]}T00:00{midnight[2] or ''}").utcoffset()
            return Stamp(date.fromisoformat(midnight[1]), DAY, offset)
    return None


def _unix(text: str) -> Stamp | None:
    found = _SECONDS.fullmatch(text)
    if not found:
        return None
    with suppress(OverflowError):
        micros = int((found[2] or "")[:6].ljust(6, "0"))
        passed = timedelta(seconds=int(found[1]), microseconds=-micros if text[0] == "-" else micros)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + passed
        return Stamp(moment.date(), since_midnight(moment), timedelta(0))
    return None


_NAMED: dict[str, Read] = {"iso": _iso, "unix": _unix}


def since_midnight(moment: datetime | time) -> timedelta:
    """The time of day as a clock shows it."""
    return timedelta(
        hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond
    )


def _steps(text: str) -> list[Step]:
    """The parts of a format. Raises StampError."""
    steps = list(_parts(text))
    directives = [directive for directive, _ in steps if directive]
    has = set(directives)
    if len(directives) != len(has) or {"m", "b", "B"} <= has:
        raise StampError("A directive stands there twice.")
    if not has & {"Y", "y"} or not ("j" in has or ("d" in has and has & {"m", "b", "B"})):
        raise StampError("Neither iso nor unix, and it has no day, month and year, such as %d/%m/%Y.")
    if ("I" in has) != ("p" in has):
        raise StampError("%I and %p go together.")
    if not has & {"H", "I"} and has & {"M", "S", "f"}:
        raise StampError("It has minutes, seconds or a fraction, but no hours.")
    return steps


def _parts(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        directive = text[at + 1 : at + 2]
        if text[at] == "%" and directive in _WHOLES and directive:
            yield from _parts(_WHOLES[directive])
            at += 2
        elif text[at] == "%" and directive != "%":
            if directive not in _PATTERNS:
                raise StampError(f"%{directive} is no directive that is known here.")
            yield directive, ""
            at += 2
        elif space := _SPACE.match(text, at):
            yield "", " "
            at = space.end()
        else:
            yield "", text[at].casefold()
            at += 2 if text[at] == "%" else 1


def _scan(steps: list[Step], text: str) -> Stamp | None:
    found: dict[str, re.Match[str]] = {}
    at = 0
    for directive, literal in steps:
        if directive:
            match = _PATTERNS[directive].match(text, at)
            if not match:
                return None
            found[directive], at = match, match.end()
        elif literal == " ":
            space = _SPACE.match(text, at)
            if not space:
                return None
            at = space.end()
        elif text[at : at + 1].casefold() == literal:
            at += 1
        else:
            return None
    return _stamp(found) if at == len(text) else None


def _stamp(found: Mapping[str, re.Match[str]]) -> Stamp | None:
    for each in ("a", "A"):
        if each in found and not _is_name(found[each][0], _WEEKDAYS):
            return None
    day, clock = _day(found), _clock(found)
    if day is None or (clock is None and ("H" in found or "I" in found)):
        return None
    offset = parse_offset(found["z"]) if "z" in found else timedelta(0) if "Z" in found else None
    return Stamp(day, clock, offset)


def _day(found: Mapping[str, re.Match[str]]) -> date | None:
    year = _number(found, "Y")
    if "y" in found:
        short = _number(found, "y")
        year = short + (2000 if short <= 68 else 1900)  # as POSIX has it
    try:
        if "j" in found:
            day = date(year, 1, 1) + timedelta(days=_number(found, "j") - 1)
            return day if day.year == year and _number(found, "j") else None
        return date(year, _month(found), _number(found, "d"))
    except (ValueError, OverflowError):
        return None


def _month(found: Mapping[str, re.Match[str]]) -> int:
    name = found.get("b") or found.get("B")
    if name is None:
        return _number(found, "m")
    word = name[0].casefold()
    return next((at for at, month in enumerate(_MONTHS, start=1) if word in (month, month[:3])), 0)


def _is_name(word: str, names: Sequence[str]) -> bool:
    return any(word.casefold() in (name, name[:3]) for name in names)


def _clock(found: Mapping[str, re.Match[str]]) -> timedelta | None:
    """The time of day, 24:00 included; None where there is none, or no such time."""
    hour = _number(found, "H")
    if "I" in found:
        twelfth = _number(found, "I")
        if not 1 <= twelfth <= 12:
            return None
        hour = twelfth % 12 + (12 if found["p"][0].upper() == "PM" else 0)
    elif "H" not in found:
        return None
    minute, second = _number(found, "M"), _number(found, "S")
    micros = int(found["f"][0].ljust(6, "0")[:6]) if "f" in found else 0
    clock = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)
    return clock if minute < 60 and second < 60 and (hour < 24 or clock == DAY) else None


def _number(found: Mapping[str, re.Match[str]], directive: str) -> int:
    return int(found[directive][0]) if directive in found else 0
