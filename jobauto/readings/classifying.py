"""From all readings of a site to what each of them is worth, stored beside it.

What a reading is worth is a pure function (:mod:`jobauto.quality`) of all that is known of its site. So it
does not matter who asks it, when, or how often:

1. An import stores new readings as good where they are in line, which nearly all are, and marks the other
   sites (:mod:`jobauto.storage.marks`). At its end it has the marked sites walked.
2. Whoever looks at a fleet while sites are marked has them walked first.
3. What is not urgent, such as a fleet that comes from a former version, is walked by the tick.

What follows for jobs that were marked as recovered is stored with it (:mod:`jobauto.readings.recoveries`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    type_coerce,
    update,
)

from ..audit.service import Author
from ..extensions import db
from ..models import Decision, Reading, Review, SettingsVersion, Site, ToClassify
from ..models.quality import Quality, ReviewKind
from ..models.types import (
    EPOCH,
    WATT_HOURS,
    Instant,
    from_microseconds,
    from_watt_hours,
    microseconds_between,
    to_microseconds,
)
from ..quality import reviews
from ..quality.register import Register
from ..quality.walk import Walked, finds_nothing, walk
from ..settings.stored import read_stored
from ..storage.among import is_among
from ..storage.connections import insert, write_on
from ..storage.marks import marked, unmark
from .recoveries import review_recoveries
from .said import said_of
from .turns import take_turns

SMALLEST, LARGEST = 4, 1024
"""Sites that are walked in one transaction: more where they have few readings."""
READINGS = 20_000
"""So many readings are walked in a transaction, about: some hundredths of a second."""
AT_ONCE = 1000
"""Changes and reviews of a site that are written by one statement: each takes a kilobyte of memory."""
_TURN = 0x6A6F6277
"""Of all who would do what is not urgent, one does. (Their number among advisory locks: "jobw".)"""

Item = TypeVar("Item")
Progress = Callable[[int], object]
"""Told how many sites were classified, after each transaction."""


class _Row(NamedTuple):
    site_key: int
    at: int
    value: int
    quality: int
    meter: int


def classify_urgent(connection: Connection, now: datetime) -> None:
    """Have every site classified that nobody may look at before; each chunk in a transaction of its own."""
    for _ in _chunks(connection, now, urgent=True):
        pass


def classify_waiting(connection: Connection, now: datetime, progress: Progress = lambda _: None) -> int:
    """Classify what is urgent, and then all that waits, unless another process is at that; returns how many
    sites that was.

    It may be interrupted at any time, and goes on where it was.
    """
    classify_urgent(connection, now)
    done = 0
    for sites in _chunks(connection, now, urgent=False):
        done += sites
        progress(done)
    return done


@contextmanager
def all_classified(connection: Connection, now: datetime) -> Iterator[None]:
    """A read transaction that sees one instant, at which every site is classified that must be."""
    while True:
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            if not marked(connection, 1, urgent=True):
                yield
                return
        classify_urgent(connection, now)


def require_classified(site_key: int, now: datetime) -> bool:
    """Classify a site that somebody is about to look at, if it is to be; whether it was.

    Then the session's transaction has ended.
    """
    is_marked = select(ToClassify.site_key).where(ToClassify.site_key == site_key, ToClassify.urgent)
    if db.session.scalar(is_marked) is None:
        return False
    db.session.rollback()
    with db.engine.connect() as connection, write_on(connection):
        classify(connection, [site_key], Author(None, now))
    return True


def _chunks(connection: Connection, now: datetime, *, urgent: bool) -> Iterator[int]:
    """Classify chunk by chunk; how many sites of each."""
    with connection.begin():
        if not marked(connection, 1, urgent=urgent):
            return  # as nearly always: each tick asks, and SQLite has one writer at a time
    size = SMALLEST
    while True:
        with write_on(connection):
            if not urgent and not _is_our_turn(connection):
                return
            site_keys = marked(connection, size, urgent=urgent)
            if not site_keys:
                return
            readings = classify(connection, site_keys, Author(None, now), of_closed=urgent)
        yield len(site_keys)
        size = min(LARGEST, size * 2) if readings < READINGS else max(SMALLEST, size // 2)


def _is_our_turn(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:turn)"), {"turn": _TURN}))


def classify(
    connection: Connection, site_keys: Sequence[int], author: Author, *, of_closed: bool = True
) -> int:
    """Walk all readings of some sites and store what changes; returns how many readings there are.

    It is part of a write transaction, whose changes of these sites it sees. The ``author`` is whose change it
    is that qualities follow, which histories of jobs say; those of closed jobs with ``of_closed``.
    """
    take_turns(connection, site_keys)
    urgent = unmark(connection, site_keys)  # first: a mark that comes from now on stays
    registers = registers_of(connection, site_keys)
    found = _summaries(connection, list(registers))
    with_reviews = set(
        connection.scalars(select(Review.site_key).where(is_among(connection, Review.site_key, site_keys)))
    )
    to_walk = [
        summary
        for summary in found
        if summary.site_key in with_reviews or not _is_plain(summary, registers[summary.site_key])
    ]
    changed: set[int] = set()
    for sites in _held_together(to_walk):
        for site_key, group in groupby(_rows(connection, sites), itemgetter(0)):
            readings = list(group)
            walked = _walk(readings, registers[site_key])
            for some in _some_at_a_time(_changes(readings, walked)):
                connection.execute(_UPDATE, some)
                changed.add(site_key)
            if walked.reviews or site_key in with_reviews:
                _store_reviews(connection, site_key, walked.reviews)
    for site_key in with_reviews.difference(summary.site_key for summary in found):
        _store_reviews(connection, site_key, [])  # its readings are gone
    review_recoveries(connection, changed, urgent, author, of_closed=of_closed)
    return sum(summary.readings for summary in found)


def registers_of(connection: Connection, site_keys: Sequence[int]) -> dict[int, Register]:
    """What is known of the registers of sites."""
    tolerance = fall_tolerance(connection)
    said = said_of(connection, site_keys)
    found = select(Site.key, Site.capacity_kwp, Site.measure, Site.counts).where(
        is_among(connection, Site.key, site_keys)
    )
    return {
        key: Register(
            capacity_kwp=capacity,
            counts_down=counts == "down",
            is_interval=measure == "interval",
            fall_tolerance=tolerance,
            changes=said[key].changes,
            decisions=said[key].decisions,
        )
        for key, capacity, measure, counts in connection.execute(found)
    }


def fall_tolerance(connection: Connection) -> int:
    """By how many watt-hours a register may fall, by the settings in force."""
    newest = select(SettingsVersion.document).order_by(SettingsVersion.version.desc()).limit(1)
    settings, _ = read_stored(connection.scalar(newest) or {})
    return int(settings.readings.fall_tolerance * WATT_HOURS)


def _summaries(connection: Connection, site_keys: Collection[int]) -> Sequence[Any]:
    """What is stored of each site that has readings, and their smallest and largest step.

    That is all that is asked of nearly all sites: their readings need not pass by here.
    """
    value = type_coerce(Reading.reading_value, BigInteger)
    before = func.lag(value).over(partition_by=Reading.site_key, order_by=Reading.reading_date)
    steps = (
        select(Reading.site_key, Reading.quality, Reading.meter, (value - before).label("step"))
        .where(is_among(connection, Reading.site_key, site_keys))
        .subquery("steps")
    )
    query = select(
        steps.c.site_key,
        func.count().label("readings"),
        func.max(steps.c.quality).label("quality"),
        func.max(steps.c.meter).label("meter"),
        func.min(steps.c.step).label("least"),
        func.max(steps.c.step).label("most"),
    ).group_by(steps.c.site_key)
    return connection.execute(query).all()


def _is_plain(summary: Any, register: Register) -> bool:
    """Whether a walk would leave the site's readings as they are stored, good and of its first meter."""
    if summary.quality or summary.meter or register.changes or register.decisions:
        return False
    return finds_nothing(summary.least or 0, summary.most or 0, register)


