"""What is asked about runs."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, select

from ..models import Hold, Run, RunRule
from ..models.run import SLOT_TAKEN

ATTEMPTS_AT_ONCE = 3
RETRY_EVERY = timedelta(hours=1)
"""After so many crashes a slot is tried again only so often: what kills its process may do so again."""

ENDED = Run.status.not_in(("running", "crashed"))
"""Whether a run went to its end. A crashed one did not: its slot is run again, and so are its verdicts."""


def newest_first(before_id: int | None = None) -> Select[Any]:
    """All runs, or those before one."""
    return select(Run).where(*([Run.id < before_id] if before_id else [])).order_by(Run.id.desc())


def last_finished() -> Select[Any]:
    """The run that ended last, however it ended."""
    return select(Run).where(Run.finished_at.is_not(None)).order_by(Run.finished_at.desc()).limit(1)


def last_succeeded() -> Select[Any]:
    """The newest run that succeeded."""
    return select(Run).where(Run.status == "succeeded").order_by(Run.id.desc()).limit(1)


def newest_of_rule(rule: str) -> Select[Run, RunRule]:
    """The newest run that went to its end and asked a rule, and what the rule did in it."""
    return (
        select(Run, RunRule)
        .join(RunRule, RunRule.run_id == Run.id)
        .where(RunRule.rule == rule, RunRule.status != "skipped", ENDED)
        .order_by(Run.id.desc())
        .limit(1)
    )


def newest_judged(rule: str) -> Select[int, datetime, int | None]:
    """(id, as_of, newest site) of the newest run that went to its end in which a rule judged the fleet."""
    judged = (RunRule.status.in_(("succeeded", "held")), RunRule.newest_site.is_not(None))
    newest = newest_of_rule(rule).where(*judged)
    return newest.with_only_columns(Run.id, Run.as_of, RunRule.newest_site)


def under_way() -> Select[Any]:
    """The run that is running, if any."""
    return select(Run).where(Run.status == "running")


def waiting() -> Select[Any]:
    """The runs whose held jobs wait for a decision, newest first: not before the run has ended."""
    undecided = select(Hold.run_id).where(Hold.decision.is_(None))
    return select(Run).where(Run.id.in_(undecided), ENDED).order_by(Run.id.desc())


def any_demo() -> Select[Any]:
    """Whether there are runs of the demo, as there are with its fleet."""
    return select(exists().where(Run.is_demo))


def slot_is_taken(slot: date) -> Select[Any]:
    """Whether the scheduled run of a date was started, and did not crash."""
    return select(exists().where(Run.slot == slot, SLOT_TAKEN))


def slots_taken(since: date) -> Select[date | None]:
    """The slots from a date on that get no run any more."""
    return select(Run.slot).where(Run.slot >= since, SLOT_TAKEN)


def slot_rests(slot: date, now: datetime) -> Select[bool]:
    """Whether the runs of a slot have crashed so often, the last so lately, that it is not tried yet."""
    has_lately_crashed = func.max(Run.started_at).between(now - RETRY_EVERY, now)
    return select(and_(func.count() >= ATTEMPTS_AT_ONCE, has_lately_crashed)).where(
        Run.slot == slot, Run.status == "crashed"
    )
