"""Closing a job whose fault holds: what the next run does about it is said, and a snooze puts it off."""

from collections.abc import Collection
from datetime import date, datetime

from ..audit.conflicts import EditConflict
from ..clock import utcnow
from ..extensions import db
from ..jobs import incidents, outcome, queries
from ..jobs.recurrence import after_closing
from ..jobs.service import JobChange
from ..models import Job
from ..rules import RULES, rule_named
from ..rules.no_coms import NO_COMS
from ..rules.rule import FLAGGED
from ..settings import service as settings_service
from ..settings.schema import Settings
from ..sites import queries as sites
from ..sites import service as site_service
from ..wording import pluralize
from .access import current_author


def fault_that_holds(job: Job, settings: Settings, now: datetime) -> sites.Verdict | None:
    """What the job's rule finds at the site now; None where it would not flag it.

    Nor does it matter where a run has seen the fault gone, or where a later job is about it.
    """
    if job.recovered_at is not None:
        return None
    if job.status == "closed" and db.session.scalar(queries.later_of_this_fault(job)):
        return None
    if job.covers is not None:
        return _silent_of_incident(job)
    found = sites.verdicts(job.site, settings, settings.moment(now), even_if_off=True)
    return next((one for one in found if one.rule == job.rule and one.verdict == FLAGGED), None)


def _silent_of_incident(job: Job) -> sites.Verdict | None:
    if not (silent := incidents.count_silent(job)):
        return None
    verb = "has" if silent == 1 else "have"
    text = f"{pluralize(silent, 'site')} of this incident {verb} not recovered."
    return sites.Verdict(job.rule, NO_COMS.title, FLAGGED, text=text)


def what_follows(job: Job, settings: Settings) -> str:
    """What the next runs do once the job is closed; nothing is known of a rule that is no more."""
    known = job.rule in {rule.name for rule in RULES}
    return after_closing(settings.rule(job.rule)) if known else ""


def wrong_snooze(last_day: date | None, wanted: JobChange) -> str | None:
    """Why the site cannot be snoozed with this change, in a sentence; None where it can or need not be."""
    if last_day is None:
        return None
    if wanted.status != "closed":
        return "Only with closing. To snooze the site alone, go to its page."
    return site_service.wrong_day(last_day, settings_service.current().settings.schedule.zone, utcnow())


def snooze_site(job: Job, last_day: date) -> tuple[str, str]:
    """After a job was closed; nobody's own snooze is replaced. A sentence and its category."""
    zone = settings_service.current().settings.schedule.zone
    reason = f"Job {job.id} closed as {outcome.in_words(job.resolution or 'other')}"
    unsnoozed = {"snoozed_until": "", "snooze_reason": ""}
    try:
        site_service.snooze(job.site.site_id, last_day, reason, zone, author=current_author(), seen=unsnoozed)
    except EditConflict:
        return "The site was not snoozed: somebody else has snoozed it meanwhile.", "warning"
    return f"The site is snoozed until and including {last_day}.", "aside"


def left_open(closed: Collection[int]) -> str:
    """Of jobs that were closed at once, a sentence about those whose fault may hold; empty where none is."""
    policies = settings_service.current().policies
    left = db.session.execute(queries.left_unrecovered(closed, policies.settings.moment(utcnow())))
    count = sum(
        _comes_at_once(policies.effective(site_id, group).combined, rule) for rule, site_id, group in left
    )
    if not count:
        return ""
    return f"{_of_them(count, len(closed))} Snooze the site to put that off."


def _comes_at_once(settings: Settings, name: str) -> bool:
    rule = settings.rule(name) if rule_named(name) else None
    return rule is not None and rule.enabled and not rule.reopen_after_days


def _of_them(count: int, closed: int) -> str:
    next_run = "the next run opens a new job."
    if closed == 1:
        return f"No run has seen its fault gone: if it still holds, {next_run}"
    if count == 1:
        return f"Of one of them no run has seen the fault gone: if it still holds, {next_run}"
    return f"Of {count:,} of them no run has seen the fault gone: where it still holds, {next_run}"
