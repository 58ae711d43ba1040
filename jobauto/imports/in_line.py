"""New readings that are good whatever their history says, as nearly all are; the sites of others are marked.

The steps from one reading to the next are looked at while the file is read, all of a batch at once. What is
left for the transaction that stores them is each site's newest reading before: it is looked up when the site
is met, and then remembered until somebody else takes the site's turn.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import compress, count, islice, pairwise
from operator import ne, sub
from typing import NamedTuple

from sqlalchemy import Connection

from ..quality.register import Point
from ..quality.tail import in_line
from ..readings.classifying import registers_of
from ..readings.said import spoken_of
from ..readings.turns import stripe_of, take_turns
from ..storage.marks import mark
from .bulk import Bulk, ReadingKey, Ready, Span, Tail

SMALL = 40_000
"""A rise of so many watt-hours is in line at every site whose capacity is not smaller than 1.67 kWp."""
REMEMBERED = 50_000
"""So many sites at most, so that memory stays bounded however large the fleet is."""

_Known = tuple[int, int, int] | None
"""A site's newest reading: instant, watt-hours, meter. None where nothing is to be done: it is marked, or
sends the energy of intervals."""


class Steps(NamedTuple):
    """What a batch, sorted by site and time, is like: the place of each site's first row, sites with a step
    that is not small, and those of them that fall."""

    starts: Sequence[int]
    steep: Collection[int]
    falling: set[int]


NO_STEPS = Steps([], (), set())


def steps_of(site_keys: Sequence[int], values: Sequence[int]) -> Steps:
    """Look at the steps of a batch that is sorted."""
    starts = [0, *compress(count(1), map(ne, site_keys, islice(site_keys, 1, None)))]
    steps = map(sub, islice(values, 1, None), values)
    steep = [place for place, step in enumerate(steps, 1) if not 0 <= step <= SMALL]
    within = [place for place in steep if site_keys[place] == site_keys[place - 1]]
    falling = {site_keys[place] for place in within if values[place] < values[place - 1]}
    return Steps(starts, {site_keys[place] for place in within}, falling)


class Tails:
    """The newest readings of the sites of one import, as it left them in its last turn."""

    def __init__(self, connection: Connection, bulk: Bulk) -> None:
        self._connection = connection
        self._bulk = bulk
        self._turns: dict[int, int] = {}
        self._spoken: set[int] = set()
        self.known: dict[int, _Known] = {}
        self.has_marked = False
        self.claimed: set[int] = set()
        """Sites that had no measure before."""

    def take(self, site_keys: Collection[int]) -> "Newcomers":
        """Begin a transaction that stores readings of these sites."""
        turns = take_turns(self._connection, site_keys)
        missed = {stripe for stripe, turn in turns.items() if self._turns.get(stripe) != turn - 1}
        if len(self.known) > REMEMBERED:
            self.known.clear()
        if missed and self.known:
            self.known = {key: tail for key, tail in self.known.items() if stripe_of(key) not in missed}
        unknown = [key for key in site_keys if key not in self.known]
        found = {tail.site_key: tail for tail in self._bulk.tails(unknown)} if unknown else {}
        if missed:  # whoever says something of a site takes its turn as well, or has it marked
            self._spoken = spoken_of(self._connection)
        for key in self._spoken & found.keys():
            found[key] = found[key]._replace(is_troubled=True)
        return Newcomers(self, self._connection, self._bulk, turns, found)

    def keep(self, newcomers: "Newcomers") -> None:
        """The transaction has come to its end, and this is how things stand."""
        self._turns |= newcomers.turns
        self.known |= newcomers.known
        self.claimed |= newcomers.claimed
        self.has_marked = self.has_marked or bool(newcomers.marked)


class Newcomers:
    """Sees to the qualities of what a transaction stores."""

    def __init__(
        self, tails: Tails, connection: Connection, bulk: Bulk, turns: dict[int, int], met: dict[int, Tail]
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
        self.known: dict[int, _Known] = {}
        self.marked: set[int] = set()
        self.claimed: set[int] = set()

    def look(self, rows: Sequence[Ready], steps: Steps) -> None:
        """Look at new rows, which are sorted, while they are stored: nothing is asked of the database."""
        self._has_looked = True
        known, odd = self._tails.known, {*steps.steep, *self._special}
        for start, end in pairwise([*steps.starts, len(rows)]):
            key, at, value = rows[start]
            tail = known[key] if key in known else self._met_tail(key, at, value)
            if tail is None:
                continue
            before, register, meter = tail
            if at <= before:
                self._doubt(key)
            elif key in odd or not 0 <= value - register <= SMALL:
                self._exactly.append((start, end, (before, register), meter))
            elif meter:
                self._accept((rows[start], rows[end - 1]), meter)
            else:  # nearly all, and of a file by day each row: without a call
                _, newest, register = rows[end - 1]
                self.known[key] = newest, register, 0

    def settle(self, rows: Sequence[Ready], steps: Steps) -> None:
        """The rows have been stored."""
        if not self._has_looked:
            self.look(rows, steps)
        self._look_exactly(rows)
        mark(self._connection, self.marked)
        if self._spans:
            self._bulk.set_meters(self._spans)
        self._make_registers()

    def settle_changed(self, changed: Iterable[ReadingKey], values: dict[ReadingKey, int]) -> None:
        """The same of rows that may have replaced others, and are not sorted."""
        rows = sorted((*key, values[key]) for key in changed)
        if rows:
            keys, _, registers = zip(*rows, strict=True)
            self.settle(rows, steps_of(keys, registers))

    def settle_estimated(self, changed: Iterable[ReadingKey]) -> None:
        """The same of estimated rows, which take no part but may have replaced others."""
        for key, _ in changed:
            if key not in self._met or self._met[key].measure != "interval":
                self._doubt(key)
        mark(self._connection, self.marked)
        self._make_registers()

    def _make_registers(self) -> None:
        if unset := [key for key, tail in self._met.items() if tail.measure is None]:
            self._bulk.make_registers(unset)
            self.claimed.update(unset)

    def _met_tail(self, key: int, at: int, value: int) -> _Known:
        """What a site's new readings must be in line with; None where there is nothing to be done."""
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
