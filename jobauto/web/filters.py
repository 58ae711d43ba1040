"""What every page needs: a database that is ready, filters for times and words, the frame's own facts."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request
from flask_login import current_user
from markupsafe import Markup

from ..audit import queries as audit
from ..audit.conflicts import shown
from ..auth.browsers import describe_browser
from ..clock import utcnow
from ..extensions import db
from ..jobs import bulk_actions
from ..models import Event, Import, Job, Run, Site
from ..models.quality import Quality
from ..models.types import format_minute
from ..readings import queries as reviews
from ..readings.words import describe_quality, describe_review
from ..rules import RULES, rule_named
from ..runs import queries as runs
from ..settings import labels
from ..settings import service as settings_service
from ..settings.schema import Settings
from ..sites import queries as sites
from ..storage.connections import require_ready
from ..wording import label_of, pluralize
from . import drafts, static_files

WITHOUT_DATABASE = {"health.livez", "health.healthz"} | static_files.ENDPOINTS
_READY = "jobauto_database_ready"
MOST_REVIEWS = 1000
"""Open reviews are counted up to so many: the cost of a page does not grow with them."""
_DATE = re.compile(r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d)?)", re.ASCII)
_WORDS = {
    "address": "Channel",
    "api": "API",
    "cli": "Command line",
    "assignments": "Told of jobs",
    "delimited": "Text with columns",
    "iec62056": "IEC 62056-21",
    "json": "JSON",
    "mail": "Mail address",
    "mail_verified": "Mail address confirmed",
    "manual": "By hand",
    "nem12": "NEM12",
    "ok": "OK",
    "schedule": "Daily schedule",
    "unclosed": "Not closed",
    "wants_digest": "Daily digest",
    "wants_problems": "Problems",
    **{rule.name: rule.title for rule in RULES},
}


def init_app(app: Flask) -> None:
    """Register the check, the filters and the frame."""
    app.before_request_funcs.setdefault(None, []).insert(0, _check_database)
    for words in (
        local_time,
        describe_browser,
        describe,
        ago,
        pluralize,
        describe_finding,
        describe_review,
        describe_quality,
        colour_of_rule,
        import_state,
        duration,
        in_days,
        spares_closed_ones,
        faulty_for,
        days_faulty,
        describe_fault,
        newest_changes,
        saves,
        size,
        quality_word,
        kwh,
        format_change,
        format_conflict,
        labels.label,
        labels.format_value,
    ):
        app.template_filter(words.__name__)(words)
    app.template_filter("as_shown")(shown)
    app.template_test()(snoozed)
    app.template_test()(spares_closed_ones)
    app.template_global()(address_of_page)
    app.template_global("may_undo")(lambda bulk_id: bulk_actions.may_undo(bulk_id, utcnow()))
    app.context_processor(_frame)


def _check_database() -> None:
    """Say what is wrong with a database that is not ready; once it was ready, do not ask again."""
    if request.endpoint not in WITHOUT_DATABASE and not current_app.extensions.get(_READY):
        require_ready()
        current_app.extensions[_READY] = True


def settings() -> Settings:
    """The settings in force, read once a request."""
    if "settings" not in g:
        g.settings = settings_service.current().settings
    found: Settings = g.settings
    return found


def local_time(instant: datetime | None) -> str:
    """``2026-03-31 06:00`` on the clocks of the schedule's zone."""
    return format_minute(instant, settings().schedule.zone) if instant else "never"


def describe(code: str) -> str:
    """``not_assessable`` as ``Not assessable``; a rule by its title."""
    return _WORDS.get(code) or label_of(code)


