"""Forms for a site."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from ...imports.fields import FieldError, capacity
from ...models.site import GROUP_LENGTH, SITE_NAME_LENGTH, SNOOZE_REASON_LENGTH, SOURCE_LENGTH
from ...sites.service import SiteChange
from .choices import choices


class SiteForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What a site is like."""

    ACTION = "edit"
    KEPT = ("site_name", "group", "monitored_from", "active", "source", "capacity_kwp", "measure", "counts")

    site_name = StringField("Name", [InputRequired("Must not be empty."), Length(max=SITE_NAME_LENGTH)])
    group = StringField(
        "Group", [Length(max=GROUP_LENGTH)], description="For filters, such as a region or a team."
    )
    monitored_from = DateField(
        "Monitored from",
        [Optional()],
        description="A site that has never reported is new, not silent, until this date is old enough. "
        "Empty: long ago.",
    )
    source = StringField(
        "Source",
        [Length(max=SOURCE_LENGTH)],
        description="The logger, gateway or network that its readings come through.",
    )
    capacity_kwp = StringField(
        "Capacity, kWp",
        description="Peak power, 0.01 to 1,000,000. Empty: unknown, and learned from what the register does.",
        render_kw={"inputmode": "decimal"},
    )
    measure = SelectField(
        "Measure",
        choices=choices(
            [("", "By its readings"), ("register", "Register"), ("interval", "Energy of intervals")]
        ),
        description="Can be changed only while the site has no readings.",
        filters=[lambda value: value or ""],
    )
    counts = SelectField(
        "Counts",
        choices=choices([("up", "Up"), ("down", "Down")]),
        description="Down: the meter is wired the wrong way, and its fall is generation.",
    )
    active = BooleanField("Active", description="An inactive site is not judged. Its open jobs stay open.")

    def validate_capacity_kwp(self, field: StringField) -> None:
        """Plain digits within its limits."""
        try:
            capacity(_text(field), "It")
        except FieldError as error:
            raise ValidationError(f"{error}.") from error

    def change(self) -> SiteChange:
        """What the form asks for."""
        return SiteChange(
            site_name=(self.site_name.data or "").strip(),
            monitored_from=self.monitored_from.data,
            active=self.active.data,
            group=(self.group.data or "").strip(),
            source=(self.source.data or "").strip(),
            capacity_kwp=capacity(_text(self.capacity_kwp), "capacity_kwp"),
            measure=self.measure.data or None,
            counts=self.counts.data or "up",
        )


def _text(field: StringField) -> str:
    """What stands in a field; of one that was not sent it is what is stored."""
    return "" if field.data is None else str(field.data).strip()


class SnoozeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """Until when a site is not judged, and why."""

    ACTION = "snooze"
    KEPT = ("snoozed_until", "snooze_reason")

    last_day = DateField("Until and including", [InputRequired("Choose a day.")])
    reason = StringField("Reason", [InputRequired("Say why."), Length(max=SNOOZE_REASON_LENGTH)])

    def day(self) -> date:
        """The day of a form that is valid."""
        if self.last_day.data is None:
            raise ValueError("the form was not validated")
        return self.last_day.data