def _held_together(summaries: Sequence[Any]) -> Iterator[list[int]]:
    """The sites whose readings are held at once: as many as have few, or one that has many."""
    sites: list[int] = []
    readings = 0
    for summary in summaries:
        readings += summary.readings
        if sites and readings > READINGS:
            yield sites
            sites, readings = [], summary.readings
        sites.append(summary.site_key)
    if sites:
        yield sites


def _rows(connection: Connection, site_keys: Sequence[int]) -> Sequence[Any]:
    """The readings as numbers."""
    at = type_coerce(microseconds_between(Reading.reading_date, literal(EPOCH, Instant)), BigInteger)
    value = type_coerce(Reading.reading_value, BigInteger)
    query = (
        select(Reading.site_key, at.label("at"), value.label("value"), Reading.quality, Reading.meter)
        .where(is_among(connection, Reading.site_key, site_keys))
        .order_by(Reading.site_key, Reading.reading_date)
    )
    return connection.execute(query).all()


def _walk(readings: Sequence[_Row], register: Register) -> Walked:
    _, at, value, quality, _ = zip(*readings, strict=True)
    estimated = [place for place, one in enumerate(quality) if one == Quality.ESTIMATED]
    return walk(list(zip(at, value, strict=True)), register, estimated)


_UPDATE = (
    update(Reading)
    .where(
        Reading.site_key == bindparam("of"),
        Reading.reading_date >= bindparam("first"),
        Reading.reading_date <= bindparam("last"),
    )
    .values(quality=bindparam("new_quality"), meter=bindparam("new_meter"))
)


