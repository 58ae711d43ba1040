"""What the rules said of sites in the last run: runs keep the sites that were not ok."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from ..extensions import db
from ..models import RunSite, Site
from ..rules import RULES
from ..rules.rule import FLAGGED, NOT_ASSESSABLE, NOT_JUDGED, Rule
from ..runs import queries as runs

OK = "ok"
UNCHECKED = "unchecked"

Kept = dict[tuple[int, str, int], tuple[str, str | None]]
"""Verdict and reason by run, rule and key of the site."""


@dataclass(frozen=True)
class LastRun:
    """The newest finished run in which a rule judged the fleet. Sites with a key beyond ``newest_site`` came
    later."""

    rule: Rule
    run_id: int
    as_of: datetime
    newest_site: int

    def kept(self) -> ColumnElement[bool]:
        """What the run kept of the rule."""
        return and_(RunSite.run_id == self.run_id, RunSite.rule == self.rule.name)


@dataclass(frozen=True)
class State:
    """What a rule said of a site.

    ``flagged``, ``ok``, ``not_assessable`` or ``not_judged`` with the reason; ``unchecked`` where it has not
    been asked about the site yet.
    """

    rule: Rule
    verdict: str
    reason: str | None = None

    def describe(self) -> str:
        """``Silent``, ``Too few readings``, ``OK``."""
        if self.verdict == OK:
            return "OK"
        text = {FLAGGED: self.rule.flagged_as, UNCHECKED: "not checked yet"}.get(self.verdict, self.reason)
        return (text or self.verdict).capitalize()


def last_runs() -> list[LastRun]:
    """The last run of each rule that ever ran."""
    found = ((rule, db.session.execute(runs.newest_judged(rule.name)).one_or_none()) for rule in RULES)
    return [LastRun(rule, row[0], row[1], row[2] or 0) for rule, row in found if row is not None]


def states(sites: Sequence[Site], last: Sequence[LastRun]) -> dict[int, list[State]]:
    """Of each of a few sites, by key, what each rule said in its last run; in the order of the rules."""
    kept = _kept([site.key for site in sites], last)
    by_rule = {one.rule.name: one for one in last}
    return {
        site.key: [_state(rule, site.key, by_rule.get(rule.name), kept) for rule in RULES] for site in sites
    }


def _kept(keys: Collection[int], last: Sequence[LastRun]) -> Kept:
    """One seek a site and rule: each column of the primary key is one of a few values."""
    found = db.session.execute(
        select(RunSite.run_id, RunSite.rule, RunSite.site_key, RunSite.verdict, RunSite.reason).where(
            RunSite.run_id.in_({one.run_id for one in last}),
            RunSite.rule.in_([one.rule.name for one in last]),
            RunSite.site_key.in_(keys),
        )
    )
    return {(run_id, rule, key): (verdict, reason) for run_id, rule, key, verdict, reason in found}


def _state(rule: Rule, key: int, last: LastRun | None, kept: Kept) -> State:
    if last is None or key > last.newest_site:
        return State(rule, UNCHECKED)
    return State(rule, *kept.get((last.run_id, rule.name, key), (OK, None)))


def flagged_by(rule: str, last: Sequence[LastRun]) -> Select[int]:
    """The keys of the sites that a rule flagged."""
    kept = [one.kept() for one in last if one.rule.name == rule]
    return _keys(kept, RunSite.verdict == FLAGGED)


def not_assessable(last: Sequence[LastRun], reasons: Collection[str] = ()) -> Select[int]:
    """The keys of the sites that a rule could not assess, for any or one of some reasons."""
    why = [RunSite.reason.in_(reasons)] if reasons else []
    return _keys([one.kept() for one in last], RunSite.verdict == NOT_ASSESSABLE, *why)


def not_ok(rule: str, last: Sequence[LastRun]) -> Select[int]:
    """The keys of the sites at which a rule did not say ok, those that it did not judge included."""
    kept = [one.kept() for one in last if one.rule.name == rule]
    return _keys(kept, RunSite.verdict.in_((FLAGGED, NOT_ASSESSABLE, NOT_JUDGED)))


def _keys(kept: Sequence[ColumnElement[bool]], *which: ColumnElement[bool]) -> Select[int]:
    return select(RunSite.site_key).where(or_(false(), *kept), *which)
