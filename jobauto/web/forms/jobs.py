"""Forms for working jobs."""

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from ...audit.conflicts import Seen
from ...errors import InvalidInput
from ...jobs import bulk
from ...jobs.queries import SORTS, JobFilter
from ...jobs.service import NOTE_LENGTH, JobChange
from ...models.job import PRIORITIES, RESOLUTIONS, STATUSES
from ...rules import RULES
from ..numbers import whole_number
from ..paging import describe_fields
from .choices import ANY, NOBODY, choices, of_codes, of_names

SEEN_ASSIGNEE = "seen_assignee_"


class FilterForm(Form):
    """Which jobs to list. Its values stand in the address, so that a view can be kept as a bookmark.

    ``ALWAYS`` are the fields that the page always shows; the others open when one of them is used.
    """

    ALWAYS = ("status", "rule", "assignee", "sort", "search")

    status = SelectField(choices=choices([ANY, ("unclosed", "Not closed"), *of_codes(STATUSES)]), default="")
    rule = SelectField(choices=choices([ANY, *((rule.name, rule.title) for rule in RULES)]), default="")
    priority = SelectField(choices=choices([ANY, *of_codes(PRIORITIES)]), default="")
    assignee = SelectField(choices=choices([ANY]), default="")
    queue = SelectField(choices=choices([ANY]), default="")
    group = SelectField(choices=choices([ANY]), default="")
    recovered = SelectField(choices=choices([ANY, ("yes", "Recovered"), ("no", "Not recovered")]), default="")
    min_age = IntegerField(
        "Age in days, at least",
        [Optional(), NumberRange(0, 100_000, "Must be 0 to 100,000.")],
        render_kw={"type": "text", "inputmode": "numeric", "autocomplete": "off"},
    )
    site_id = StringField("Site id", [Length(max=50)], render_kw={"autocomplete": "off", "maxlength": 50})
    search = StringField(
        "Site or description contains", [Length(max=100)], render_kw={"type": "search", "maxlength": 100}
    )
    sort = SelectField(choices=choices((name, label) for name, (label, _) in SORTS.items()), default="newest")

    def filter(self) -> JobFilter:
        """What the form asks for; a value that it does not offer asks for nothing."""
        self.validate()
        texts = {
            name: (field.data or "").strip()
            for name, field in self._fields.items()
            if name != "min_age" and not field.errors
        }
        age = self.min_age.data if not self.min_age.errors else None
        return JobFilter(**texts | {"sort": texts.get("sort") or "newest"}, min_age=age, before_id=None)

    def strict_filter(self) -> JobFilter:
        """The same. Raises InvalidInput for a field, or a value, that the form does not have."""
        wrong = {name: ["There is no such filter."] for name in request.args if name not in self._fields}
        wrong |= {
            name: ["Was given more than once."]
            for name in self._fields
            if len(request.args.getlist(name)) > 1
        }
        if not self.validate():
            wrong |= {name: [str(why) for why in found] for name, found in self.errors.items()}
        if wrong:
            raise InvalidInput(describe_fields(wrong), wrong, 400)
        return self.filter()

    def order(self) -> str:
        """How the list is sorted, in words."""
        return SORTS[self.sort.data if self.sort.data in SORTS else "newest"][0]

    def used(self) -> dict[str, str]:
        """What narrows or sorts the list, as an address carries it."""
        texts = {
            name: str(field.data).strip() for name, field in self._fields.items() if field.data is not None
        }
        return {name: text for name, text in texts.items() if text and (name, text) != ("sort", "newest")}


def filter_form(assignees: list[tuple[str, str]], queues: list[str], groups: list[str]) -> FilterForm:
    """The filter as the address has it, offering the values that are in use; ``assignees`` with labels."""
    given = MultiDict((name, value) for name, value in request.args.items() if value)
    form = FilterForm(given)
    labels = dict(assignees)
    names = _names(list(labels), form.assignee.data)
    form.assignee.choices = choices(
        [ANY, (NOBODY, "Nobody"), *((name, labels.get(name, name)) for name, _ in names)]
    )
    form.queue.choices = choices([ANY, *_names(queues, form.queue.data)])
    form.group.choices = choices([ANY, *_names(groups, form.group.data)])
    return form