def ago(instant: datetime) -> str:
    """How long ago, roughly: ``5 minutes ago``, ``in 3 hours``."""
    seconds = (utcnow() - instant.astimezone(UTC)).total_seconds()
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{pluralize(int(seconds // size), unit)} ago"
        if -seconds >= size - 1:  # of a whole one to come, the first moments are gone when a page is made
            return f"in {pluralize(round(-seconds / size), unit)}"
    return "just now" if seconds >= 0 else "in less than a minute"


def describe_finding(job: Job) -> str:
    """What its rule found when a job was opened; nothing of a rule that is no more."""
    if (rule := rule_named(job.rule)) is None:
        return ""
    is_interval = job.site.measure == "interval"
    return rule.describe_finding(job, settings().schedule.zone, is_interval=is_interval)


def colour_of_rule(name: str) -> str:
    """The colour by which a rule is known on pages; grey for a rule that is no more."""
    rule = rule_named(name)
    return rule.colour if rule else "grey"


def spares_closed_ones(rule: str, run: Run) -> bool:
    """Whether a rule opened no job in a run where a person had closed one a short while before."""
    if rule_named(rule) is None:
        return False
    used = settings_service.stored_as(run.settings_version).policies
    return any(section.reopen_after_days for section in used.of_rule(rule))


def faulty_for(job: Job) -> str:
    """How long a job's fault has lasted: ``for 44 days``, ``never reported``."""
    days = job.faulty_days(utcnow())
    return "never reported" if days is None else f"for {pluralize(days, 'day')}"


def describe_fault(job: Job) -> str:
    """What its site is, or was, and how long: ``silent for 44 days``, ``never reported``."""
    rule, lasting = rule_named(job.rule), faulty_for(job)
    if job.since is None:
        return lasting
    is_over = job.recovered_at or job.status == "closed"
    return f"{'was ' if is_over else ''}{rule.flagged_as if rule else 'faulty'} {lasting}"


def newest_changes(events: Sequence[Event]) -> Sequence[Event]:
    """What of a history its page shows."""
    return events[-audit.SHOWN :]


def saves(events: Iterable[Event]) -> list[list[Event]]:
    """Changes as they were saved: what one person changed at one moment is one entry of a history."""
    return [list(save) for _, save in groupby(events, lambda event: (event.at, event.who, event.token))]


def days_faulty(job: Job) -> int | None:
    """The same in whole days; None where the site never reported."""
    return job.faulty_days(utcnow())


def snoozed(site: Site) -> bool:
    """Whether a site is not judged for a while."""
    return site.is_snoozed(utcnow())


def format_change(value: str | None, field: str) -> str:
    """A value that a change is kept with, for people."""
    if not value:
        return "none"
    if value in ("true", "false"):
        return "yes" if value == "true" else "no"
    if field == "snoozed_until":
        return whole_dates(local_time(datetime.fromisoformat(value)))
    if "." in field:  # a setting
        return labels.format_value(value, field)
    if field in ("status", "resolution", "priority", "role"):
        return describe(value)
    return whole_dates(value)


def whole_dates(text: str) -> Markup:
    """A text in which the end of a line parts no date."""
    parts = enumerate(_DATE.split(text))
    return Markup().join(Markup("<time>{}</time>").format(part) if at % 2 else part for at, part in parts)


def format_conflict(value: Any, field: str) -> str:
    """A value that two people would have otherwise, for people."""
    return labels.format_value(value, field) if "." in field else format_change(shown(value), field)


def quality_word(quality: int) -> str:
    """How far a reading is to be believed: ``doubtful``."""
    return Quality(quality).word


def size(count: int) -> str:
    """``812 bytes``, ``1.2 kB``, ``34.0 MB``."""
    if count < 1000:
        return pluralize(count, "byte")
    return f"{count / 1000:,.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def import_state(entry: Import) -> str:
    """What an import has come to, in a word that the pages have: a dry run that has ended is a preview."""
    if entry.undone_at is not None:
        return "undone"
    return "preview" if entry.dry_run and entry.status == "finished" else entry.status


def duration(milliseconds: float) -> str:
    """``80 ms``, ``1.4 s``, ``3 min 5 s``."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    minutes, seconds = divmod(milliseconds / 1000, 60)
    return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def in_days(took: timedelta) -> str:
    """``2.5 days``; of less than a day ``3.5 hours``."""
    hours = took / timedelta(hours=1)
    return f"{hours / 24:,.1f} days" if hours >= 24 else f"{hours:.1f} hours"


def kwh(value: Decimal) -> str:
    """``1,234.50``; with three decimals where it takes three, as the energy of an interval may."""
    return f"{value:,.3f}" if value * 100 % 1 else f"{value:,.2f}"


def address_of_page(number: int) -> str:
    """The page asked for with another number, its filters kept."""
    return "?" + urlencode(request.args.to_dict() | {"page": str(number)})


def _frame() -> dict[str, Any]:
    if not current_user.is_authenticated:
        # Nothing of the fleet, which may lie on other machines: one can log in while those are away.
        return {"has_demo_data": db.session.scalar(runs.any_demo())}
    return {
        "shows_draft": drafts.is_shown(),
        "has_demo_data": db.session.scalar(sites.any_demo()),
        "waiting_runs": db.session.scalars(runs.waiting()).all(),
        "open_reviews": reviews.count_open(MOST_REVIEWS),
        "share_classified": reviews.share_classified(),
        "zone_name": settings().schedule.timezone,
    }
