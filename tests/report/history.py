"""A fleet's history, made at random and remembered in plain Python beside the database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from jobauto.audit.service import Author, record
from jobauto.models import Job, Run, RunRule, RunSite, Site
from jobauto.storage.connections import write

ZONE = ZoneInfo("Europe/London")
BEGINS = date(2026, 3, 16)
"""A fortnight before the clocks change."""
DAYS = 28
NOW = datetime(2026, 4, 12, 17, 0, tzinfo=UTC)
KEPT_FROM = 5
"""On the days before it, runs kept no single sites."""
RULES = ("no_coms", "zero_reads")
PRIORITY = {"silent": 3, "standing_still": 2, "not_assessable": 1}


@dataclass
class Known:
    """What the history was, in plain Python: jobs, and the state of each judged site on each checked day."""

    sites: dict[int, Any] = field(default_factory=dict)
    jobs: list[Any] = field(default_factory=list)
    states: dict[date, dict[int, str]] = field(default_factory=dict)
    fleet: dict[date, dict[str, int]] = field(default_factory=dict)
    """Of the days before runs kept their sites."""


def make_history(seed: int, sites: int = 14, jobs: int = 160) -> Known:
    """Fill the database and say what is in it."""
    chance, known = Random(seed), Known()  # noqa: S311 (no secret)
    with write() as session:
        for key in range(1, sites + 1):
            group, source = chance.choice(["", "North", "South"]), chance.choice(["", "gw-A", "gw-B"])
            active = chance.random() < 0.8
            site = Site(key=key, site_id=f"S{key}", site_name=f"Site {key}", group=group, source=source)
            site.active = active
            session.add(site)
            known.sites[key] = site
        session.flush()
        for number in range(DAYS):
            _day(session, chance, known, number)
        for number in range(jobs):
            job = _job(chance, number + 1, chance.randint(1, sites))
            session.add(job)
            known.jobs.append(job)
        session.flush()
        session.expunge_all()
    return known


def _day(session: Any, chance: Random, known: Known, number: int) -> None:
    day = BEGINS + timedelta(days=number)
    at = datetime(day.year, day.month, day.day, 6, tzinfo=ZONE).astimezone(UTC)
    author = Author("ada", at - timedelta(hours=2))
    for site in known.sites.values():
        if chance.random() < 0.06:
            record(session, author, "site", site.site_id, [("active", site.active, not site.active)])
            site.active = not site.active
        if chance.random() < 0.06:
            until = at + timedelta(days=chance.randint(1, 6)) if chance.random() < 0.7 else None
            record(session, author, "site", site.site_id, [("snoozed_until", site.snoozed_until, until)])
            site.snoozed_until = until
    newest = min(len(known.sites), 10 + number // 6)
    there = [key for key in known.sites if key <= newest]
    judged = [key for key in there if known.sites[key].active and _is_awake(known.sites[key], at)]
    kind = chance.choice(["both", "both", "both", "both", "twice", "apart", "failed", "backdated", "none"])
    if kind == "none":
        return
    if kind == "twice":  # the first run of the day does not count
        _run(session, chance, at, RULES, judged, newest)
    if kind == "backdated":
        _run(session, chance, at, RULES, judged, newest, started=at + timedelta(hours=3))
        return
    failed = {"zero_reads"} if kind == "failed" else set()
    found: dict[str, dict[int, str]] = {}
    for rules in [["no_coms"], ["zero_reads"]] if kind == "apart" else [list(RULES)]:
        shift = timedelta(minutes=5) if rules == ["zero_reads"] else timedelta()
        keeps = number >= KEPT_FROM
        found |= _run(session, chance, at + shift, rules, judged, newest if keeps else None, failed=failed)
    if number < KEPT_FROM:
        known.fleet[day] = _of_fleet(found, len(judged))
    else:
        known.states[day] = {key: _state(found, key) for key in judged}


def _is_awake(site: Any, at: datetime) -> bool:
    return site.snoozed_until is None or site.snoozed_until <= at


def _run(
    session: Any,
    chance: Random,
    at: datetime,
    rules: Any,
    judged: list[int],
    newest: int | None,
    *,
    started: datetime | None = None,
    failed: Any = (),
) -> dict[str, dict[int, str]]:
    """Store a run; returns by rule what it said of sites that are not ok."""
    run = Run(
        trigger="cli", as_of=at, started_at=started or at, finished_at=started or at, heartbeat_at=at,
        status="partial" if failed else "succeeded", settings_version=1,
    )  # fmt: skip
    session.add(run)
    session.flush()
    found: dict[str, dict[int, str]] = {}
    for place, rule in enumerate(rules):
        if rule in failed:
            session.add(RunRule(run_id=run.id, rule=rule, position=place, status="failed"))
            continue
        says = {key: chance.choice(["flagged", "not_assessable"]) for key in judged if chance.random() < 0.4}
        counts = [sum(said == one for said in says.values()) for one in ("flagged", "not_assessable")]
        session.add(
            RunRule(
                run_id=run.id, rule=rule, position=place, status=chance.choice(["succeeded", "held"]),
                checked=len(judged), flagged=counts[0], not_assessable=counts[1], newest_site=newest,
            )
        )  # fmt: skip
        if newest is not None:
            session.add_all(
                RunSite(run_id=run.id, rule=rule, site_key=key, verdict=said) for key, said in says.items()
            )
        found[rule] = says
    return found


def _state(found: dict[str, dict[int, str]], key: int) -> str:
    said = {rule: says.get(key) for rule, says in found.items()}
    if said.get("no_coms") == "flagged":
        return "silent"
    if said.get("zero_reads") == "flagged":
        return "standing_still"
    return "not_assessable" if "not_assessable" in said.values() else "ok"


def _of_fleet(found: dict[str, dict[int, str]], checked: int) -> dict[str, int]:
    counts = {
        (rule, said): sum(one == said for one in says.values())
        for rule, says in found.items()
        for said in ("flagged", "not_assessable")
    }
    silent, flat = counts.get(("no_coms", "flagged"), 0), counts.get(("zero_reads", "flagged"), 0)
    unsure = max(
        counts.get(("no_coms", "not_assessable"), 0), counts.get(("zero_reads", "not_assessable"), 0) - silent
    )
    unsure = max(0, min(unsure, checked - silent - flat))
    return {
        "ok": checked - silent - flat - unsure,
        "silent": silent,
        "standing_still": flat,
        "not_assessable": unsure,
    }


def _job(chance: Random, number: int, site_key: int) -> Job:
    created = NOW - timedelta(minutes=chance.randint(1, 100 * 24 * 60))
    closed = created + timedelta(minutes=chance.randint(1, 60 * 24 * 60)) if chance.random() < 0.7 else None
    recovered = (
        created + timedelta(minutes=chance.randint(1, 40 * 24 * 60)) if chance.random() < 0.6 else None
    )
    closed, recovered = (at if at and at <= NOW else None for at in (closed, recovered))
    return Job(
        site_key=site_key, rule=chance.choice(RULES), job_type=f"type_{number}", priority="medium",
        status="closed" if closed else chance.choice(["open", "in_progress"]), description=f"Job {number}",
        created_at=created, closed_at=closed, recovered_at=recovered, recovered_run_id=recovered and 1,
        run_id=1, duplicate_checked=True,
        assignee=chance.choice([None, None, "oscar", "ada"]), touched=chance.random() < 0.5,
        resolution=chance.choice(["fixed", "recovered"]) if closed else None,
    )  # fmt: skip


def local_dates() -> Iterator[date]:
    """The dates of the history."""
    return (BEGINS + timedelta(days=number) for number in range(DAYS))
