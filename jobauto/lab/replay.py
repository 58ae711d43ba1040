"""A stored run asked again: the rule's own statement, at the run's instant, on what was received by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, literal, or_, select

from ..detection.combinations import question
from ..models import ReplacedReading, Site
from ..rules.moment import Moment
from ..rules.rule import FLAGGED, Rule
from ..settings.policies import Policies


@dataclass(frozen=True)
class Ran:
    """What a rule did in a run, as far as it can be asked again.

    It knew what had come in until ``known_at``: that is ``as_of``, or, where held jobs were released, then.
    It flagged so many sites (``flagged``), and knew none beyond ``newest_site``, which came later.
    ``is_whole``: none of its sites has been removed since.
    """

    run_id: int
    as_of: datetime
    known_at: datetime
    settings_version: int
    flagged: int
    newest_site: int | None
    is_whole: bool


@dataclass(frozen=True, kw_only=True)
class Replay(Moment):
    """A moment that is past. The sites are those of now, of a ``group`` or (empty) of the fleet.

    So are their states: who is active now is asked about, snoozed then or not.
    """

    ran: Ran
    group: str = ""

    def sites_to_check(self) -> ColumnElement[bool]:
        """Which sites get a verdict."""
        wanted: list[ColumnElement[bool]] = [Site.active.expression]
        if self.ran.newest_site is not None:
            wanted.append(Site.key <= self.ran.newest_site)
        if self.group:
            wanted.append(Site.group == self.group)
        if self.among is not None:
            wanted.append(self.among)
        return and_(*wanted)

    def known(self, of: Any) -> Sequence[ColumnElement[bool]]:
        """A reading of which a value was received by then, or nobody knows when.

        That may be one which has been corrected since: then the correction stands in for it. An estimate is
        none; a reading that came in its place was not known.
        """
        corrected = (
            select(literal(1))
            .where(
                ReplacedReading.site_key == of.site_key,
                ReplacedReading.reading_date == of.reading_date,
                ~ReplacedReading.is_estimated,
                self._by_then(ReplacedReading),
            )
            .limit(1)  # with IS NOT NULL a seek, whatever the planner believes
            .correlate(of)
            .scalar_subquery()
        )
        return (or_(self._by_then(of), corrected.is_not(None)),)

    def _by_then(self, value: Any) -> ColumnElement[bool]:
        return or_(value.received.is_(None), value.received <= self.ran.known_at)


def flagged_again(connection: Connection, rule: Rule, policies: Policies, ran: Ran, group: str) -> set[int]:
    """The keys of the sites that the rule flags now, asked as it was in the run."""
    moment = Replay(**vars(policies.settings.moment(ran.as_of)), ran=ran, group=group)
    asked = question(connection, rule, policies)
    if asked is None:
        return set()
    said = rule.verdicts(asked.asked, asked.about(moment)).subquery("said")
    return set(connection.scalars(select(said.c.site_key).where(said.c.verdict == FLAGGED)))
