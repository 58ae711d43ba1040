"""Forms for a site."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, StringField
from wtforms.validators import InputRequired, Length, Optional

from ...models.site import GROUP_LENGTH, SITE_NAME_LENGTH, SNOOZE_REASON_LENGTH
from ...sites.service import SiteChange


class SiteForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What a site is like."""

    ACTION = "edit"
    KEPT = ("site_name", "group", "monitored_from", "active")

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
    active = BooleanField("Active", description="An inactive site is not judged. Its open jobs stay open.")

    def change(self) -> SiteChange:
        """What the form asks for."""
        return SiteChange(
            site_name=(self.site_name.data or "").strip(),
            monitored_from=self.monitored_from.data,
            active=self.active.data,
            group=(self.group.data or "").strip(),
        )


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
