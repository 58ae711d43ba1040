"""What people have said of the registers of sites, as a walk wants it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from ..models import DecidedReading, Decision, MeterChange
from ..models.quality import ReviewDecision, ReviewKind
from ..models.types import WATT_HOURS, to_microseconds
from ..quality import register
from ..quality.register import Point
from ..storage.among import is_among


@dataclass(frozen=True)
class Said:
    """The recorded meter changes of a site, and the decisions about its reviews in their order."""

    changes: list[int] = field(default_factory=list)
    decisions: list[register.Decision] = field(default_factory=list)


def said_of(connection: Connection, site_keys: Sequence[int]) -> defaultdict[int, Said]:
    """What was said of each site; nothing of most."""
    said: defaultdict[int, Said] = defaultdict(Said)
    changes = select(MeterChange.site_key, MeterChange.changed_at).where(
        is_among(connection, MeterChange.site_key, site_keys)
    )
    for site_key, changed_at in connection.execute(changes):
        said[site_key].changes.append(to_microseconds(changed_at))
    decisions = (
        select(Decision.site_key, Decision.id, Decision.kind, Decision.decision)
        .where(is_among(connection, Decision.site_key, site_keys))
        .order_by(Decision.decided_at, Decision.id)
    )
    found = connection.execute(decisions).all()
    points = _points(connection, [row.id for row in found])
    for row in found:
        said[row.site_key].decisions.append(
            register.Decision(
                row.id, ReviewKind(row.kind), ReviewDecision(row.decision), tuple(points[row.id])
            )
        )
    return said


def spoken_of(connection: Connection) -> set[int]:
    """The sites about which anybody has said anything, which are few."""
    return set(connection.scalars(select(MeterChange.site_key).union(select(Decision.site_key))))


def _points(connection: Connection, decisions: Collection[int]) -> defaultdict[int, list[Point]]:
    points: defaultdict[int, list[Point]] = defaultdict(list)
    if decisions:
        query = (
            select(DecidedReading.decision_id, DecidedReading.reading_date, DecidedReading.reading_value)
            .where(DecidedReading.decision_id.in_(decisions))
            .order_by(DecidedReading.reading_date)
        )
        for decision, instant, value in connection.execute(query):
            points[decision].append((to_microseconds(instant), int(value * WATT_HOURS)))
    return points
