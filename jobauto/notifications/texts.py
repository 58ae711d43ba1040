"""The texts of messages: plain text, whose titles hold nothing that others may choose."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ..models import ApiToken, Import, Run, RunRule
from ..models.types import format_minute
from ..rules import RULES
from ..wording import pluralize

LONGEST = 200
SIGNALS = {"start": "started", "success": "succeeded", "fail": "did not succeed"}
_TITLES = {rule.name: rule.title for rule in RULES}
_HOW = {"manual": "by hand", "api": "through the API", "cli": "on the command line", "schedule": "early"}
_OUTCOMES = {
    "failed": ("failed", "failed: none of its rules worked."),
    "partial": ("is partial", "is partial: one rule worked, another failed."),
    "crashed": ("crashed", "crashed: its process stopped without finishing it."),
    "held": ("is held", "is held: its jobs wait until an operator releases or discards them."),
}
_MENTION = re.compile(r"([@<\]])(?=\S)")


@dataclass(frozen=True)
class MessageText:
    """A message's title and body."""

    title: str
    body: str


class Opened(NamedTuple):
    """A job as a digest names it: by its site, or an incident (``covers``) by what it says."""

    id: int
    rule: str
    site_id: str
    site_name: str
    description: str
    covers: int | None


@dataclass(frozen=True)
class Place:
    """Where its readers are: the clocks they look at, and the program's address, if it is configured."""

    zone: ZoneInfo
    public_url: str

    def time(self, instant: datetime) -> str:
        """``2026-03-31 06:00 (Europe/London)``."""
        return f"{format_minute(instant, self.zone)} ({self.zone.key})"

    def link(self, path: str) -> str:
        """The address of a page, or nothing."""
        return self.public_url.rstrip("/") + path if self.public_url else ""


def plain(text: object, longest: int = LONGEST) -> str:
    """Words of others on one line: no controls, no change of direction, and no mention that a chat obeys.

    ``@everyone`` and ``<!channel>`` are broken by a space of no width.
    """
    visible = "".join(
        " " if unicodedata.category(character)[0] == "C" else character for character in str(text)
    )
    line = " ".join(visible.split())
    return _MENTION.sub("\\1\u200b", line if len(line) <= longest else line[: longest - 1] + "…")


def run_problem(run: Run, place: Place) -> MessageText:
    """A run that did not succeed, by its status; why it was held, and what each rule did."""
    title, sentence = _OUTCOMES[run.status]
    held = run.hold.describe() if run.hold else ""
    again = run.status == "crashed" and run.slot is not None
    lines = [
        f"{_which(run)} {sentence}",
        held,
        "A daily run is started again by itself, a few times." if again else "",
        f"Checked as of {place.time(run.as_of)}.",
        *(_rule(rule) for rule in run.rules),
        place.link(f"/runs/{run.id}"),
    ]
    return MessageText(f"jobauto: run {run.id} {title}" + (f". {held}" if held else ""), _body(lines))


def overdue(slot: date, due: datetime, place: Place) -> MessageText:
    """A daily run that did not happen."""
    lines = [
        f"The daily run of {slot} was due at {place.time(due)} and has not happened.",
        "Look whether the scheduler is running, and what its log says.",
        place.link("/runs/"),
    ]
    return MessageText(f"jobauto: the daily run of {slot} is overdue", _body(lines))


def failed_import(entry: Import, place: Place) -> MessageText:
    """An import that failed."""
    lines = [
        f"The import of {entry.kind} from {plain(entry.filename)} by {plain(entry.requested_by)} failed:",
        plain(entry.error),
        "" if entry.dry_run else "What was imported before it failed stays. The same file may be sent again.",
        place.link(f"/import/{entry.id}"),
    ]
    return MessageText(f"jobauto: import {entry.id} failed", _body(lines))


def late_feed(name: str, since: datetime, hours: int, place: Place) -> MessageText:
    """A feed that has brought nothing for longer than is expected."""
    lines = [
        f"Nothing has come through the profile {name} since {place.time(since)}.",
        f"It is expected to bring readings every {pluralize(hours, 'hour')}.",
        "It is told again only after it has brought something.",
        place.link(f"/profiles/{name}/"),
    ]
    return MessageText(f"jobauto: the feed {name} is late", _body(lines))


def ending_token(token: ApiToken, now: datetime, place: Place) -> MessageText:
    """A token that ends soon."""
    in_days = f"in {pluralize(ceil((token.expires_at - now) / timedelta(days=1)), 'day')}"
    lines = [
        f"The API token {plain(token.name)} (number {token.id}) of {plain(token.user.username)}",
        f"ends {in_days}, at {place.time(token.expires_at)}.",
        "Whatever uses it is refused from then on. Make a new one in time, on the page Account.",
        f"It was used last at {place.time(token.last_used_at)}."
        if token.last_used_at
        else "It was never used.",
        place.link("/account"),
    ]
    return MessageText(f"jobauto: API token {token.id} ends {in_days}", _body(lines))


