"""The one service that checks the fleet, behind the button, the API, the commands and the schedule."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from ..clock import Clock
from ..extensions import db
from ..logs import LogEvent
from ..models import RunRule, Site
from ..rules import RULES
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, VERDICT, Rule
from ..runs.lifecycle import Claim, finish, heartbeat, renew, start
from ..settings import service as settings_service
from ..settings.policies import Policies
from ..storage.connections import is_connection_lost, is_unavailable, write_on
from ..storage.leases import LeaseLost
from ..storage.many_jobs import be_alone_in_changing_many
from . import guard, incidents, run_sites
from .opening import Opening, count_wanted
from .recovery import mark_recovered
from .verdicts import Counts, judge

log = logging.getLogger("job_automation")


@dataclass(frozen=True)
class RunParameters:
    """Who wants which rules run, and as of when (None: as of the start of the run).

    ``request_id`` is the :class:`RunRequest` that the run serves, if a worker does it.
    """

    trigger: str
    requested_by: str | None = None
    as_of: datetime | None = None
    rules: tuple[Rule, ...] = RULES
    slot: date | None = None
    is_demo: bool = False
    request_id: int | None = None


@dataclass(frozen=True)
class RuleResult:
    """What one rule did: ``succeeded``, ``held``, ``failed`` (with its error), ``skipped`` (off for all)."""

    status: str
    checked: int = 0
    flagged: int = 0
    not_assessable: int = 0
    created: int = 0
    skipped: int = 0
    covered: int = 0
    duration_ms: int = 0
    error: str | None = None

    @property
    def held(self) -> int:
        """Jobs that the guard kept from being opened."""
        return self.flagged - self.created - self.skipped - self.covered if self.status == "held" else 0


@dataclass(frozen=True)
class Finding:
    """A site that a rule flags; ``days`` is None for one that never reported."""

    rule: str
    site_id: str
    days: int | None


@dataclass(frozen=True)
class RunResult:
    """What a run did; ``run_id`` is None of a dry run, and only a dry run lists its findings."""

    run_id: int | None
    as_of: datetime
    rules: dict[str, RuleResult]
    findings: list[Finding] = field(default_factory=list)

    @property
    def created_jobs(self) -> int:
        """Jobs opened by all rules."""
        return sum(rule.created for rule in self.rules.values())

    @property
    def held_jobs(self) -> int:
        """Jobs that the guard kept from being opened."""
        return sum(rule.held for rule in self.rules.values())

    @property
    def status(self) -> str:
        """What the run's status is, by its rules'."""
        return status_of(rule.status for rule in self.rules.values())

    def document(self) -> dict[str, Any]:
        """The outcome as commands print it and the API answers; of a held run also how many jobs are."""
        held = {"held_jobs": self.held_jobs} if self.held_jobs else {}
        return {
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "status": self.status,
            "created_jobs": self.created_jobs,
            "rules": {name: vars(rule) for name, rule in self.rules.items()},
        } | held


def status_of(rules: Iterable[str]) -> str:
    """A run's status by its rules': ``partial`` where one failed and another did not."""
    statuses = set(rules)
    if "failed" in statuses:
        return "partial" if statuses & {"succeeded", "held"} else "failed"
    return "held" if "held" in statuses else "succeeded"


def run(request: RunParameters, clock: Clock) -> RunResult:
    """Check the fleet and open jobs.

    1. Claim the run; the database refuses a second one (RunInProgress), or a slot or a request that is
       taken (SlotTaken, RequestTaken).
    2. Each rule on its own: a failure is recorded and does not stop the next. A database that is lost is no
       failure of a rule: it ends the run as crashed, and is raised. So does, in a scheduled run, a database
       that could do the work of no rule (it is full, say): the slot is free to be tried again.
    3. Finish. LeaseLost is raised when this process was silent for so long that its run was marked
       crashed; what was not committed before is rolled back.
    """
    stored = settings_service.current()
    db.session.rollback()  # the run works on a connection of its own; do not keep a second one waiting
    started_at = clock()
    moment = stored.settings.moment(request.as_of or started_at)
    claim = Claim(
        trigger=request.trigger,
        requested_by=request.requested_by,
        as_of=moment.as_of,
        started_at=started_at,
        settings_version=stored.version,
        slot=request.slot,
        is_demo=request.is_demo,
    )
    with db.engine.connect() as connection:
        run_id = start(connection, claim, request.request_id)
        log.info(
            LogEvent(
                "start",
                run=run_id,
                trigger=request.trigger,
                requested_by=request.requested_by,
                as_of=moment.as_of.isoformat(),
            )
        )
        work = _Work(connection, run_id, stored.policies, moment, started_at, clock)
        with heartbeat(db.engine, run_id):
            results = {rule.name: work.rule(rule, place) for place, rule in enumerate(request.rules)}
            result = RunResult(run_id, moment.as_of, results)
            if request.slot is not None and (hindrance := work.hindrance(results)):
                raise hindrance
            finish(connection, run_id, result.status, clock())
    log.info(
        LogEvent("end", run=run_id, status=result.status, created=result.created_jobs, held=result.held_jobs)
    )
    return result


def dry_run(request: RunParameters, clock: Clock) -> RunResult:
    """What a run would find. Nothing is written, and a run under way does not stand in the way."""
    policies = settings_service.current().policies
    db.session.rollback()
    moment = policies.settings.moment(request.as_of or clock())
    results: dict[str, RuleResult] = {}
    findings: list[Finding] = []
    with db.engine.connect() as connection:
        for rule in request.rules:
            began = perf_counter()
            try:
                judged = judge(connection, rule, policies, moment, clock())
            except Exception as error:
                if is_connection_lost(error):
                    raise
                log.exception(LogEvent("dry-run-failed", rule=rule.name))
                results[rule.name] = RuleResult(
                    "failed", duration_ms=_since(began), error=describe_error(error)
                )
            else:
                if judged is None:
                    results[rule.name] = RuleResult("skipped")
                    continue
                counts = judged.counts._asdict()
                results[rule.name] = RuleResult("succeeded", **counts, duration_ms=_since(began))
                findings += _findings(connection, rule)
    return RunResult(None, moment.as_of, results, findings)


@dataclass(frozen=True)
class _Work:
    """One run on its connection."""

    connection: Connection
    run_id: int
    policies: Policies
    moment: Moment
    started_at: datetime
    clock: Clock
    hindrances: list[Exception] = field(default_factory=list)
    """Why rules failed, where it was for the database's sake."""

    def hindrance(self, results: dict[str, RuleResult]) -> Exception | None:
        """Why no rule could do its work, if each that was tried failed for the database's sake."""
        tried = [result for result in results.values() if result.status != "skipped"]
        return self.hindrances[-1] if tried and len(self.hindrances) == len(tried) else None

    def rule(self, rule: Rule, position: int) -> RuleResult:
        """Run one rule and keep what it did: its jobs and its figures, all or nothing."""
        began = perf_counter()
        try:
            result = self._check(rule, position, began)
        except LeaseLost:
            raise
        except Exception as error:
            if is_connection_lost(error):
                raise  # no fault of the rule, and the next could do no better: the whole run is tried again
            if is_unavailable(error):
                self.hindrances.append(error)
            log.exception(LogEvent("rule-failed", run=self.run_id, rule=rule.name))
            self.connection.rollback()
            result = RuleResult("failed", duration_ms=_since(began), error=describe_error(error))
            with write_on(self.connection):
                self._keep(rule, position, result)
        log.info(LogEvent("rule-done", run=self.run_id, rule=rule.name, **vars(result)))
        return result

    def _check(self, rule: Rule, position: int, began: float) -> RuleResult:
        judged = judge(self.connection, rule, self.policies, self.moment, self.clock())
        with write_on(self.connection):
            if judged is None:
                result = RuleResult("skipped")
            else:
                be_alone_in_changing_many(self.connection)
                counts, section = judged.counts, self.policies.settings.rule(rule.name)
                opening = Opening(rule, section, self.moment, self.run_id, self.clock(), judged.combinations)
                outcome = self._open_or_hold(opening, counts)
                run_sites.keep(self.connection, opening, held=outcome["status"] == "held")
                if self.moment.as_of >= self.started_at:
                    incidents.mark_recovered(self.connection, opening)
                    mark_recovered(self.connection, opening)
                    guard.supersede(self.connection, opening)
                result = RuleResult(**outcome, **counts._asdict(), duration_ms=_since(began))
            self._keep(rule, position, result, judged.newest_site if judged else None)
        return result

    def _open_or_hold(self, opening: Opening, counts: Counts) -> dict[str, Any]:
        settings = self.policies.settings.guard
        if opening.rule.guarded and settings.guard_enabled:
            found = guard.silence(self.connection, opening, counts)
            if found.trips(settings):
                guard.hold(self.connection, opening, found)
                held = count_wanted(self.connection, opening)
                log.warning(
                    LogEvent("held", run=self.run_id, rule=opening.rule.name, jobs=held, **vars(found))
                )
                covered = incidents.count_covered(self.connection, opening)
                return {
                    "status": "held",
                    "covered": covered,
                    "skipped": counts.flagged - held - covered,
                }
        opened = incidents.open_all(self.connection, opening, settings, counts.flagged)
        return {"status": "succeeded"} | opened

    def _keep(self, rule: Rule, position: int, result: RuleResult, newest_site: int | None = None) -> None:
        kept = {"rule": rule.name, "position": position, "newest_site": newest_site, **vars(result)}
        self.connection.execute(insert(RunRule).values(run_id=self.run_id, **kept))
        renew(self.connection, self.run_id)


def _findings(connection: Connection, rule: Rule) -> list[Finding]:
    flagged = (
        select(Site.site_id, VERDICT.c.days)
        .join(VERDICT, VERDICT.c.site_key == Site.key)
        .where(VERDICT.c.verdict == FLAGGED)
        .order_by(Site.site_id)
    )
    with connection.begin():
        return [Finding(rule.name, site_id, days) for site_id, days in connection.execute(flagged)]


def _since(began: float) -> int:
    return round((perf_counter() - began) * 1000)


def describe_error(error: Exception) -> str:
    """An error for a page or a script: what happened, without statement or traceback."""
    if isinstance(error, DBAPIError):
        return str(error.orig).strip().splitlines()[0]
    return f"{type(error).__name__}: {error}"
