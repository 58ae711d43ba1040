"""Questions to the lab: worked out once, by whoever claims them, and kept until something changes.

1. :func:`standing` tells whether the kept answer still holds, and how far a new one is.
2. Where it does not hold, :func:`claim` gives the question to one process; the database decides to whom.
3. :func:`work_out` walks, stamps the row with its progress, and keeps the answer. A process that dies leaves
   a stamp that grows stale, and the next who asks begins again.

Readings that come in while it is worked out do not begin it anew: where they come all the time, nobody would
ever see an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..clock import Clock
from ..extensions import db
from ..models import Event, Hold, LabResult, ReadingTurn, Run, Site
from ..models.types import EPOCH, from_microseconds
from ..readings.classifying import classify_urgent
from ..runs.queries import ENDED
from ..settings import service as settings_service
from ..settings.schema import Settings
from ..storage.connections import write
from ..storage.leases import LeaseLost, is_stale
from .agreement import agreement
from .flagged_now import flagged_now
from .slots import slots_of
from .walk import BENCHES, walk

STALE_AFTER = timedelta(minutes=1)
NOW_HOLDS = timedelta(hours=1)
"""For silence grows though nothing comes in."""
FRESH = timedelta(minutes=1)
"""So long an answer holds whatever readings came since it was begun."""
KEPT_FOR = timedelta(days=7)
"""So long an answer is kept that nobody has had renewed; it holds for a day at most."""
SPANS = (90, 365)
FORM = 2
"""Which form answers have: one that a former release has kept does not hold."""
NOW = 0
"""In place of a span: what each threshold would flag now."""


@dataclass(frozen=True)
class Question:
    """What is asked: a rule by its name, over how many days (or ``NOW``), of a group (empty: of all)."""

    rule: str
    days: int
    group: str = ""


@dataclass(frozen=True)
class Standing:
    """How a question stands: its answer, or how much of it (0 to 1) is worked out, or neither.

    ``is_waiting``: it is not begun, because another one is being worked out.
    """

    answer: dict[str, Any] | None = None
    progress: float | None = None
    is_waiting: bool = False


@dataclass(frozen=True)
class Claimed:
    """A question that this process is to work out, and the number of the attempt."""

    question: Question
    attempt: int


@dataclass(frozen=True)
class _Basis:
    """What an answer rests on: the settings with their slots, and the readings with their sites and runs."""

    settings: str
    readings: str


def standing(question: Question, now: datetime) -> Standing:
    """How a question stands."""
    kept = db.session.get(LabResult, (question.rule, question.days, question.group), populate_existing=True)
    basis = _basis(question, now)
    if kept is None or kept.settings != basis.settings:
        return Standing()
    if kept.answer is None:
        return Standing(progress=kept.progress) if _is_new(kept, now, STALE_AFTER) else Standing()
    holds = kept.readings == basis.readings or _is_new(kept, now, FRESH)
    return Standing(kept.answer) if holds else Standing()


def _is_new(kept: LabResult, now: datetime, than: timedelta) -> bool:
    return now - than <= kept.heartbeat_at <= now + than


def claim(question: Question, now: datetime) -> Claimed | None:
    """Take a question that has no answer; None where another process is at it, or was quicker."""
    basis = vars(_basis(question, now))
    fresh = basis | {"heartbeat_at": now, "progress": 0.0, "answer": None}
    key = {"rule": question.rule, "days": question.days, "group": question.group}
    with write() as session:
        insert = (postgresql if session.connection().dialect.name == "postgresql" else sqlite).insert
        free = or_(
            LabResult.settings != basis["settings"],
            LabResult.answer.is_not(None) & (LabResult.readings != basis["readings"]),
            LabResult.answer.is_(None) & is_stale(LabResult.heartbeat_at, now, STALE_AFTER),
        )
        taken = session.execute(
            insert(LabResult)
            .values(**key, **fresh, attempts=1)
            .on_conflict_do_update(
                index_elements=["rule", "days", "group"],
                set_=fresh | {"attempts": LabResult.attempts + 1},
                where=free,
            )
            .returning(LabResult.attempts)
        ).scalar_one_or_none()
    return Claimed(question, taken) if taken is not None else None


def work_out(claimed: Claimed, clock: Clock) -> None:
    """Answer a question. Raises LeaseLost where another process has taken it over."""
    question, policies = claimed.question, settings_service.current().policies
    db.session.rollback()
    told_at = clock()

    def progress(share: float) -> None:
        nonlocal told_at
        if clock() - told_at >= timedelta(seconds=1):
            told_at = clock()
            _stamp(claimed, told_at, progress=share)

    with db.engine.connect() as connection:
        if question.days == NOW:
            thresholds = flagged_now(connection, question.rule, policies, clock(), progress)
            answer: dict[str, Any] = {"thresholds": thresholds}
        else:
            answer = _walked(connection, question, policies.settings, clock(), progress)
    current = getattr(policies.settings.rule(question.rule), BENCHES[question.rule].field)
    _stamp(claimed, clock(), progress=1.0, answer={"current": current, **answer})


def expire(now: datetime) -> None:
    """Forget the answers to what nobody has asked for a week."""
    old = LabResult.heartbeat_at < now - KEPT_FOR
    found = db.session.scalar(select(LabResult.rule).where(old).limit(1))
    db.session.rollback()
    if found is not None:  # each tick looks, and on SQLite a write is waited for
        with write() as session:
            session.execute(delete(LabResult).where(old))


def _walked(
    connection: Connection,
    question: Question,
    settings: Settings,
    now: datetime,
    progress: Callable[[float], object],
) -> dict[str, Any]:
    slots = slots_of(settings.schedule, question.days, now)
    classify_urgent(connection, now)
    rule, group = question.rule, question.group
    tally = walk(connection, rule, settings, slots, group, lambda share: progress(share / 2))
    connection.rollback()
    agreed = agreement(connection, rule, slots, group, now, lambda share: progress((1 + share) / 2))
    return {
        "from": from_microseconds(slots.times[slots.first]).isoformat(),
        "to": from_microseconds(slots.times[-1]).isoformat(),
        "thresholds": [figures.document(value) for value, figures in tally.thresholds.items()],
        "sites": {str(given): keys for given, keys in tally.sites_by_thresholds.items()},
        "agreement": agreed,
    }


def _stamp(claimed: Claimed, now: datetime, **values: object) -> None:
    question = claimed.question
    mine = (
        LabResult.rule == question.rule,
        LabResult.days == question.days,
        LabResult.group == question.group,
        LabResult.attempts == claimed.attempt,
    )
    with write() as session:
        found = session.execute(
            update(LabResult).where(*mine).values(heartbeat_at=now, **values).returning(LabResult.days)
        ).one_or_none()
    if found is None:
        raise LeaseLost("the question was taken over; nothing more is written")


def _basis(question: Question, now: datetime) -> _Basis:
    stored = settings_service.current()
    if question.days == NOW:
        at = (now - EPOCH) // NOW_HOLDS
    else:
        at = slots_of(stored.settings.schedule, question.days, now).times[-1]
    # Whoever changes readings, or what is thought of them, takes a turn.
    turns = select(func.sum(ReadingTurn.turn)).scalar_subquery()
    of_sites = select(Event.id).where(Event.subject == "site").order_by(Event.id.desc()).limit(1)
    newest_site = select(func.max(Site.key)).scalar_subquery()
    newest_run = select(func.max(Run.id)).where(Run.slot.is_not(None), ENDED).scalar_subquery()
    released = select(func.max(Hold.decided_at)).scalar_subquery()
    parts = select(turns, of_sites.scalar_subquery(), newest_site, newest_run, released)
    found = db.session.execute(parts).one()
    return _Basis(f"{FORM} {stored.version} {at}", " ".join(map(str, found)))
