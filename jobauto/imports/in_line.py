"""New readings that are good whatever their history says, as nearly all are; the sites of others are marked.

The steps from one reading to the next are looked at while the file is read, all of a batch at once. What is
left for the transaction that stores them is each site's newest reading before: it is looked up when the site
is met, and then remembered until somebody else takes the site's turn.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress, count, islice, repeat
from operator import gt, ne, sub
from typing import NamedTuple

from sqlalchemy import Connection

from ..quality.register import Point
from ..quality.tail import in_line
from ..readings.classifying import registers_of
from ..readings.said import spoken_of
from ..readings.turns import stripe_of, take_turns
from ..storage.marks import mark
from . import measures
from .bulk.way import Bulk, ReadingKey, Ready, Span, Tail
from .seen import Columns

SMALL = 40_000
"""A rise of so many watt-hours is in line at every site whose capacity is not smaller than 1.67 kWp."""
REMEMBERED = 100_000
"""So many sites at most, so that memory stays bounded however large the fleet is."""
NEVER = 1 << 63
"""Later than every instant."""

_Known = tuple[int, int, int] | None
"""A site's newest reading: instant, watt-hours, meter. None where nothing is to be done: it is marked, or
sends the energy of intervals."""


class Steps(NamedTuple):
    """What a batch, sorted by site and time, is like.

    For each site the place, instant and value of its first row, and of its last; then the sites with a step
    that is not small, and those of them that fall.
    """

    starts: Sequence[int]
    site_keys: Sequence[int]
    first_instants: Sequence[int]
    first_values: Sequence[int]
    last_instants: Sequence[int]
    last_values: Sequence[int]
    steep: Collection[int]
    falling: set[int]


NO_STEPS = Steps((), (), (), (), (), (), (), set())


def steps_of(columns: Columns) -> Steps:
    """Look at the steps of a batch that is sorted, and has a row at least."""
    site_keys, instants, values = columns
    starts = [0, *compress(count(1), map(ne, site_keys, islice(site_keys, 1, None)))]
    if len(starts) == len(site_keys):  # a row a site, as in a file by day
        return Steps(starts, site_keys, instants, values, instants, values, (), set())
    steps = map(sub, islice(values, 1, None), values)
    steep = [place for place, step in enumerate(steps, 1) if not 0 <= step <= SMALL]
    within = [place for place in steep if site_keys[place] == site_keys[place - 1]]
    falling = {site_keys[place] for place in within if values[place] < values[place - 1]}
    ends = [start - 1 for start in starts[1:]] + [len(site_keys) - 1]
    return Steps(
        starts=starts,
        site_keys=[site_keys[place] for place in starts],
        first_instants=[instants[place] for place in starts],
        first_values=[values[place] for place in starts],
        last_instants=[instants[place] for place in ends],
        last_values=[values[place] for place in ends],
        steep={site_keys[place] for place in within},
        falling=falling,
    )


class Tails:
    """The newest readings of the sites of one import, as it left them in its last turn.

    Nearly all are kept as ``instants`` and ``values``: of sites on their first meter, where any small rise is
    in line. So a batch is looked at without a step of Python a site.
    """

    def __init__(self, connection: Connection, bulk: Bulk) -> None:
        self._connection = connection
        self._bulk = bulk
        self._turns: dict[int, int] = {}
        self._spoken: set[int] = set()
        self.instants: dict[int, int] = {}
        self.values: dict[int, int] = {}
        self.others: dict[int, _Known] = {}
        self.has_marked = False

    def take(self, site_keys: Collection[int], intervals: Collection[int] = ()) -> "Newcomers":
        """Begin a transaction that stores readings of these sites, some of them energies of intervals.

        Raises OtherMeasure where they were read as what they are not.
        """
        turns = take_turns(self._connection, site_keys)
        missed = {stripe for stripe, turn in turns.items() if self._turns.get(stripe) != turn - 1}
        self._forget(missed)
        known, others = self.instants, self.others
        unknown = [key for key in site_keys if key not in known and key not in others]
        found = {tail.site_key: tail for tail in self._bulk.tails(unknown)} if unknown else {}
        if missed:  # whoever says something of a site takes its turn as well, or has it marked
            self._spoken = spoken_of(self._connection)
        for key in self._spoken & found.keys():
            found[key] = found[key]._replace(is_troubled=True)
        # Whoever changes a measure takes the turn as well: what is remembered has not changed.
        compared = measures.compare(found.values(), intervals)
        if compared.others:
            raise measures.OtherMeasure(compared.others)
        measures.claim(self._connection, compared.unset)
        for key in compared.unset:
            found[key] = found[key]._replace(measure="interval")
        return Newcomers(self, self._connection, self._bulk, turns, found, compared.unset)

    def keep(self, newcomers: "Newcomers") -> None:
        """The transaction has come to its end, and this is how things stand."""
        self._turns |= newcomers.turns
        steps = newcomers.steps
        self.instants.update(zip(steps.site_keys, steps.last_instants, strict=True))
        self.values.update(zip(steps.site_keys, steps.last_values, strict=True))
        for key in newcomers.looked_at:
            self._drop(key)
        for key, tail in newcomers.known.items():
            self._drop(key)
            if tail is not None and tail[2] == 0:
                self.instants[key], self.values[key], _ = tail
            else:
                self.others[key] = tail
        self.has_marked = self.has_marked or bool(newcomers.marked)

    def _forget(self, stripes: Collection[int]) -> None:
        """Sites that somebody else may have changed; and all, where they would become too many."""
        if len(self.instants) + len(self.others) > REMEMBERED:
            for kept in (self.instants, self.values, self.others):
                kept.clear()
        elif stripes:
            for key in [key for key in chain(self.instants, self.others) if stripe_of(key) in stripes]:
                self._drop(key)

    def _drop(self, key: int) -> None:
        self.instants.pop(key, None)
        self.values.pop(key, None)
        self.others.pop(key, None)


class Newcomers:
    """Sees to the qualities of what a transaction stores.

    ``claimed`` are sites that have their measure from it. ``known`` is how it leaves those sites that were
    ``looked_at`` one by one; a site that is not in it has to be looked up each time.
    """

    def __init__(
        self,
        tails: Tails,
        connection: Connection,
        bulk: Bulk,
        turns: dict[int, int],
        met: dict[int, Tail],
        claimed: Collection[int],
    ) -> None:
        self._connection = connection
        self._bulk = bulk
        self._tails = tails
        self._met = met
        self._special = {key for key, tail in met.items() if _is_special(tail)}
        self._spans: list[Span] = []
        self._exactly: list[tuple[int, int, Point, int]] = []
        self._has_looked = False
        self.turns = turns
        self.claimed = claimed
        self.steps = NO_STEPS
        self.looked_at: list[int] = []
        self.known: dict[int, _Known] = {}
        self.marked: set[int] = set()

    def look(self, rows: Sequence[Ready], steps: Steps) -> None:
        """Look at new rows, which are sorted, while they are stored: nothing is asked of the database."""
        self._has_looked = True
        self.steps = steps
        odd = {*steps.steep, *self._special}
        ends = [*steps.starts[1:], len(rows)]
        for place in self._not_at_once(steps):
            key = steps.site_keys[place]
            self.looked_at.append(key)
            self._look_at(key, rows, steps.starts[place], ends[place], is_odd=key in odd)

    def settle(self, rows: Sequence[Ready], steps: Steps) -> None:
        """The rows have been stored."""
        if not self._has_looked:
            self.look(rows, steps)
        self._look_exactly(rows)
        mark(self._connection, self.marked)
        if self._spans:
            self._bulk.set_meters(self._spans)

    def settle_changed(self, changed: Iterable[ReadingKey], values: dict[ReadingKey, int]) -> None:
        """The same of rows that may have replaced others, and are not sorted."""
        rows = sorted((*key, values[key]) for key in changed)
        if rows:
            site_keys, instants, registers = zip(*rows, strict=True)
            self.settle(rows, steps_of((site_keys, instants, registers)))

    def settle_estimated(self, changed: Iterable[ReadingKey]) -> None:
        """The same of estimated rows, which take no part but may have replaced others."""
        for key, _ in changed:
            if key not in self._met or self._met[key].measure != "interval":
                self._doubt(key)
        mark(self._connection, self.marked)

    def doubt(self, site_keys: Iterable[int]) -> None:
        """Have sites walked whose readings were changed otherwise."""
        for key in site_keys:
            self._doubt(key)
        mark(self._connection, self.marked)

    def _not_at_once(self, steps: Steps) -> list[int]:
        """The places of those sites whose rows are not known to be in line by their first and last alone."""
        instants = map(self._tails.instants.get, steps.site_keys, repeat(NEVER))
        values = map(self._tails.values.get, steps.site_keys, repeat(0))
        are_later = list(map(gt, steps.first_instants, instants))
        rises = list(map(sub, steps.first_values, values))
        places: list[int] = []
        if not (all(are_later) and min(rises) >= 0 and max(rises) <= SMALL):
            both = enumerate(zip(are_later, rises, strict=True))
            places = [place for place, (is_later, rise) in both if not (is_later and 0 <= rise <= SMALL)]
        if steps.steep:
            steep = (place for place, key in enumerate(steps.site_keys) if key in steps.steep)
            places = sorted({*places, *steep})
        return places

    def _look_at(self, key: int, rows: Sequence[Ready], start: int, end: int, *, is_odd: bool) -> None:
        _, at, value = rows[start]
        tail = self._tail(key, at, value)
        if tail is None:
            return
        before, register, meter = tail
        if at <= before:
            self._doubt(key)
        elif is_odd or not 0 <= value - register <= SMALL:
            self._exactly.append((start, end, (before, register), meter))
        else:
            self._accept((rows[start], rows[end - 1]), meter)

    def _tail(self, key: int, at: int, value: int) -> _Known:
        """What a site's new readings must be in line with; None where there is nothing to be done."""
        if key in self._tails.instants:
            return self._tails.instants[key], self._tails.values[key], 0
        if key in self._tails.others:
            self.known[key] = self._tails.others[key]
            return self.known[key]
        tail = self._met[key]
        if tail.measure == "interval":
            self.known[key] = None
            return None
        if tail.quality or tail.is_troubled:
            self._doubt(key)
            return None
        if tail.at is None:
            return at - 1, value, 0
        return tail.at, tail.value, tail.meter

    def _look_exactly(self, rows: Sequence[Ready]) -> None:
        """At steps that are in line at some sites only."""
        site_keys = [rows[start][0] for start, *_ in self._exactly]
        registers = registers_of(self._connection, site_keys) if site_keys else {}
        for start, end, before, meter in self._exactly:
            new = rows[start:end]
            if in_line(before, [row[1:] for row in new], registers[new[0][0]]):
                self._accept(new, meter)
            else:
                self._doubt(new[0][0])

    def _accept(self, rows: Sequence[Ready], meter: int) -> None:
        """A site's new rows, or the first and the last of them, are good."""
        key, newest, value = rows[-1]
        if key not in self._special:
            self.known[key] = newest, value, meter
        if meter:
            self._spans.append(Span(key, rows[0][1], newest, meter))

    def _doubt(self, key: int) -> None:
        self.marked.add(key)
        self.known[key] = None


def _is_special(tail: Tail) -> bool:
    """Whether a small rise may not be in line at a site."""
    return tail.counts == "down" or (tail.capacity is not None and tail.capacity * 24 < SMALL)
