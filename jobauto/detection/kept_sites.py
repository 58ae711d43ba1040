"""The sites that a run kept: those at which a rule did not say ok, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from ..extensions import db
from ..models import RunSite, Site
from ..rules import RULES
from ..rules.rule import FLAGGED, NOT_ASSESSABLE

KINDS = {
    "created": "Job opened",
    "skipped": "Had a job already",
    "held": "Held back",
    "covered": "Covered by an incident",
    NOT_ASSESSABLE: "Not assessable",
}
"""What became of a site, with labels: an outcome, or that it could not be assessed."""


@dataclass(frozen=True)
class Kept:
    """How many sites of a rule came to the same end; ``reason`` is why they could not be assessed."""

    rule: str
    kind: str
    reason: str | None
    count: int


@dataclass(frozen=True)
class KeptFilter:
    """Which sites of a run: of which rule and kind (empty: all of them), and for which reason."""

    rule: str
    kind: str = ""
    reason: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for a query."""
        found: list[ColumnElement[bool]] = [RunSite.rule == self.rule]
        if self.kind == NOT_ASSESSABLE:
            found.append(RunSite.verdict == NOT_ASSESSABLE)
        elif self.kind:
            found.append(RunSite.outcome == self.kind)
        else:
            found.append(RunSite.verdict.in_((FLAGGED, NOT_ASSESSABLE)))
        if self.reason:
            found.append(RunSite.reason == self.reason)
        return found


@dataclass(frozen=True)
class KeptSite:
    """A site, and what became of it."""

    key: int
    site_id: str
    site_name: str
    group: str
    kind: str
    reason: str | None


def kept(run_id: int) -> list[Kept]:
    """How many sites a run kept of each rule, kind and reason, in the order of the rules and of ``KINDS``."""
    found = db.session.execute(
        select(RunSite.rule, RunSite.verdict, RunSite.outcome, RunSite.reason, func.count())
        .where(RunSite.run_id == run_id, RunSite.verdict.in_((FLAGGED, NOT_ASSESSABLE)))
        .group_by(RunSite.rule, RunSite.verdict, RunSite.outcome, RunSite.reason)
    )
    counted = [
        Kept(rule, outcome or verdict, reason, number) for rule, verdict, outcome, reason, number in found
    ]
    rules, kinds = [rule.name for rule in RULES], list(KINDS)
    known = [one for one in counted if one.rule in rules and one.kind in kinds]
    return sorted(known, key=lambda one: (rules.index(one.rule), kinds.index(one.kind), one.reason or ""))


def kept_sites(run_id: int, wanted: KeptFilter, *, after: int, limit: int) -> Sequence[KeptSite]:
    """Sites of a run with a key beyond one, in the order of their keys, which is that of the primary key."""
    rows = db.session.execute(_sites(run_id, wanted).where(RunSite.site_key > after).limit(limit))
    return [
        KeptSite(key, site_id, name, group, outcome or verdict, reason)
        for key, site_id, name, group, verdict, outcome, reason in rows
    ]


def _sites(run_id: int, wanted: KeptFilter) -> Select[int, str, str, str, str, str | None, str | None]:
    return (
        select(
            Site.key,
            Site.site_id,
            Site.site_name,
            Site.group,
            RunSite.verdict,
            RunSite.outcome,
            RunSite.reason,
        )
        .join(Site, Site.key == RunSite.site_key)
        .where(RunSite.run_id == run_id, *wanted.conditions())
        .order_by(RunSite.site_key)
    )
