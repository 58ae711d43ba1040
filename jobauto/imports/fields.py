"""What a field may hold. Anything else is refused with a reason; nothing is guessed."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ..clock import has_real_offset, instants_at
from ..models.site import NO_SITE_IDS, SITE_ID_LENGTH, SITE_NAME_LENGTH
from ..models.types import EARLIEST

INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?"
)
NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OF_A_SPREADSHEET = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2,}")
MADE_BY_A_SPREADSHEET = "what a spreadsheet has made of a long number: format it as text"
NO_OFFSET = "reading_date has an offset that no clock has: they go from -12:00 to +14:00"
LARGEST = 999_999_999_999_99
"""In hundredths of a kWh."""
HUNDREDTH = Decimal("0.01")
SMALLEST_CAPACITY, LARGEST_CAPACITY = HUNDREDTH, Decimal(1_000_000)
FUTURE = timedelta(hours=24)


class FieldError(ValueError):
    """A field does not hold what it must; says which and why."""


class ClockChangeError(FieldError):
    """A local time that the clocks skip, or show twice: then ``instants`` are the two that it may be, in
    order, in the zone's own time.
    """

    def __init__(self, why: str, instants: tuple[datetime, ...]) -> None:
        super().__init__(why)
        self.instants = instants


def site_id(text: str | None) -> str:
    """1 to 50 printable characters, not ``.`` or ``..``."""
    if not text:
        raise FieldError("site_id is empty")
    if len(text) > SITE_ID_LENGTH:
        raise FieldError(f"site_id has more than {SITE_ID_LENGTH} characters")
    if not text.isprintable():
        raise FieldError("site_id has a character that cannot be printed, or is not UTF-8")
    if text in NO_SITE_IDS:
        raise FieldError(f"site_id is {text}, which no address can hold")
    return text


def new_site_id(text: str | None) -> str:
    """The same, in a list of sites; not what a spreadsheet has made of a long number."""
    found = site_id(text)
    if OF_A_SPREADSHEET.fullmatch(found):
        raise FieldError(f"site_id {found} is {MADE_BY_A_SPREADSHEET}")
    return found


def short_text(text: str | None, name: str, longest: int = SITE_NAME_LENGTH) -> str:
    """Text of one line, without control characters and broken encodings; may be empty."""
    text = text or ""
    if len(text) > longest:
        raise FieldError(f"{name} has more than {longest} characters")
    if any(
        character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff"
        for character in text
    ):
        raise FieldError(f"{name} has a control character, or is not UTF-8")
    return text


def boolean(text: str | None, name: str) -> bool:
    """``true`` or ``false``, also as 1 and 0 or yes and no; empty means true."""
    word = (text or "true").lower()
    if word in ("true", "1", "yes"):
        return True
    if word in ("false", "0", "no"):
        return False
    raise FieldError(f"{name} is not true or false")


def local_date(text: str | None, name: str) -> date | None:
    """``YYYY-MM-DD``, or empty for none."""
    if not text:
        return None
    if DATE.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise FieldError(f"{name} is not a date like 2026-03-31")


def choice(text: str | None, name: str, allowed: Sequence[str]) -> str | None:
    """One of some words, in lower case; or empty for none."""
    word = (text or "").lower()
    if word and word not in allowed:
        raise FieldError(f"{name} is not {' or '.join(allowed)}")
    return word or None


def capacity(text: str | None, name: str) -> Decimal | None:
    """A peak power in kWp: plain digits, at most two decimals, 0.01 to 1,000,000; or empty for unknown."""
    if not text:
        return None
    found = NUMBER.fullmatch(text)
    if not found or len(text) > 20 or found[1] or len((found[3] or "").rstrip("0")) > 2:
        raise FieldError(f"{name} is not a number like 4.25")
    kwp = Decimal(text).quantize(HUNDREDTH)
    if not SMALLEST_CAPACITY <= kwp <= LARGEST_CAPACITY:
        raise FieldError(f"{name} is not from {SMALLEST_CAPACITY} to {LARGEST_CAPACITY:,}")
    return kwp


def watt_hours(text: str | None) -> int:
    """A register in kWh, plain digits, rounded half up to two decimals; in whole watt-hours."""
    return _rounded(text, 2) * 10


def interval_watt_hours(text: str | None) -> int:
    """The energy of an interval in kWh, not below zero, rounded half up to three decimals; in watt-hours."""
    found = _rounded(text, 3)
    if found < 0:
        raise FieldError("reading_value is below zero, which the energy of an interval cannot be")
    return found


def _rounded(text: str | None, decimals: int) -> int:
    """A number, rounded half up to so many decimals, in units of the last of them."""
    found = NUMBER.fullmatch(text or "")
    if not found:
        raise FieldError("reading_value is not a number like 1234.56")
    sign, whole, fraction = found.groups(default="")
    if len(whole) > 12:
        whole = whole.lstrip("0") or "0"  # int() refuses thousands of digits, leading zeros included
        if len(whole) > 12:
            raise FieldError("reading_value is too large")
    last = int(whole + fraction[:decimals].ljust(decimals, "0")) + (fraction[decimals : decimals + 1] >= "5")
    if last * 100 > LARGEST * 10**decimals:
        raise FieldError("reading_value is too large")
    return -last if sign else last


def is_estimated(text: str | None) -> bool:
    """What ``quality`` says: ``estimated``, or ``actual``, which empty means as well."""
    return choice(text, "quality", ("actual", "estimated")) == "estimated"


class InstantReader:
    """Reads ``reading_date``: an instant with an offset, or local time of the schedule's zone.

    Days without a clock change have one offset from UTC, which is remembered: a file has many readings a
    day.
    """

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._latest = now + FUTURE
        self._offsets: dict[date, timedelta | None] = {}

    def __call__(self, text: str | None) -> datetime:
        """The instant in UTC. Raises FieldError."""
        found = INSTANT.fullmatch(text or "")
        if not found:
            raise FieldError("reading_date is not a date and time like 2026-03-31T06:00")
        try:
            return self.instant(datetime.fromisoformat(found[0]))
        except FieldError:
            raise
        except ValueError as error:
            raise FieldError("reading_date does not exist in the calendar") from error

    def instant(self, moment: datetime) -> datetime:
        """The same of a time that has been read."""
        if moment.tzinfo and not has_real_offset(moment):
            raise FieldError(NO_OFFSET)
        try:
            instant = self._from_local(moment) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError as error:
            raise FieldError("reading_date does not exist in the calendar") from error
        if instant < EARLIEST:
            raise FieldError(f"reading_date is before {EARLIEST.year}")
        if instant > self._latest:
            raise FieldError("reading_date is more than 24 hours in the future")
        return instant

    def _from_local(self, moment: datetime) -> datetime:
        day = moment.date()
        if day not in self._offsets:
            self._offsets[day] = self._offset_of(moment)
        offset = self._offsets[day]
        if offset is not None:
            return (moment - offset).replace(tzinfo=UTC)
        return self._across_clock_change(moment)

    def _offset_of(self, moment: datetime) -> timedelta | None:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=self._zone)
        offsets = {(midnight + timedelta(hours=hours)).utcoffset() for hours in range(25)}
        return offsets.pop() if len(offsets) == 1 else None

    def _across_clock_change(self, moment: datetime) -> datetime:
        instants = instants_at(moment, self._zone)
        if len(instants) == 1:
            return instants[0].astimezone(UTC)
        raise ClockChangeError(
            f"reading_date {'happens twice' if instants else 'does not exist'} in {self._zone.key} "
            "because the clocks change; add an offset such as +01:00",
            instants,
        )
