"""Which run's verdicts stand for which day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from ..detection.run_sites import KEPT_FOR
from ..models import Run, RunRule
from ..rules.no_coms import NO_COMS
from ..runs.queries import ENDED
from ..storage.regroupings import regroupings
from .scope import Span

TOLD = ("succeeded", "held")
"""What a rule did where its verdicts count: those of a held run are true, its jobs only waited."""


@dataclass(frozen=True)
class RuleOfDay:
    """The newest run of a local date in which a rule did its work, and what it found in all.

    ``newest_site`` is the highest key of a site that was there; None where the run kept no single sites, or
    keeps them no more. ``is_counted`` tells that its sites are counted by the groups of now.
    """

    run_id: int
    as_of: datetime
    newest_site: int | None
    checked: int
    flagged: int
    not_assessable: int
    is_counted: bool = False


@dataclass(frozen=True)
class CheckedDay:
    """A local date with the rules that looked at the fleet on it, by name."""

    day: date
    rules: Mapping[str, RuleOfDay]

    @property
    def newest_site(self) -> int:
        """The highest key of a site that every rule could look at."""
        return min(rule.newest_site or 0 for rule in self.rules.values())

    @property
    def as_of(self) -> datetime:
        """The instant at which the sites were looked at."""
        return max(rule.as_of for rule in self.rules.values())

    @property
    def keeps_sites(self) -> bool:
        """Whether single sites are known of all its rules."""
        return all(rule.newest_site is not None for rule in self.rules.values())

    @property
    def counted_run(self) -> int | None:
        """The one run that told all of the day, if its sites are counted: then no site need be looked at."""
        told = {(rule.run_id, rule.is_counted) for rule in self.rules.values()}
        (run_id, is_counted), *others = told
        return run_id if is_counted and not others else None

    def of_fleet(self) -> dict[str, int]:
        """How many sites were in which state, by what each rule found in all.

        A silent site can mostly not be assessed by other rules: so many of those that they could not assess
        are taken to be the silent ones.
        """
        checked = max(rule.checked for rule in self.rules.values())
        silent = sum(rule.flagged for name, rule in self.rules.items() if name == NO_COMS.name)
        standing_still = sum(rule.flagged for name, rule in self.rules.items() if name != NO_COMS.name)
        unsure = max(
            rule.not_assessable - (0 if name == NO_COMS.name else silent) for name, rule in self.rules.items()
        )
        found = {
            "silent": silent,
            "standing_still": standing_still,
            "not_assessable": max(0, min(unsure, checked - silent - standing_still)),
        }
        return {"ok": checked - sum(found.values()), **found}


def checked_days(session: Session, span: Span) -> list[CheckedDay]:
    """The days of a time on which some rule looked at the fleet as it was then, in order."""
    found: dict[date, dict[str, RuleOfDay]] = {}
    for day, rule, told in _told(session, span):
        found.setdefault(day, {})[rule] = told
    return [CheckedDay(day, found[day]) for day in sorted(found)]


def _told(session: Session, span: Span) -> Iterator[tuple[date, str, RuleOfDay]]:
    query = (
        select(Run, RunRule)
        .join(RunRule, RunRule.run_id == Run.id)
        .where(Run.as_of >= span.start, Run.as_of < span.end, ENDED, RunRule.status.in_(TOLD))
        .order_by(Run.id)
    )
    oldest, times = span.now - KEPT_FOR, regroupings(session.connection())
    for run, rule in session.execute(query.options(lazyload("*"))):
        if not run.looked_at_another_time:
            newest_site = rule.newest_site if run.started_at >= oldest else None
            figures = rule.checked, rule.flagged, rule.not_assessable
            told = RuleOfDay(run.id, run.as_of, newest_site, *figures, is_counted=run.regroupings == times)
            yield run.as_of.astimezone(span.zone).date(), rule.rule, told
