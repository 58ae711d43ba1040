"""Why a run flagged a site that the rule does not flag asked again, or the other way round.

Nothing of this is guessed where it is known: who was active and snoozed follows from the site's history, and
what its readings were worth from a walk over those that had been received by then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, func, literal, select, type_coerce

from ..models import Event, Import, Reading, ReplacedReading, Site
from ..models.quality import Quality
from ..models.types import EPOCH, Instant, microseconds_between, to_microseconds
from ..quality.register import Register
from ..quality.walk import Walked, walk
from ..readings.classifying import registers_of
from ..readings.decisions import DECIDED
from ..readings.meter_changes import RECORDED
from ..settings.policies import Policies
from ..storage.among import is_among
from .replay import Ran
from .slots import Slots
from .stream import Facts, series_of_rows
from .walk import BENCHES, LONGEST_WINDOW

REASONS = {
    "late_reading": "A reading came later, and the value that it may have replaced is not kept any more.",
    "decided_since": "Somebody has decided about its readings since, or recorded a meter change.",
    "snoozed_then": "It was snoozed then.",
    "inactive_then": "It was inactive then.",
    "inactive_now": "It is inactive now, and was not asked about again.",
    "changed_since": "The site was changed since.",
    "released": "The run's jobs were held. When they were released, the site had reported again.",
    "taken_back": "An import was taken back since.",
    "unknown": "Not known.",
}
CHANGED = frozenset({"monitored_from", "group", "capacity_kwp", "measure", "counts"})


@dataclass(frozen=True)
class Difference:
    """A site that either a run has flagged, or the rule asked again."""

    ran: Ran
    site_key: int
    was_flagged: bool


class _Site(NamedTuple):
    key: int
    site_id: str
    group: str
    active: bool
    snoozed_until: datetime | None
    monitored_from: date | None
    measure: str | None
    counts: str


class _Event(NamedTuple):
    at: datetime
    field: str
    before: str | None


class _Arrival(NamedTuple):
    """A value of an instant: microseconds since 1970, watt-hours, and when it was received, if known."""

    at: int
    value: int
    is_estimated: bool
    received: datetime | None
    import_id: int

    @property
    def rank(self) -> tuple[bool, bool, datetime | None, int]:
        """Of several values of an instant the greatest one stands: an actual one first, then the newest."""
        return not self.is_estimated, self.received is not None, self.received, self.import_id


def explain(
    connection: Connection, rule: str, differences: Collection[Difference], policies: Mapping[int, Policies]
) -> dict[Difference, str | None]:
    """One of the ``REASONS`` of each difference; None where by what was known then there is none.

    ``policies`` are those of the versions of settings that the runs used.
    """
    by_site: dict[int, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_site[difference.site_key].append(difference)
    found: dict[Difference, str | None] = {}
    for past in _pasts(connection, list(by_site)):
        for difference in by_site[past.site.key]:
            found[difference] = past.why(rule, difference, policies[difference.ran.settings_version])
    return found


def _pasts(connection: Connection, keys: Sequence[int]) -> Iterator["_Past"]:
    columns = [Site.__table__.c[name] for name in _Site._fields]
    sites = connection.execute(select(*columns).where(is_among(connection, Site.key, keys)))
    by_id = {site.site_id: site for site in map(_Site._make, sites)}
    events: dict[str, list[_Event]] = defaultdict(list)
    of_sites = select(Event.subject_id, Event.at, Event.field, Event.before).where(
        Event.subject == "site", is_among(connection, Event.subject_id, by_id)
    )
    for site_id, at, field, before in connection.execute(of_sites.order_by(Event.id)):
        events[site_id].append(_Event(at, field, before))
    registers = registers_of(connection, keys)
    taken_back = connection.scalar(select(func.max(Import.undone_at)))
    for site in by_id.values():
        yield _Past(connection, site, events[site.site_id], registers[site.key], taken_back)


@dataclass(frozen=True)
class _Past:
    """A site, its history in order, and what is known of its register by now."""

    connection: Connection
    site: _Site
    events: Sequence[_Event]
    register: Register
    taken_back: datetime | None

    def why(self, rule: str, difference: Difference, policies: Policies) -> str | None:
        """One of the ``REASONS``; None where by what was known then the rule does as the run did."""
        if self._is_flagged(rule, difference.ran, policies) == difference.was_flagged:
            return None
        return self._state(difference) or self._change(difference)

    def _state(self, difference: Difference) -> str | None:
        if difference.was_flagged:
            return None if self.site.active else "inactive_now"
        then = difference.ran.known_at
        active, snoozed_until = self._then("active", then), self._then("snoozed_until", then)
        if not (self.site.active if active is None else active.before == "true"):
            return "inactive_then"
        until = self.site.snoozed_until
        if snoozed_until is not None:
            until = datetime.fromisoformat(snoozed_until.before) if snoozed_until.before else None
        return "snoozed_then" if until is not None and until > difference.ran.as_of else None

    def _then(self, field: str, at: datetime) -> _Event | None:
        """The first change of a field since; what it was before that is what it was then."""
        return next((event for event in self.events if event.field == field and event.at > at), None)

    def _change(self, difference: Difference) -> str:
        ran = difference.ran
        since = {event.field for event in self.events if event.at > ran.known_at}
        if since & {DECIDED, RECORDED}:
            return "decided_since"
        if since & CHANGED:
            return "changed_since"
        if ran.known_at > ran.as_of and not difference.was_flagged:
            return "released"
        if self._has_late_readings(ran):
            return "late_reading"
        return "taken_back" if self.taken_back and self.taken_back > ran.known_at else "unknown"

    def _is_flagged(self, rule: str, ran: Ran, policies: Policies) -> bool:
        """What the rule says of the readings that had been received by then."""
        at, readings = to_microseconds(ran.as_of), self._received(ran)
        estimated = [place for place, reading in enumerate(readings) if reading.is_estimated]
        points = [(reading.at, reading.value) for reading in readings]
        walked = walk(points, self.register, estimated) if points else Walked([], [])
        site = Facts(self.site.key, self.site.monitored_from, self.site.measure, self.site.counts)
        worth = zip(readings, walked.qualities, walked.meters, strict=True)
        rows = [(site.key, reading.at, reading.value, quality, meter) for reading, quality, meter in worth]
        series = series_of_rows(site, rows)
        settings = policies.effective(self.site.site_id, self.site.group).combined
        bench = BENCHES[rule]
        judged, _ = bench.judge(settings)(series, Slots([at], 0, settings.schedule.zone))
        threshold = getattr(settings.rule(rule), bench.field)
        return any(flagged >> threshold & 1 for _, flagged, _ in judged)

    def _received(self, ran: Ran) -> list[_Arrival]:
        """The values until a run that stood then, as far as they are kept, in the order of their instants."""
        arrivals, at = self._arrivals, to_microseconds(ran.as_of)
        by_then = (
            [one for one in values if one.received is None or one.received <= ran.known_at]
            for instant, values in arrivals.items()
            if instant <= at
        )
        return [max(values, key=attrgetter("rank")) for values in by_then if values]

    def _has_late_readings(self, ran: Ran) -> bool:
        at = to_microseconds(ran.as_of)
        return any(
            all(one.received is not None and one.received > ran.known_at for one in values)
            for instant, values in self._arrivals.items()
            if at - LONGEST_WINDOW < instant <= at
        )

    @cached_property
    def _arrivals(self) -> dict[int, list[_Arrival]]:
        """The values of each instant at which there is a reading: the one that stands, and those replaced."""
        standing = _values(Reading, self.site.key, Reading.quality == int(Quality.ESTIMATED))
        found = {row[0]: [_Arrival(*row)] for row in self.connection.execute(standing)}
        for row in self.connection.execute(
            _values(ReplacedReading, self.site.key, ReplacedReading.is_estimated)
        ):
            if row[0] in found:
                found[row[0]].append(_Arrival(*row))
        return found


def _values(of: Any, site_key: int, is_estimated: Any) -> Select[*tuple[Any, ...]]:
    at = type_coerce(microseconds_between(of.reading_date, literal(EPOCH, Instant)), BigInteger)
    value, import_id = type_coerce(of.reading_value, BigInteger), func.coalesce(of.import_id, 0)
    found = select(at, value, is_estimated, of.received, import_id).where(of.site_key == site_key)
    return found.order_by(of.reading_date)
