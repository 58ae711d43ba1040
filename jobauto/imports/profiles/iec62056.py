"""Read-outs of meters by IEC 62056-21, mode A to D: one or more telegrams, from ``/`` to ``!``.

``0.0.0`` is the site, ``0.9.2`` and ``0.9.1`` are the date and time of the read-out, ``1.8.0`` is the
register, unless ``keep`` names another. Values of former periods (``1.8.0*01``) are none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from .. import fields
from ..lines import FileError, physical_lines
from ..rows import Rejected
from .found import LONGEST_NAME, Found
from .stamps import reader
from .standard import Context
from .values import LONGEST

_DATA_SET = re.compile(r"(?<![0-9A-Za-z.:*&-])([0-9A-Za-z.:*&-]+)\(([^()]*)\)")
_CODE = re.compile(r"(?:[0-9]+-[0-9]+:)?([0-9A-Z]+\.[0-9]+\.[0-9]+)(?:[*&.]255)?")
_CONTROLS = dict.fromkeys(range(32))
_NO_DIGITS = re.compile(r"[^0-9]")
_STAMP = reader("%y%m%d%H%M%S")
_REGISTER = "1.8.0"
MOST_REGISTERS = 10_000
"""So many at most in one read-out, which is known as a whole only at its end."""


@dataclass
class _Telegram:
    """What a read-out says, each code with its line and text."""

    line: int
    sets: dict[str, tuple[int, str]] = field(default_factory=dict)


def readings(stream: BinaryIO, context: Context) -> Iterator[Found | Rejected]:
    """The readings of a file. Raises FileError."""
    return _found(physical_lines(stream), context)


def _found(lines: Iterable[str], context: Context) -> Iterator[Found | Rejected]:
    telegram = _Telegram(1)
    has_any = False
    for number, line in enumerate(lines, start=1):
        text = line.translate(_CONTROLS).strip()
        if text.startswith("/"):
            yield from _of(telegram, context)
            telegram = _Telegram(number)
        for code, value in _DATA_SET.findall(text):
            if (known := _CODE.fullmatch(code)) and len(code) <= LONGEST_NAME:
                has_any = True
                # What is longer than any number is none, however it goes on.
                telegram.sets.setdefault(known[1], (number, value.strip()[: LONGEST + 1]))
                if len(telegram.sets) > MOST_REGISTERS:
                    raise FileError(f"A read-out has more than {MOST_REGISTERS:,} registers.")
        if text.startswith("!"):
            yield from _of(telegram, context)
            telegram = _Telegram(number + 1)
    yield from _of(telegram, context)
    if not has_any:
        raise FileError("The file holds no read-out of IEC 62056-21, such as 1.8.0(001234.5*kWh).")


def _of(telegram: _Telegram, context: Context) -> Iterator[Found | Rejected]:
    asks = any(condition.column == "register" for condition in context.profile.keep)
    for register, (line, value) in telegram.sets.items():
        known = {"register": register}
        if context.keeps(known) and (asks or register == _REGISTER):
            try:
                site, at = _site_and_instant(telegram, context)
            except fields.FieldError as error:
                yield Rejected(line, str(error))
                continue
            number, _, unit = value.partition("*")
            is_estimated = context.is_estimated(known)
            yield from context.reading(line, site, at, number, unit, register, is_estimated=is_estimated)


def _site_and_instant(telegram: _Telegram, context: Context) -> tuple[str, str]:
    day, clock, site = (telegram.sets.get(code, (0, ""))[1] for code in ("0.9.2", "0.9.1", "0.0.0"))
    stamp = _STAMP("".join(_NO_DIGITS.sub("", text) for text in (day, clock)))
    if stamp is None:
        raise fields.FieldError("reading_date: 0.9.2 and 0.9.1 are not yymmdd and hhmmss")
    return context.site(site), context.times.text_of(stamp)
