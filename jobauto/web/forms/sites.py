"""Forms for a site, for the list of sites, and for several of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Form, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, ValidationError

from ...errors import InvalidInput
from ...imports.fields import FieldError, capacity
from ...models.site import GROUP_LENGTH, SITE_NAME_LENGTH, SNOOZE_REASON_LENGTH, SOURCE_LENGTH
from ...sites import bulk
from ...sites.listing import SORTS, STATES, SiteFilter
from ...sites.service import SiteChange, snooze_values
from ..paging import describe_fields, parameters_refused
from .choices import ANY, NOBODY, choices, of_names, says

LONGEST_SEARCH = 200
SEARCH = {"type": "search", "maxlength": LONGEST_SEARCH, "autocomplete": "off"}
TYPED = {"autocomplete": "off"}


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


class SiteFilterForm(Form):
    """Which sites to list. Its values stand in the address, so that a view can be kept as a bookmark."""

    q = StringField("Id, name or group", [Length(max=LONGEST_SEARCH)], render_kw=SEARCH)
    state = SelectField("State", choices=choices([ANY, *STATES.items()]), default="")
    group = SelectField("Group", choices=choices([ANY]), default="")
    source = SelectField("Source", choices=choices([ANY]), default="")
    sort = SelectField("Sort", choices=choices(SORTS.items()), default="id")

    def filter(self) -> SiteFilter:
        """What the form asks for; a value that it does not offer asks for nothing."""
        self.validate()
        texts = {name: (field.data or "").strip() for name, field in self._fields.items() if not field.errors}
        return SiteFilter(
            search=texts.get("q", ""),
            group=texts.get("group", ""),
            source=texts.get("source", ""),
            state=texts.get("state", ""),
            sort=texts.get("sort") or "id",
        )

    def strict_filter(self) -> SiteFilter:
        """The same. Raises InvalidInput for a field, or a value, that the form does not have."""
        wrong = parameters_refused(self._fields)
        if not self.validate():
            wrong |= {name: [str(why) for why in found] for name, found in self.errors.items()}
        if wrong:
            raise InvalidInput(describe_fields(wrong), wrong, 400)
        return self.filter()

    def order(self) -> str:
        """How the list is sorted, in words."""
        return SORTS[self.sort.data if self.sort.data in SORTS else "id"]

    def narrowed_by(self) -> list[str]:
        """What narrows the list, as people read it."""
        return [says(self[name]) for name in self.used() if name != "sort"]

    def used(self) -> dict[str, str]:
        """What narrows or sorts the list, as an address carries it."""
        texts = {name: str(field.data or "").strip() for name, field in self._fields.items()}
        return {name: text for name, text in texts.items() if text and (name, text) != ("sort", "id")}


def site_filter_form(groups: Sequence[str], sources: Sequence[str]) -> SiteFilterForm:
    """The filter as the address has it, offering the groups and sources that are in use.

    So is one that a kept view asks for, lest it show all sites once nothing has it any more.
    """
    form = SiteFilterForm(MultiDict((name, value) for name, value in request.args.items() if value))
    for field, names in ((form.group, groups), (form.source, sources)):
        asked = [field.data] if field.data and field.data not in names else []
        field.choices = choices([ANY, *of_names([*asked, *names])])
    return form


class SitesForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What is to become of several sites."""

    KEPT = ("group", "source", "active", "snoozed_until")
    ACTIONS = ("group", "source", "snooze", "activate", "deactivate")

    action = StringField(validators=[AnyOf(ACTIONS)])
    group = StringField("Group", [Length(max=GROUP_LENGTH)], render_kw={"list": "groups", **TYPED})
    source = StringField("Source", [Length(max=SOURCE_LENGTH)], render_kw={"list": "sources", **TYPED})
    last_day = DateField("Snooze until and including", [Optional()])
    reason = StringField(
        "Because of", [Length(max=SNOOZE_REASON_LENGTH)], render_kw={"maxlength": SNOOZE_REASON_LENGTH}
    )

    def missing(self) -> str | None:
        """What has to be said before this can be done; None where nothing is missing."""
        if self.action.data in ("group", "source") and not _text(self[self.action.data]):
            return f"type the {self.action.data} first, or {NOBODY} for none"
        if self.action.data == "snooze" and (self.last_day.data is None or not _text(self.reason)):
            return "say until when to snooze the sites, and why"
        return None

    def wanted(self, now: datetime, zone: ZoneInfo) -> tuple[dict[str, Any], bulk.Refusal]:
        """The values that the sites are to have, and of which sites not. Raises InvalidInput."""
        if self.action.data == "group":
            group = self._name(self.group)
            return {"group": group}, bulk.not_in_group(group)
        if self.action.data == "source":
            source = self._name(self.source)
            return {"source": source}, bulk.not_from_source(source)
        if self.action.data == "snooze" and self.last_day.data is not None:
            values = snooze_values(self.last_day.data, _text(self.reason), zone, now)
            return values, bulk.judged_until(values["snoozed_until"], now, zone)
        active = self.action.data == "activate"
        return {"active": active}, bulk.not_active(active)

    def _name(self, field: StringField) -> str:
        text = _text(field)
        return "" if text == NOBODY else text
