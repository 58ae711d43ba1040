"""Seeing that a fault is gone, and that it is back."""

from sqlalchemy import ColumnElement, Connection, String, cast, exists, insert, literal, null, select, update

from ..models import Event, Job, Site
from ..models.job import STILL_OPEN
from ..models.types import Instant
from ..rules.rule import FLAGGED, VERDICT
from .opening import Opening

RESOLUTION = "recovered"


def mark_recovered(connection: Connection, opening: Opening) -> None:
    """Bring the rule's jobs in line with what it said of their sites, in a handful of statements.

    1. A site that was judged and has no verdict is ok: its jobs of the rule that were not yet recovered
       are, as of now, where the rule asks for no more. Missing data is a verdict (``not_assessable``), and
       an inactive or snoozed site is not judged: neither is a recovery. Closed jobs are marked too, since a
       recovery ends ``reopen_after_days``.
    2. An open job whose site is flagged is not recovered (any more).
    3. With ``auto_close_recovered``, recovered jobs that nobody has touched are closed.
    """
    now = opening.now
    of_rule = Job.rule == opening.rule.name
    connection.execute(
        update(Job)
        .where(of_rule, Job.recovered_at.is_(None), _is_over(opening))
        .values(recovered_at=opening.moment.as_of, recovered_run_id=opening.run_id)
    )
    connection.execute(
        update(Job)
        .where(of_rule, STILL_OPEN, Job.recovered_at.is_not(None), _has_verdict(VERDICT.c.verdict == FLAGGED))
        .values(recovered_at=null(), recovered_run_id=null())
    )
    if opening.settings.auto_close_recovered:
        untouched = (of_rule, STILL_OPEN, Job.recovered_at.is_not(None), ~Job.touched)
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


def _is_over(opening: Opening) -> ColumnElement[bool]:
    judged = exists(select(Site.key)).where(Site.key == Job.site_key, opening.moment.sites_to_check())
    is_ok = judged & ~_has_verdict()
    if opening.rule.recovered is None:
        return is_ok
    return is_ok & opening.rule.recovered(opening.settings, opening.moment)