def _changes(readings: Sequence[_Row], walked: Walked) -> Iterator[dict[str, Any]]:
    """What to write: a statement for readings that follow one another and become the same."""
    _, _, _, qualities, meters = zip(*readings, strict=True)
    if list(qualities) == list(walked.qualities) and list(meters) == list(walked.meters):
        return
    wanted = zip(walked.qualities, walked.meters, strict=True)
    stored = zip(qualities, meters, strict=True)
    becomes = (new if new != old else None for new, old in zip(wanted, stored, strict=True))
    place = 0
    for new, group in groupby(becomes):
        count = sum(1 for _ in group)
        if new is not None:
            first, last = readings[place], readings[place + count - 1]
            yield {
                "of": first.site_key,
                "first": from_microseconds(first.at),
                "last": from_microseconds(last.at),
                "new_quality": new[0],
                "new_meter": new[1],
            }
        place += count


def _store_reviews(connection: Connection, site_key: int, found: Sequence[reviews.Review]) -> None:
    """Make a site's reviews these. One keeps its id as long as its first reading is in doubt."""
    # Two decisions are about the same first reading where the first one of an older decision is gone.
    kept = {(review.since, _is_unsteady(review)): review for review in found}
    stored = select(Review.id, Review.started_at, Review.is_unsteady).where(Review.site_key == site_key)
    gone = [
        number
        for number, started_at, is_unsteady in connection.execute(stored)
        if (to_microseconds(started_at), is_unsteady) not in kept
    ]
    for some in _some_at_a_time(gone):
        connection.execute(delete(Review).where(Review.site_key == site_key, Review.id.in_(some)))
    for made in _some_at_a_time(kept.values()):
        _store_some_reviews(connection, site_key, made)


def _store_some_reviews(connection: Connection, site_key: int, made: Sequence[reviews.Review]) -> None:
    by_people = [review.decided for review in made if review.decided is not None]
    decided = select(Decision.id, Decision.decided_by, Decision.decided_at).where(Decision.id.in_(by_people))
    authors = {number: who for number, *who in connection.execute(decided)} if by_people else {}
    rows = [_review(site_key, review) | _author(review, authors) for review in made]
    statement = insert(connection, Review)
    key = ["site_key", "started_at", "is_unsteady"]
    told = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=told), rows)


def _some_at_a_time(items: Iterable[Item]) -> Iterator[list[Item]]:
    """What is written at once: of a site that sends nonsense, each reading may be a change or a review."""
    remaining = iter(items)
    while some := list(islice(remaining, AT_ONCE)):
        yield some


def _is_unsteady(review: reviews.Review) -> bool:
    return review.kind is ReviewKind.UNSTEADY


def _author(review: reviews.Review, authors: dict[int, list[Any]]) -> dict[str, Any]:
    """Which decision made the review what it is, whose, and when; nobody's where the program decided."""
    decided_by, decided_at = authors.get(review.decided or 0, (None, None))
    return {"decision_id": review.decided, "decided_by": decided_by, "decided_at": decided_at}


def _review(site_key: int, review: reviews.Review) -> dict[str, Any]:
    def kwh(watt_hours: int | None) -> Any:
        return None if watt_hours is None else from_watt_hours(watt_hours)

    return {
        "site_key": site_key,
        "is_unsteady": _is_unsteady(review),
        "kind": review.kind.value,
        "started_at": from_microseconds(review.since),
        "ended_at": from_microseconds(review.until),
        "readings": len(review.places),
        "before": kwh(review.before),
        "first": kwh(review.first),
        "last": kwh(review.last),
        "after": kwh(review.after),
        "limit_per_day": kwh(review.limit),
        "capacity_too_small": review.capacity_too_small,
        "state": "open" if review.is_open else "decided",
        "decision": review.decision.value if review.decision else None,
    }
