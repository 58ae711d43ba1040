"""Dates and times as files write them: ``iso``, ``unix``, or strptime's directives.

The standard library's own ``strptime`` is not used: it knows no ``24:00`` and no fraction of more than six
digits, asks the locale for names of months, and needs twice the time.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from .. import fields

DAY = timedelta(days=1)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july",
           "august", "september", "october", "november", "december")  # fmt: skip
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_OFFSET = re.compile(r"Z|([+-])([0-9]{2}):?([0-9]{2})")
_SPACE = re.compile(r"\s+")
_SECONDS = re.compile(r"(-?[0-9]{1,11})(?:\.([0-9]+))?")
_MIDNIGHT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]24:00(?::00(?:\.0+)?)?(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
_WHOLES = {"c": "%a %b %d %H:%M:%S %Y", "x": "%m/%d/%y", "X": "%H:%M:%S"}
"""Directives that stand for others."""
_UP_TO_TWO, _WORD = "[0-9]{1,2}+", "[A-Za-z]++"
_PATTERNS = {
    "Y": "[0-9]{4}", "y": "[0-9]{2}", "m": _UP_TO_TWO, "d": _UP_TO_TWO, "j": "[0-9]{1,3}+", "H": _UP_TO_TWO,
    "I": _UP_TO_TWO, "M": _UP_TO_TWO, "S": _UP_TO_TWO, "f": "[0-9]{1,9}+", "w": "[0-9]", "b": _WORD,
    "B": _WORD, "a": _WORD, "A": _WORD, "p": "(?i:[AP]M)", "z": "Z|[+-][0-9]{2}:?[0-9]{2}",
    "Z": "(?i:UTC|GMT|Z)",
}  # fmt: skip
"""What each takes, as much of it as there is: never less, so that what follows fits."""


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


@cache
def reader(text: str) -> Read:
    """How to read a format."""
    if text in _NAMED:
        return _NAMED[text]
    pattern = re.compile("".join(_pattern(*step) for step in _steps(text)))

    def read(written: str) -> Stamp | None:
        found = pattern.fullmatch(written)
        return _stamp(found.groupdict()) if found else None

    return read


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


def _pattern(directive: str, literal: str) -> str:
    if directive:
        return f"(?P<{directive}>{_PATTERNS[directive]})"
    return r"\s++" if literal == " " else f"(?i:{re.escape(literal)})"


def _stamp(found: Mapping[str, str]) -> Stamp | None:
    for each in ("a", "A"):
        if each in found and not _is_name(found[each], _WEEKDAYS):
            return None
    if (day := _day(found)) is None:
        return None
    clock = _clock(found)
    if clock is None and ("H" in found or "I" in found):
        return None
    return Stamp(day, clock, _offset(found))


def _offset(found: Mapping[str, str]) -> timedelta | None:
    if "z" in found:
        written = _OFFSET.fullmatch(found["z"])
        return parse_offset(written) if written else None
    return timedelta(0) if "Z" in found else None


def _day(found: Mapping[str, str]) -> date | None:
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


def _month(found: Mapping[str, str]) -> int:
    name = found.get("b") or found.get("B")
    if name is None:
        return _number(found, "m")
    word = name.casefold()
    return next((at for at, month in enumerate(_MONTHS, start=1) if word in (month, month[:3])), 0)


def _is_name(word: str, names: Sequence[str]) -> bool:
    return any(word.casefold() in (name, name[:3]) for name in names)


def _clock(found: Mapping[str, str]) -> timedelta | None:
    """The time of day, 24:00 included; None where there is none, or no such time."""
    hour = _number(found, "H")
    if "I" in found:
        twelfth = _number(found, "I")
        if not 1 <= twelfth <= 12:
            return None
        hour = twelfth % 12 + (12 if found["p"].upper() == "PM" else 0)
    elif "H" not in found:
        return None
    minute, second = _number(found, "M"), _number(found, "S")
    micros = int(found["f"].ljust(6, "0")[:6]) if "f" in found else 0
    clock = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)
    return clock if minute < 60 and second < 60 and (hour < 24 or clock == DAY) else None


def _number(found: Mapping[str, str], directive: str) -> int:
    return int(found[directive]) if directive in found else 0
