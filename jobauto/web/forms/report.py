"""What a report is about, as its address says."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import request
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, SelectField
from wtforms.validators import Optional, ValidationError

from ...report.scope import LONGEST, USUAL, Scope, Span, last_days
from .choices import NOBODY, choices

NONE = NOBODY
"""Those without a group, source or assignee, in an address."""


EARLIEST = date(1970, 1, 1)
"""The first day of a report: nothing is older, and the dates of Python end."""


def _not_too_early(_: Form, field: DateField) -> None:
    if field.data is not None and field.data < EARLIEST:
        raise ValidationError(f"Must not lie before {EARLIEST.year}.")


class ReportForm(Form):
    """The time, and which jobs and sites."""

    FIELDS = ("since", "until", "group", "source", "assignee")

    since = DateField("From", [Optional(), _not_too_early])
    until = DateField("To, included", [Optional(), _not_too_early])
    group = SelectField("Group", default="")
    source = SelectField("Source", default="")
    assignee = SelectField("Assignee", default="")

    def span(self, zone: ZoneInfo, now: datetime) -> Span:
        """The time that is asked for; the usual one where none is, or what is asked cannot be meant."""
        usual = last_days(USUAL, zone, now)
        if self.since.errors or self.until.errors:
            return usual
        last = self.until.data or usual.last
        first = self.since.data or last - (usual.last - usual.first)
        if wrong := _wrong(first, last, usual.last):
            self.since.errors = [wrong]
            return usual
        return Span(first, last, zone, now)

    def fill_in(self, span: Span) -> None:
        """Say which time is shown, unless what was asked for is to be mended first."""
        if not self.errors:
            self.since.data, self.until.data = span.first, span.last

    def scope(self) -> Scope:
        """Which jobs and sites it is about."""
        given = {name: self[name].data or "" for name in ("group", "source", "assignee")}
        return Scope(**{name: "" if text == NONE else text for name, text in given.items() if text})


def _wrong(first: date, last: date, today: date) -> str | None:
    if first > last:
        return "Must not lie after the last day."
    if first > today:
        return "Lies in the future."
    if (last - first).days >= LONGEST:
        return f"At most {LONGEST:,} days."
    return None


def report_form(groups: list[str]) -> ReportForm:
    """The form as the address has it. Sources and assignees are offered once the report has found them."""
    form = ReportForm(MultiDict((name, value) for name, value in request.args.items() if value))
    offer(form, group=groups, source=[], assignee=[])
    form.validate()
    return form


def offer(form: ReportForm, **in_use: list[str]) -> None:
    """Offer what is in use in selects, and what is asked for."""
    for name, found in in_use.items():
        asked = form[name].data or ""
        names = sorted({*found, asked} - {"", NONE})
        field: SelectField = form[name]  # type: ignore[assignment] # which it is
        field.choices = choices([("", "All"), (NONE, "None"), *((one, one) for one in names)])
