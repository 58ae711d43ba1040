"""Seeing that a fault is gone, and that it is back."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    cast,
    exists,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from ..models import Event, Job, Site
from ..models.job import STILL_OPEN
from ..models.types import Instant
from ..rules.rule import FLAGGED, VERDICT
from .combinations import Combination
from .opening import Opening
from .verdicts import SWITCHED_OFF, UNJUDGED

RESOLUTION = "recovered"


def mark_recovered(connection: Connection, opening: Opening) -> None:
    """Bring the rule's jobs in line with what it said of their sites, in a handful of statements.

    1. A site that was judged and has no verdict is ok: its jobs of the rule that were not yet recovered
       are, as of now. Missing data is a verdict (``not_assessable``), and an inactive or snoozed site is
       not judged: neither is a recovery. Closed jobs are marked too, since a recovery ends
       ``reopen_after_days``.
    2. An open job whose site is flagged is not recovered (any more).
    3. Where ``auto_close_recovered`` holds, recovered jobs that nobody has touched are closed.
    """
    now = opening.now
    of_rule = Job.rule == opening.rule.name
    connection.execute(
        update(Job)
        .where(of_rule, Job.recovered_at.is_(None), _is_ok(opening))
        .values(recovered_at=opening.moment.as_of, recovered_run_id=opening.run_id)
    )
    connection.execute(
        update(Job)
        .where(of_rule, STILL_OPEN, Job.recovered_at.is_not(None), _has_verdict(VERDICT.c.verdict == FLAGGED))
        .values(recovered_at=null(), recovered_run_id=null())
    )
    closing = [one for one in opening.combinations if one.settings.auto_close_recovered]
    if closing:
        untouched = (of_rule, STILL_OPEN, Job.recovered_at.is_not(None), ~Job.touched, _is_site_of(closing))
        for field, before, after in (
            ("status", Job.status, "closed"),
            ("resolution", Job.resolution, RESOLUTION),
        ):
            kept = select(
                literal(now, Instant),
                literal("job"),
                cast(Job.id, String),
                literal(field),
                before,
                literal(after),
            ).where(*untouched)
            names = ["at", "subject", "subject_id", "field", "before", "after"]
            connection.execute(insert(Event).from_select(names, kept))
        connection.execute(
            update(Job).where(*untouched).values(status="closed", resolution=RESOLUTION, closed_at=now)
        )


def _has_verdict(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    # Behind a name of its own, because a distributed database asks its temporary tables first.
    said = select(VERDICT.c.site_key).where(*conditions).cte("said")
    return exists(select(said.c.site_key)).where(said.c.site_key == Job.site_key)


def _is_ok(opening: Opening) -> ColumnElement[bool]:
    judged = exists(select(Site.key)).where(Site.key == Job.site_key, opening.moment.sites_to_check())
    if all(combination.settings.enabled for combination in opening.combinations):
        return judged & ~_has_verdict()
    off = select(UNJUDGED.c.site_key).where(UNJUDGED.c.reason == SWITCHED_OFF).cte("off")
    is_off = exists(select(off.c.site_key)).where(off.c.site_key == Job.site_key)
    return judged & ~is_off & ~_has_verdict()


def _is_site_of(combinations: Sequence[Combination]) -> ColumnElement[bool]:
    some = [one.sites for one in combinations if one.sites is not None]
    return exists(select(Site.key)).where(Site.key == Job.site_key, or_(*some)) if some else true()
