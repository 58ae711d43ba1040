"""Commands that check the fleet."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NoReturn

import click

from ..clock import has_real_offset, instants_at, utcnow
from ..detection.service import Finding, RunParameters, RunResult, dry_run, run
from ..extensions import db
from ..models import Hold
from ..models.types import EARLIEST
from ..rules import RULES, command_of
from ..rules.rule import Rule
from ..runs.lifecycle import RunInProgress, SlotTaken
from ..settings import service as settings
from ..storage.leases import LeaseLost
from ..work import slots
from .common import RUN_IN_PROGRESS, on_database, operating_user

SENDING = "jobauto.notifications.sending"
"""Loaded only after a scheduled run: Apprise takes a fifth of a second."""
_NOT_RUN: dict[str, Any] = {
    "run_id": None,
    "as_of": None,
    "status": "skipped",
    "created_jobs": 0,
    "rules": {},
}
"""In place of a run's outcome, with the reason, where there was nothing to do."""

Command = Callable[..., None]


def _options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--dry-run", "dry", is_flag=True, help="Print the findings; write nothing."),
        click.option(
            "--as-of", help="Check as of this ISO 8601 instant; without an offset, in the schedule's zone."
        ),
    ):
        command = option(command)
    return command


def command_of_rule(name: str) -> click.Command:
    """``create-no-coms-jobs`` and its like: a command for each rule."""

    rule = next(rule for rule in RULES if rule.name == name)

    @click.command(command_of(name), help=f"Run the rule {rule.title}.")
    @_options
    @on_database
    def create_jobs(as_of: str | None, dry: bool, as_json: bool) -> None:
        _finish(_run((rule,), as_of, dry), as_json)

    return create_jobs


@click.command("run-daily-job-automation")
@_options
@click.option("--scheduled", is_flag=True, help="Claim today's slot of the schedule; for use from cron.")
@on_database
def run_daily_job_automation(as_of: str | None, dry: bool, as_json: bool, scheduled: bool) -> None:
    """Run both rules."""
    if scheduled and (as_of is not None or dry):
        raise click.UsageError(
            "--scheduled runs now and for real: it goes with neither --as-of nor --dry-run."
        )
    result = _run_slot(as_json) if scheduled else _run(RULES, as_of, dry)
    if scheduled:
        # Where cron runs the check there may be nobody else who does.
        import_module(SENDING).process_pending(utcnow)
    _finish(result, as_json, "Daily job automation completed")


def _run(rules: tuple[Rule, ...], as_of: str | None, dry: bool) -> RunResult:
    instant = None if as_of is None else _instant(as_of)
    if instant and instant > utcnow() and not dry:
        raise click.UsageError("--as-of lies in the future; only --dry-run may look there.")
    request = RunParameters(trigger="cli", requested_by=operating_user(), as_of=instant, rules=rules)
    if dry:
        return dry_run(request, utcnow)
    try:
        return run(request, utcnow)
    except (RunInProgress, LeaseLost) as error:
        _refused(error)


def _run_slot(as_json: bool) -> RunResult:
    slot = slots.slot_to_claim(utcnow)
    try:
        return slots.run_slot(slot, utcnow)
    except SlotTaken:
        reason = f"The scheduled run of {slot} has been done already."
        click.echo(json.dumps(_NOT_RUN | {"reason": reason}) if as_json else reason)
        sys.exit(0)
    except (RunInProgress, LeaseLost) as error:
        _refused(error)


def _refused(error: RunInProgress | LeaseLost) -> NoReturn:
    click.echo(f"Error: {error}", err=True)
    sys.exit(RUN_IN_PROGRESS if isinstance(error, RunInProgress) else 1)


def _instant(text: str) -> datetime:
    zone = settings.current().settings.schedule.zone
    try:
        moment = datetime.fromisoformat(text)
        instants = (moment,) if moment.tzinfo else instants_at(moment, zone)
        found = [instant.astimezone(UTC) for instant in instants]
    except (ValueError, OverflowError) as error:
        raise click.UsageError(f"--as-of {text!r} is not ISO 8601, such as 2026-03-31T06:00.") from error
    if moment.tzinfo and not has_real_offset(moment):
        raise click.UsageError(f"--as-of {text!r} has an offset that no clock has.")
    if any(instant < EARLIEST for instant in found):
        raise click.UsageError(f"--as-of {text!r} is before {EARLIEST.year}, as no reading is.")
    if len(found) != 1:
        happens = "happens twice" if found else "does not exist"
        raise click.UsageError(f"--as-of {text!r} {happens} in {zone.key}: add an offset such as +01:00.")
    return found[0]


def _finish(result: RunResult, as_json: bool, last_line: str | None = None) -> NoReturn:
    if as_json:
        click.echo(json.dumps(_as_json(result)))
    else:
        for line in _lines(result):
            click.echo(line)
        if last_line and result.run_id is not None:
            click.echo(last_line)
    sys.exit(0 if result.status == "succeeded" else 1)


def _as_json(result: RunResult) -> dict[str, Any]:
    findings = {"findings": [vars(finding) for finding in result.findings]} if result.run_id is None else {}
    return result.document() | findings


def _lines(result: RunResult) -> list[str]:
    lines = []
    for rule in RULES:
        if (done := result.rules.get(rule.name)) is None:
            continue
        if done.status == "failed":
            lines.append(f"{rule.title} failed: {done.error}")
        elif done.status == "skipped":
            lines.append(f"{rule.title} is disabled: skipped")
        elif done.status == "held":
            why = db.session.get_one(Hold, result.run_id).describe()
            where = f"Release or discard them on the page of run {result.run_id}."
            lines.append(f"Held {done.held} {rule.title} jobs: {why} {where}")
        elif result.run_id is None:
            lines.append(f"{rule.title}: {done.flagged} of {done.checked} sites flagged")
            lines += [f"  {_format_finding(found)}" for found in result.findings if found.rule == rule.name]
        else:
            lines.append(f"Created {done.created} {rule.title} jobs")
    return lines


def _format_finding(finding: Finding) -> str:
    return (
        f"{finding.site_id} (never reported)"
        if finding.days is None
        else f"{finding.site_id} ({finding.days} days)"
    )
