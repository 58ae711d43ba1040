"""Forms for working jobs."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from ...audit.conflicts import Seen
from ...auth.service import USERNAME
from ...errors import InvalidInput
from ...jobs.bulk_actions import Wanted
from ...jobs.queries import JobFilter
from ...jobs.service import NOTE_LENGTH, QUEUE_LENGTH, JobChange
from ...jobs.sorting import SORTS
from ...jobs.views import View, week_began
from ...models.bulk import ACTIONS, VIEW_NAME_LENGTH
from ...models.job import PRIORITIES, RESOLUTIONS, STATUSES
from ...models.user import ROWS
from ...rules import RULES
from ..numbers import WholeNumberField, whole_number, whole_numbers
from ..paging import MOST, describe_fields, parameters_refused
from .choices import ANY, NOBODY, choices, of_codes, of_names, says

SEEN_ASSIGNEE = "seen_assignee_"
QUERY_LENGTH = 2000

_ELSE = {"status": "any", "sort": "newest"}
"""What an address means that says nothing of it, but something else."""


class FilterForm(Form):
    """Which jobs to list. Its values stand in the address, so that a view can be kept as a bookmark.

    The status ``any`` is that of an address that asks for something else; one that asks for nothing has the
    open jobs.
    """

    status = SelectField(choices=choices([("any", "Any"), ("unclosed", "Not closed"), *of_codes(STATUSES)]))
    rule = SelectField(choices=choices([ANY, *((rule.name, rule.title) for rule in RULES)]), default="")
    priority = SelectField(choices=choices([ANY, *of_codes(PRIORITIES)]), default="")
    assignee = SelectField(choices=choices([ANY]), default="")
    queue = SelectField(choices=choices([ANY]), default="")
    group = SelectField(choices=choices([ANY]), default="")
    recovered = SelectField(choices=choices([ANY, ("yes", "Recovered"), ("no", "Not recovered")]), default="")
    closed = SelectField(choices=choices([ANY, ("week", "This week")]), default="")
    min_age = WholeNumberField(
        "Age in days, at least",
        [Optional(), NumberRange(0, 100_000, "Must be 0 to 100,000.")],
        render_kw={"type": "text", "inputmode": "numeric", "autocomplete": "off"},
    )
    site_id = StringField("Site id", [Length(max=50)], render_kw={"autocomplete": "off", "maxlength": 50})
    search = StringField(
        "Number, site, group or note",
        [Length(max=100)],
        render_kw={"type": "search", "maxlength": 100, "placeholder": "Site, #job, group, note …"},
    )
    sort = SelectField(choices=choices((name, sort.label) for name, sort in SORTS.items()), default="newest")

    def filter(self, now: datetime, zone: ZoneInfo) -> JobFilter:
        """What the form asks for; a value that it does not offer asks for nothing."""
        self.validate()
        texts = {
            name: (field.data or "").strip()
            for name, field in self._fields.items()
            if name not in ("min_age", "closed") and not field.errors
        }
        age = self.min_age.data if not self.min_age.errors else None
        meant = {"sort": texts.get("sort") or "newest", "status": texts.get("status", "").replace("any", "")}
        closed_after = week_began(now, zone) if self.closed.data == "week" else None
        return JobFilter(**texts | meant, min_age=age, closed_after=closed_after, before_id=None, within=None)

    def strict_filter(self, now: datetime, zone: ZoneInfo) -> JobFilter:
        """The same. Raises InvalidInput for a field, or a value, that the form does not have."""
        wrong = parameters_refused(self._fields)
        if not self.validate():
            wrong |= {name: [str(why) for why in found] for name, found in self.errors.items()}
        if wrong:
            raise InvalidInput(describe_fields(wrong), wrong, 400)
        return self.filter(now, zone)

    def order(self) -> str:
        """The name of the order in which the list is."""
        return self.sort.data if self.sort.data in SORTS else "newest"

    def used(self) -> dict[str, str]:
        """What narrows or sorts the list, as an address carries it."""
        texts = {
            name: str(field.data).strip() for name, field in self._fields.items() if field.data is not None
        }
        used = {name: text for name, text in texts.items() if text and _ELSE.get(name) != text}
        return used if used.keys() - {"sort"} else {"status": "any"} | used

    def chips(self, view: View | None) -> list[tuple[str, str]]:
        """(name, what it says) of each filter that is not what the view itself asks for."""
        own = {"sort": self.order()} | (view.query if view else {})
        return [
            (name, says(self[name]))
            for name, text in self.used().items()
            if own.get(name) != text and not (name == "status" and text == "any")
        ]


def filter_of(query: str) -> FilterForm:
    """The filter as a kept view has it."""
    return _filter_form(MultiDict(parse_qsl(query)), [], [], [])


def filter_form(
    assignees: list[tuple[str, str]], queues: list[str], groups: list[str], *, status: str = "any"
) -> FilterForm:
    """The filter as the address has it, offering the values that are in use; ``assignees`` with labels.

    ``status`` is that of an address that asks for nothing.
    """
    given = MultiDict((name, value) for name, value in request.args.items() if value)
    form = _filter_form(given, assignees, queues, groups)
    if "status" not in given:
        asked = given.keys() - {"sort"} | request.args.keys() & {"status"}
        form.status.data = "any" if asked & form._fields.keys() else status
    return form


def _filter_form(
    given: MultiDict[str, str], assignees: list[tuple[str, str]], queues: list[str], groups: list[str]
) -> FilterForm:
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

    KEPT = ("status", "resolution", "priority", "assignee", "queue")

    status = SelectField("Status", choices=choices(of_codes(STATUSES)))
    resolution = SelectField("Resolution", choices=choices([("", "None"), *of_codes(RESOLUTIONS)]))
    priority = SelectField("Priority", choices=choices(of_codes(PRIORITIES)))
    assignee = SelectField("Assignee")
    queue = StringField(
        "Queue", [Length(max=QUEUE_LENGTH)], render_kw={"maxlength": QUEUE_LENGTH, "autocomplete": "off"}
    )
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=NOTE_LENGTH)],
        filters=[_one_newline],
        render_kw={"rows": 3, "maxlength": NOTE_LENGTH},
    )
    close_as = SelectField("Close as", choices=choices(of_codes(RESOLUTIONS)), default="fixed")
    then = SelectField(choices=choices([("", ""), ("close", "Close"), ("next", "Close, next")]), default="")
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

        1. The buttons that close the job do so, with the resolution beside them.
        2. A resolution that was chosen closes the job, whatever its status says; but not one that goes with
           the job's reopening.
        3. A resolution that was left over from a closed job goes with its reopening.
        4. A job that is closed without one is closed as ``other``, by the service.
        """
        asked = {name: self._asked(name, seen) for name in self.KEPT}
        if self.then.data:
            return JobChange(
                **asked | {"status": "closed", "resolution": self.close_as.data}, note=self.note.data or None
            )
        if asked["resolution"] and seen.get("status") != "closed":
            asked["status"] = "closed"
        if asked["resolution"] == "" and (asked["status"] or seen.get("status")) != seen.get("status"):
            asked["resolution"] = None
        return JobChange(**asked, note=self.note.data or None)

    def _asked(self, name: str, seen: Seen) -> str | None:
        value: str = self[name].data or ""
        return None if value == seen.get(name) else value


class BulkForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What is to become of several jobs: those that are ticked, or ``all`` that match, by their number."""

    action = SelectField("Action", choices=choices((name, name) for name in ACTIONS if name != "undo"))
    assignee = SelectField("Assign to", default="")
    resolution = SelectField("Close as", choices=choices(of_codes(RESOLUTIONS)), default="fixed")
    note = StringField(
        "Note",
        [Optional(), Length(max=NOTE_LENGTH)],
        render_kw={"maxlength": NOTE_LENGTH, "autocomplete": "off"},
    )
    status = SelectField("Status", choices=choices(of_codes(STATUSES[:-1])), default="in_progress")
    priority = SelectField("Priority", choices=choices(of_codes(PRIORITIES)), default="medium")
    queue = StringField(
        "Queue", [Length(max=QUEUE_LENGTH)], render_kw={"maxlength": QUEUE_LENGTH, "autocomplete": "off"}
    )

    def offer(self, assignees: list[str]) -> None:
        """Offer the people who can be assigned."""
        self.assignee.choices = choices([("", "Choose …"), (NOBODY, "Nobody"), *of_names(assignees)])

    def missing(self) -> str | None:
        """What has to be said before this can be done; None where nothing is missing."""
        if self.action.data == "assign" and not self.assignee.data:
            return "choose whom to assign the ticked jobs to"
        if self.action.data == "queue" and not (self.queue.data or "").strip():
            return f"type the queue first, or {NOBODY} for none"
        return None

    def wanted(self) -> Wanted:
        """What the form asks for."""
        action: str = self.action.data
        change = {"reopen": {"status": "open"}}.get(action) or {}
        if action == "assign":
            change = {"assignee": _name(self.assignee.data)}
        elif action == "queue":
            change = {"queue": _name(self.queue.data)}
        elif action == "close":
            note = (self.note.data or "").strip()
            change = {"status": "closed", "resolution": self.resolution.data} | (
                {"note": note} if note else {}
            )
        elif action != "reopen":
            change = {action: (self[action].data or "").strip()}
        return Wanted(action, change)

    def chosen(self) -> dict[int, str]:
        """The ticked jobs, each with whom the list showed as its assignee."""
        ticked = whole_numbers(request.form.getlist("job"))[:MOST]
        return {
            job_id: _shown(request.form.get(f"{SEEN_ASSIGNEE}{job_id}", "")) for job_id in ticked if job_id
        }

    def told(self) -> int | None:
        """How many jobs match, as the page said; None where only the ticked ones are meant."""
        return whole_number(request.form.get("all", ""))


def _shown(name: str) -> str:
    """A name that the list may have shown; empty for any other, which nobody has."""
    return name if USERNAME.fullmatch(name) else ""


def _name(given: str | None) -> str:
    """What was chosen or typed; empty where that says none."""
    text = (given or "").strip()
    return "" if text == NOBODY else text


def _without_nul(query: str | None) -> str:
    # Or PostgreSQL would refuse each page that counts the view. What is read can be cleaned; of what is
    # written, "%%0000" has another one when the first is taken out.
    said = parse_qsl(query or "")
    return urlencode([(name.replace("\0", ""), text.replace("\0", "")) for name, text in said])


class ViewForm(FlaskForm):  # type: ignore[misc] # Flask-WTF ships no types
    """What a person keeps of the list: a view under a name, or how many rows a page has."""

    action = SelectField(choices=choices((name, name) for name in ("keep", "rename", "forget", "rows")))
    name = StringField("Name of this view", [Length(max=VIEW_NAME_LENGTH)])
    kept_as = StringField(validators=[Length(max=VIEW_NAME_LENGTH)])
    query = StringField(validators=[Length(max=QUERY_LENGTH)], filters=[_without_nul])
    rows = SelectField(choices=choices((str(rows), str(rows)) for rows in ROWS), default=str(ROWS[0]))
