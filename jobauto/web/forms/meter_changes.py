"""The form for a meter that was changed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, ValidationError

from ...errors import InvalidInput
from ...imports.fields import ClockChangeError, FieldError, InstantReader, short_text, watt_hours
from ...models.decision import SERIAL_LENGTH
from ...models.types import from_watt_hours
from ...readings.meter_changes import Change

T = TypeVar("T")

DECIMAL = {"inputmode": "decimal"}
NOT_RECORDED = "The meter change was not recorded."


class MeterChangeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """When the meter was changed, and what was written down of it."""

    ACTION = "meter_change"

    changed_at = StringField(
        "Changed at",
        [InputRequired("Say when.")],
        description="A reading of that instant belongs to the new meter. The same instant again replaces "
        "what was recorded.",
        render_kw={"type": "datetime-local"},
    )
    instant = SelectField("Which of the two", choices=[], validate_choice=False)
    """Asked only where the clocks show ``changed_at`` twice."""
    closing = StringField(
        "Closing, kWh",
        description="What the old meter showed at last. Empty: nobody wrote it down.",
        render_kw=DECIMAL,
    )
    opening = StringField(
        "Opening, kWh", description="What the new meter showed at first.", render_kw=DECIMAL
    )
    serial = StringField(
        "Serial", description="The new meter's number.", render_kw={"maxlength": SERIAL_LENGTH}
    )

    def validate_closing(self, field: StringField) -> None:
        """Plain digits."""
        _read(lambda: _kwh(field))

    def validate_opening(self, field: StringField) -> None:
        """Plain digits."""
        _read(lambda: _kwh(field))

    def validate_serial(self, field: StringField) -> None:
        """One line."""
        _read(lambda: short_text(_text(field), "serial", SERIAL_LENGTH))

    def change(self, zone: ZoneInfo, now: datetime) -> Change:
        """What the form asks for; its time is local time of the zone. Raises InvalidInput."""
        try:
            changed_at = self._instant(InstantReader(zone, now))
        except FieldError as error:
            raise InvalidInput(NOT_RECORDED, {"changed_at": [_plain(error)]}) from error
        return Change(changed_at, _kwh(self.closing), _kwh(self.opening), _text(self.serial))

    def _instant(self, read: InstantReader) -> datetime:
        try:
            return read(_text(self.changed_at))
        except ClockChangeError as error:
            if not error.instants:
                raise FieldError("changed_at does not exist: the clocks skip it on that day") from error
            meant = {f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z": instant for instant in error.instants}
            self._ask_which(meant)
            if self.instant.data in meant:
                return read.instant(meant[self.instant.data])
            why = "The clocks go back on that day, and show this time twice."
            raise InvalidInput(NOT_RECORDED, {"instant": [why]}) from error

    def _ask_which(self, meant: Mapping[str, datetime]) -> None:
        words = ("The first, before the clocks go back", "The second, after they went back")
        offsets = (instant.isoformat(timespec="minutes")[-6:] for instant in meant.values())
        told = (f"{text} (UTC{offset})" for text, offset in zip(words, offsets, strict=True))
        self.instant.choices = [("", "Choose …"), *zip(meant, told, strict=True)]


def _kwh(field: StringField) -> Decimal | None:
    text = _text(field)
    return from_watt_hours(watt_hours(text)) if text else None


def _text(field: StringField) -> str:
    return (field.data or "").strip()


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except FieldError as error:
        raise ValidationError(_plain(error)) from error


def _plain(error: FieldError) -> str:
    """What is wrong, without the name of a file's column."""
    _, why = str(error).split(" ", 1)
    return f"It {why}."
