"""Seeing that a fault is gone, and that it is back."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    cast,
    exists,
    false,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from ..models import Event, Job, Site
from ..models.job import STILL_OPEN
from ..models.types import Instant
from ..rules.rule import FLAGGED, VERDICT
from ..rules.settings import RuleSettings
from .combinations import Combination
from .opening import Opening
from .verdicts import SWITCHED_OFF, UNJUDGED

RESOLUTION = "recovered"


def mark_recovered(connection: Connection, opening: Opening) -> None:
    """Bring the rule's jobs in line with what it said of their sites, in a handful of statements.

    1. A site that was judged and has no verdict is ok: its jobs of the rule that were not yet recovered
       are, as of now, where the rule asks for no more. Missing data is a verdict (``not_assessable``), and
       an inactive or snoozed site is not judged: neither is a recovery. Closed jobs are marked too, since a
       recovery ends ``reopen_after_days``.
    2. An open job whose site is flagged is not recovered (any more).
    3. Where ``auto_close_recovered`` holds, recovered jobs that nobody has touched are closed.
    """
    of_rule = and_(Job.rule == opening.rule.name, Job.covers.is_(None))
    is_over = is_ok(opening, Job.site_key) & _has_recovered(opening)
    connection.execute(
        update(Job)
        .where(of_rule, Job.recovered_at.is_(None), is_over)
        .values(recovered_at=opening.moment.as_of, recovered_run_id=opening.run_id)
    )
    is_back = _has_verdict(Job.site_key, VERDICT.c.verdict == FLAGGED)
    connection.execute(
        update(Job)
        .where(of_rule, STILL_OPEN, Job.recovered_at.is_not(None), is_back)
        .values(recovered_at=null(), recovered_run_id=null())
    )
    closing = [one for one in opening.combinations if one.settings.auto_close_recovered]
    if closing or opening.settings.auto_close_recovered:
        _close_untouched(connection, opening, closing)


def _close_untouched(connection: Connection, opening: Opening, closing: Sequence[Combination]) -> None:
    untouched = (
        Job.rule == opening.rule.name,
        STILL_OPEN,
        Job.recovered_at.is_not(None),
        ~Job.touched,
        _closes_itself(opening, closing),
    )
    # Locked: else somebody might begin to work one of them between its history and its closing.
    connection.execute(update(Job).where(*untouched).values(touched=false()))
    for field, before, after in (
        ("status", Job.status, "closed"),
        ("resolution", Job.resolution, RESOLUTION),
    ):
        kept = select(
            literal(opening.now, Instant),
            literal("job"),
            cast(Job.id, String),
            literal(field),
            before,
            literal(after),
        ).where(*untouched)
        names = ["at", "subject", "subject_id", "field", "before", "after"]
        connection.execute(insert(Event).from_select(names, kept))
    connection.execute(
        update(Job).where(*untouched).values(status="closed", resolution=RESOLUTION, closed_at=opening.now)
    )


def _closes_itself(opening: Opening, closing: Sequence[Combination]) -> ColumnElement[bool]:
    """Whether ``auto_close_recovered`` holds for a job: that of its site, or of an incident the fleet's."""
    is_incident = Job.covers.is_not(None)
    of_sites = ~is_incident & _is_site_of(closing) if closing else false()
    return of_sites | is_incident if opening.settings.auto_close_recovered else of_sites


def is_ok(opening: Opening, site_key: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether a site was judged and has no verdict, by its key in a table that lies with it."""
    judged = exists(select(Site.key)).where(Site.key == site_key, opening.moment.sites_to_check())
    return judged & ~_is_switched_off(opening, site_key) & ~_has_verdict(site_key)


def is_judged(opening: Opening) -> ColumnElement[bool]:
    """Whether the rule judged a site."""
    return opening.moment.sites_to_check() & ~_is_switched_off(opening, Site.key)


def _has_verdict(
    site_key: InstrumentedAttribute[int], *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    # Behind a name of its own, because a distributed database asks its temporary tables first.
    said = select(VERDICT.c.site_key).where(*conditions).cte("said")
    return exists(select(said.c.site_key)).where(said.c.site_key == site_key)


def _is_switched_off(opening: Opening, site_key: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    if all(combination.settings.enabled for combination in opening.combinations):
        return false()
    off = select(UNJUDGED.c.site_key).where(UNJUDGED.c.reason == SWITCHED_OFF).cte("off")
    return exists(select(off.c.site_key)).where(off.c.site_key == site_key)


def _has_recovered(opening: Opening) -> ColumnElement[bool]:
    """What the rule asks for beside the site being ok, by the settings that hold for it."""
    recovered = opening.rule.recovered
    if recovered is None:
        return true()
    alike: dict[RuleSettings, list[Combination]] = {}
    for combination in opening.combinations:
        alike.setdefault(combination.settings.judging(), []).append(combination)
    if len(alike) == 1:
        return recovered(opening.combinations[0].settings, opening.moment)
    return or_(
        *(
            _is_site_of(of_these) & recovered(settings, opening.moment)
            for settings, of_these in alike.items()
            if settings.enabled
        )
    )


def _is_site_of(combinations: Sequence[Combination]) -> ColumnElement[bool]:
    some = [one.sites for one in combinations if one.sites is not None]
    return exists(select(Site.key)).where(Site.key == Job.site_key, or_(*some)) if some else true()