def _names(in_use: list[str], asked: str | None) -> list[tuple[str, str]]:
    """What is in use; and what a kept view asks for, lest it show all jobs once nothing has it any more."""
    return of_names(sorted({*in_use, *([asked] if asked not in (None, "", "-") else [])}))


def _one_newline(text: str | None) -> str | None:
    # A browser sends CR LF for each line end of a text area.
    return text.replace("\r\n", "\n") if text else text


class JobForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What is to become of a job.

    The page also sends what it showed (``seen_status`` and so on): a field that was left as it was is not
    asked for, so that a note from a page of this morning does not undo what others did since.
    """

    KEPT = ("status", "resolution", "priority", "assignee")

    status = SelectField("Status", choices=choices(of_codes(STATUSES)))
    resolution = SelectField(
        "Resolution",
        choices=choices([("", "None"), *of_codes(RESOLUTIONS)]),
        description="Choosing one closes the job.",
    )
    priority = SelectField("Priority", choices=choices(of_codes(PRIORITIES)))
    assignee = SelectField("Assignee")
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=NOTE_LENGTH)],
        filters=[_one_newline],
        render_kw={"rows": 3, "maxlength": NOTE_LENGTH},
    )
    snooze_until = DateField(
        "Snooze the site until and including",
        [Optional()],
        description="Only with closing. No run judges the site until then, so none opens a new job.",
    )

    def offer(self, assignees: list[str]) -> None:
        """Offer the people who can be assigned."""
        self.assignee.choices = choices([("", "Nobody"), *of_names(assignees)])

    def change(self, seen: Seen) -> JobChange:
        """What the form asks for, beside what its page had ``seen``.

        1. A resolution that was chosen closes the job, whatever its status says; but not one that goes with
           the job's reopening.
        2. A resolution that was left over from a closed job goes with its reopening.
        3. A job that is closed without one is closed as ``other``, by the service.
        """
        asked = {name: self._asked(name, seen) for name in self.KEPT}
        if asked["resolution"] and seen.get("status") != "closed":
            asked["status"] = "closed"
        if asked["resolution"] == "" and (asked["status"] or seen.get("status")) != seen.get("status"):
            asked["resolution"] = None
        return JobChange(**asked, note=self.note.data or None)

    def _asked(self, name: str, seen: Seen) -> str | None:
        value: str = self[name].data or ""
        return None if value == seen.get(name) else value


class BulkForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What is to become of several jobs."""

    action = SelectField(
        "Action", choices=choices([("assign", "Assign to"), ("close", "Close as"), ("reopen", "Reopen")])
    )
    assignee = SelectField("Assign to", default="")
    resolution = SelectField("Close as", choices=choices(of_codes(RESOLUTIONS)), default="fixed")

    def offer(self, assignees: list[str]) -> None:
        """Offer the people who can be assigned."""
        self.assignee.choices = choices([("", "Choose …"), (NOBODY, "Nobody"), *of_names(assignees)])

    def is_complete(self) -> bool:
        """Whether it says what to do: the first choice of whom to assign to says nothing."""
        return self.action.data != "assign" or bool(self.assignee.data)

    def change(self) -> JobChange:
        """What the form asks for."""
        if self.action.data == "assign":
            return JobChange(assignee=self._to())
        if self.action.data == "close":
            return JobChange(status="closed", resolution=self.resolution.data)
        return JobChange(status="open")

    def unless(self) -> bulk.Refusal:
        """What must not have become of a job since the list was shown."""
        if self.action.data == "assign":
            return bulk.not_taken_since(self._to(), _seen_assignees())
        return bulk.only_open if self.action.data == "close" else bulk.only_closed

    def _to(self) -> str:
        return "" if self.assignee.data == NOBODY else self.assignee.data or ""


def _seen_assignees() -> dict[int, str]:
    """Whom the list showed as the assignee of each of its jobs."""
    sent = {name.removeprefix(SEEN_ASSIGNEE): text for name, text in request.form.items()}
    return {number: text for job_id, text in sent.items() if (number := whole_number(job_id)) is not None}
