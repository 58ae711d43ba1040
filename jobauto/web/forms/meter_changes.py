"""The form for a meter that was changed."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, ValidationError

from ...errors import InvalidInput
from ...imports.fields import FieldError, InstantReader, short_text, watt_hours
from ...models.decision import SERIAL_LENGTH
from ...models.types import from_watt_hours
from ...readings.meter_changes import Change

T = TypeVar("T")

DECIMAL = {"inputmode": "decimal"}


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
            changed_at = InstantReader(zone, now)(_text(self.changed_at))
        except FieldError as error:
            raise InvalidInput(
                "The meter change was not recorded.", {"changed_at": [_plain(error)]}
            ) from error
        return Change(changed_at, _kwh(self.closing), _kwh(self.opening), _text(self.serial))


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
