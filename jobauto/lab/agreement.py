"""Whether a rule, asked again, flags the sites that the daily runs have stored; and why where it does not.

1. Each run of the span is asked again (:mod:`.replay`). What readings are worth is as known now.
2. Sites that differ are looked at one by one (:mod:`.why`), by what was known then.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from ..extensions import db
from ..models import Hold, Run, RunRule, RunSite, Site
from ..readings.classifying import all_classified
from ..rules import RULES
from ..rules.rule import FLAGGED
from ..runs.queries import ENDED
from ..settings import service as settings_service
from .replay import Ran, flagged_again
from .slots import Slots
from .why import Difference, explain

LISTED = 500
"""So many sites of runs are looked at one by one and listed, the newest runs' first; others are counted."""


@dataclass(frozen=True)
class _Compared:
    """A run, how many sites it flagged and flags asked again, and those of one of the two alone.

    By their keys, with whether they are the run's; None of a run that kept no sites.
    """

    ran: Ran
    flagged: int
    again: int
    differing: Mapping[int, bool] | None

    def differences(self) -> Iterator[Difference]:
        for site_key, was_flagged in (self.differing or {}).items():
            yield Difference(self.ran, site_key, was_flagged)


def agreement(
    connection: Connection,
    name: str,
    slots: Slots,
    group: str,
    now: datetime,
    progress: Callable[[float], object],
) -> dict[str, Any]:
    """``{"runs", "equal", "differing": [...]}`` of a rule in the scheduled runs of the span.

    Each of those that differ, the newest first, is ``{"run", "as_of", "flagged", "again", "sites", "more"}``;
    of its sites that are listed ``{"site", "flagged", "why"}``, with the key, whether the run had flagged it,
    and one of ``why.REASONS``; ``more`` are not listed. A run that has kept no sites differs where the number
    does, and is left out where a group is asked.
    """
    with connection.begin():
        runs = [Ran(*row) for row in connection.execute(_runs(name, slots.dates[slots.first :]))]
        sites = set(connection.scalars(_keys(group)))
    policies = {
        ran.settings_version: settings_service.stored_as(ran.settings_version).policies for ran in runs
    }
    db.session.rollback()
    rule = next(rule for rule in RULES if rule.name == name)
    compared: list[_Compared] = []
    for place, ran in enumerate(runs):
        with all_classified(connection, now):
            kept = set(connection.scalars(_kept(ran, name)))
            has_sites = bool(kept) or not ran.flagged or not ran.is_whole
            if has_sites or not group:
                again = flagged_again(connection, rule, policies[ran.settings_version], ran, group)
                compared.append(_compare(ran, kept & sites, again, has_sites=has_sites))
        progress((place + 1) / len(runs))
    differences = (difference for one in compared for difference in one.differences())
    with all_classified(connection, now):
        whys = explain(connection, name, list(islice(differences, LISTED)), policies)
    found = [_document(one, whys) for one in compared]
    return {
        "runs": len(compared),
        "equal": sum(document is None for document in found),
        "differing": [document for document in found if document],
    }


def _runs(rule: str, dates: Sequence[date]) -> Select[*tuple[Any, ...]]:
    """The scheduled runs of these local dates in which the rule looked at the fleet, the newest first."""
    released = and_(Hold.run_id == Run.id, Hold.rule == rule, Hold.decision == "released")
    return (
        select(
            Run.id,
            Run.as_of,
            func.coalesce(Hold.decided_at, Run.as_of),
            Run.settings_version,
            RunRule.flagged,
            RunRule.newest_site,
            Run.removed_demo_sites.is_(None),
        )
        .join(RunRule, RunRule.run_id == Run.id)
        .outerjoin(Hold, released)
        .where(ENDED, Run.slot >= dates[0], Run.slot <= dates[-1])
        .where(RunRule.rule == rule, RunRule.status.in_(("succeeded", "held")))
        .order_by(Run.id.desc())
    )


def _keys(group: str) -> Select[int]:
    return select(Site.key).where(*([Site.group == group] if group else []))


def _kept(ran: Ran, rule: str) -> Select[int]:
    return select(RunSite.site_key).where(
        RunSite.run_id == ran.run_id, RunSite.rule == rule, RunSite.verdict == FLAGGED
    )


def _compare(ran: Ran, kept: Collection[int], again: set[int], *, has_sites: bool) -> _Compared:
    if not has_sites:
        return _Compared(ran, ran.flagged, len(again), None)
    differing = {key: key in kept for key in sorted(again.symmetric_difference(kept))}
    return _Compared(ran, len(kept), len(again), differing)


def _document(one: _Compared, whys: Mapping[Difference, str | None]) -> dict[str, Any] | None:
    """None of a run that agrees: what it flagged is the same, or would be by what was known then."""
    sites, more = [], 0
    for difference in one.differences():
        if difference not in whys:
            more += 1
        elif why := whys[difference]:
            sites.append({"site": difference.site_key, "flagged": difference.was_flagged, "why": why})
    if not sites and not more and (one.differing is not None or one.flagged == one.again):
        return None
    return {
        "run": one.ran.run_id,
        "as_of": one.ran.as_of.isoformat(),
        "flagged": one.flagged,
        "again": one.again,
        "sites": sites,
        "more": more,
    }