def second_factor_reset(username: str, who: str, when: datetime, place: Place) -> MessageText:
    """Somebody's second factor that an administrator has taken away."""
    lines = [
        f"{plain(who)} has reset the second factor of {plain(username)}, {place.time(when)}.",
        f"If {plain(username)} did not ask for it, somebody may be taking the account over.",
        place.link(f"/users/{quote(username)}"),
    ]
    return MessageText("jobauto: a second factor was reset", _body(lines))


def digest(
    run: Run,
    since: datetime | None,
    counts: dict[str, int],
    opened: Sequence[Opened],
    reviews: int,
    place: Place,
) -> MessageText:
    """The new jobs of a day: how many by rule, and the first of them by site. And how many reviews wait."""
    total = sum(counts.values())
    what = pluralize(total, "new job") if total else "no new jobs"
    after = f"since {place.time(since)}" if since else "by the first daily run"
    remark = f"{_which(run)} {_OUTCOMES[run.status][1]}" if run.status in _OUTCOMES else ""
    lines = [
        f"Jobs opened {after}: {total}.",
        *(f"{_TITLES.get(rule, rule)}: {count}" for rule, count in counts.items()),
        remark,
        "" if not opened else "\n".join(["", *_jobs(opened, total, place)]),
        place.link("/jobs/"),
        *_reviews(reviews, place),
    ]
    return MessageText(f"jobauto: {what}, {run.slot}", _body(lines))


def assigned(jobs: Sequence[Opened], total: int, place: Place) -> MessageText:
    """The jobs that others have assigned to its reader."""
    what = f"{total:,} jobs were" if total != 1 else f"job {jobs[0].id} was"
    lines = [
        "These jobs were assigned to you:" if total != 1 else "This job was assigned to you:",
        *_jobs(jobs, total, place),
        "",
        f"How soon you are told is yours to say: {place.link('/account')}",
    ]
    return MessageText(f"jobauto: {what} assigned to you", "\n".join(lines))


def mail_link(username: str, path: str, hours: int, place: Place) -> MessageText:
    """By which the owner of a mail address says that it is theirs."""
    lines = [
        f"This address was given for the account {plain(username)} of {place.link('/')}",
        "If that is you, log in, open this link, and press Confirm. Messages come here only then.",
        place.link(path),
        f"The link works once, for {pluralize(hours, 'hour')}. If it is not you, do nothing.",
    ]
    return MessageText("jobauto: is this your mail address?", _body(lines))


def mail_replaced(username: str, who: str, when: datetime, place: Place) -> MessageText:
    """For the address that was somebody's before."""
    lines = [
        f"{plain(who)} has changed or removed the mail address of {plain(username)}, {place.time(when)}.",
        "No more messages come here.",
        f"If {plain(username)} did not ask for it, somebody may be taking the account over: "
        "tell an administrator.",
        place.link("/account"),
    ]
    return MessageText("jobauto: your mail address was changed", _body(lines))


def test(label: str, place: Place) -> MessageText:
    """What the test button sends."""
    lines = [f"This is a test of the channel {plain(label)}. Nothing has happened.", place.link("/settings/")]
    return MessageText("jobauto: a test", _body(lines))


def _which(run: Run) -> str:
    if run.slot is not None:
        return f"The daily run of {run.slot}"
    by = f" by {plain(run.requested_by)}" if run.requested_by else ""
    return f"Run {run.id}, started {_HOW.get(run.trigger, run.trigger)}{by},"


def _rule(rule: RunRule) -> str:
    title = _TITLES.get(rule.rule, rule.rule)
    if rule.status == "failed":
        return f"{title}: failed. {plain(rule.error)}"
    if rule.status == "skipped":
        return f"{title}: skipped, it is disabled."
    if rule.status == "held":
        return f"{title}: {rule.flagged} of {rule.checked} sites flagged, {pluralize(rule.held, 'job')} held."
    covered = f", {rule.covered} covered by incidents" if rule.covered else ""
    return (
        f"{title}: {rule.flagged} of {rule.checked} sites flagged, {pluralize(rule.created, 'job')} opened"
        f"{covered}."
    )


def _reviews(count: int, place: Place) -> Iterator[str]:
    if count:
        waits = "waits" if count == 1 else "wait"
        yield f"\n{pluralize(count, 'review')} of readings in doubt {waits} for a decision."
        yield place.link("/reviews/")


def _jobs(opened: Sequence[Opened], total: int, place: Place) -> Iterator[str]:
    for job in opened:
        title, what = _TITLES.get(job.rule, job.rule), f"{plain(job.site_name)} ({plain(job.site_id)})"
        if job.covers is not None:
            what = plain(job.description)
        yield f"Job {job.id}, {title}: {what} {place.link(f'/jobs/{job.id}')}".rstrip()
    if total > len(opened):
        yield f"... and {total - len(opened)} more."


def _body(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)
