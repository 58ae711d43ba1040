"""From readings that are ready to the table, in short transactions, with the counts of what was done.

1. Compare a batch with what is stored. If all of it is, that is all: the same file again writes nothing.
2. If none of it is, insert it; and the next batches without asking, until one meets something stored, or the
   same key twice. Then none of that batch is inserted.
3. Else reject rows of a key whose values are not all equal, and store the others that differ from what is
   stored. A row that differs from what this very import has stored contradicts the rows before: all are
   rejected, and what they did is taken back.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import NamedTuple, cast

from sqlalchemy import Connection, select

from ..models import Import
from ..models.types import from_microseconds
from ..readings.turns import OthersSince, stripe_of
from ..storage.connections import write_on
from .bulk.way import AlreadyStored, Bulk, Comparison, ReadingKey, Ready, Stamp, WhileWaiting
from .contradictions import IN_READINGS, describe, rejected_together
from .in_line import NO_STEPS, Newcomers, Steps, Tails, steps_of
from .making_way import make_way
from .measures import OtherMeasure
from .result import ImportResult
from .rows import Rejected
from .seen import Columns, Met, Seen
from .taking_back import Part
from .traces import Trace

Number = Callable[[], int | None]
"""The number of an import, asked for when it is about to store the first reading; None: it has none."""
AT_ONCE = 500
"""So many sites at most, and instants, have readings taken back in a statement."""


@dataclass(frozen=True)
class Batch:
    """Readings that can be stored: in the order of the file with their lines, as columns, and sorted.

    ``rejected`` are the rows among them that cannot be, ``steps`` what it is like once it is sorted,
    ``estimated`` the readings that no row of it says are actual, and ``intervals`` the sites whose values
    were read as energies of intervals.
    """

    lines: Sequence[int]
    columns: Columns
    ready: Sequence[Ready]
    rejected: list[Rejected]
    steps: Steps = NO_STEPS
    estimated: Collection[ReadingKey] = ()
    intervals: Collection[int] = ()

    def without(self, site_keys: Collection[int]) -> "tuple[Batch, list[Rejected]]":
        """The batch without some sites, and their rows, which are rejected."""
        is_kept = [key not in site_keys for key in self.columns[0]]
        ready = [row for row in self.ready if row[0] not in site_keys]
        rest = replace(
            self,
            lines=list(compress(self.lines, is_kept)),
            columns=cast("Columns", tuple(list(compress(column, is_kept)) for column in self.columns)),
            ready=ready,
            steps=steps_of(cast("Columns", tuple(zip(*ready, strict=True)))) if ready else NO_STEPS,
            estimated=frozenset(key for key in self.estimated if key[0] not in site_keys),
        )
        others = zip(self.lines, self.columns[0], is_kept, strict=True)
        return rest, [Rejected(line, self._why(key)) for line, key, kept in others if not kept]

    def _why(self, site_key: int) -> str:
        was, other = ("interval", "register") if site_key in self.intervals else ("register", "interval")
        return f"reading_value was read as {was}, and its site has meanwhile become one of {other}s"


class _Done(NamedTuple):
    """How many readings were new, and how many replaced another value."""

    new: int
    updated: int


NOTHING = _Done(0, 0)


class _Former(NamedTuple):
    """Readings of a batch that former ones had as well: those that they contradict, actual ones of which they
    had estimates of the same value, and all of which they had actual ones."""

    against: dict[ReadingKey, Met]
    outdone: dict[ReadingKey, Met]
    actual: Collection[ReadingKey]


NO_FORMER = _Former({}, {}, ())


class Store:
    """Takes the batches of one import. A dry run only compares, and says the same."""

    def __init__(
        self,
        connection: Connection,
        bulk: Bulk,
        result: ImportResult,
        seen: Seen,
        refused: Seen,
        number: Number,
        *,
        dry_run: bool,
    ) -> None:
        self._connection = connection
        self._bulk = bulk
        self._result = result
        self._dry_run = dry_run
        self._expects_new = False
        self._seen = seen
        self._refused = refused
        self._number = number
        self._estimated: set[ReadingKey] = set()
        self._of_other_measure: set[int] = set()
        self.trace = Trace()
        self.tails = Tails(connection, bulk)
        with connection.begin():
            is_first = not _has_begun_since(connection, bulk.stamp)
            self._others = OthersSince(connection, know_former=is_first)

    def add(self, batch: Batch, while_waiting: WhileWaiting) -> list[Rejected]:
        """Store a batch; returns the rows that contradict others, or what has become of their sites."""
        batch, refused = batch.without(self._of_other_measure) if self._of_other_measure else (batch, [])
        if not batch.lines:
            return refused
        try:
            rejected = refused + self._add(batch, while_waiting)
        except OtherMeasure as error:  # rolled back: the others may be stored
            self._of_other_measure.update(error.site_keys)
            return refused + self.add(batch, while_waiting)
        self._seen.add(batch.lines, batch.columns)
        if not self._dry_run:
            self.trace.add(batch.columns, batch.intervals)
        return rejected

    def taken(self) -> set[int]:
        """The sites of which rows were taken, be they new or not."""
        return self.trace.taken(self._seen, self._refused)

    def number_it(self) -> None:
        """Have a number for the import, which is about to change something."""
        received, import_id = self._bulk.stamp
        if import_id is None:
            self._bulk.stamp = Stamp(received, self._number())

    def end(self, *, is_whole: bool = True) -> None:
        """Keep what it takes to undo the import; where it was broken off, of what it has stored."""
        if self._dry_run:
            return
        met_some = is_whole and self._result.unchanged > 0
        if met_some and self._has_to_look_again():
            self.number_it()
        stamp = self._bulk.stamp
        if stamp.import_id is None:
            return
        if not met_some:
            self.trace.keep(self._connection, stamp)
            return
        again = self.trace.keep_confirmed(
            self._connection, self._bulk, self._seen, self._refused, self._estimated, self._others
        )
        self._result.unchanged -= sum(again)
        self._result.new += again.new
        self._result.updated += again.updated
        self.tails.has_marked = self.tails.has_marked or any(again)

    def _has_to_look_again(self) -> bool:
        with self._connection.begin():
            return self._others.have_come(self._connection)

    def _add(self, batch: Batch, while_waiting: WhileWaiting) -> list[Rejected]:
        if self._dry_run or self._refused or batch.estimated or self._has_estimated(batch):
            return self._one_by_one(batch)
        if not self._expects_new:
            with self._connection.begin():
                found = self._bulk.compare(batch.ready, while_waiting)
            if found.same == len(batch.ready):
                self._result.unchanged += len(batch.ready)
                return []
            self._expects_new = not found.stored
        if self._expects_new and self._insert(batch, while_waiting):
            self._result.new += len(batch.ready)
            return []
        return self._one_by_one(batch)

    def _insert(self, batch: Batch, while_waiting: WhileWaiting) -> bool:
        self.number_it()
        try:
            with write_on(self._connection):
                newcomers = self._take(batch.steps.site_keys, batch)
                self._make_way(newcomers, batch.ready)
                self._bulk.insert(batch.ready, _after(newcomers, batch, while_waiting))
                newcomers.settle(batch.ready, batch.steps)
        except AlreadyStored:
            self._expects_new = False
            return False
        self._keep(newcomers)
        return True

    def _keep(self, newcomers: Newcomers) -> None:
        self.tails.keep(newcomers)
        self._others.took(newcomers.turns)

    def _take(self, site_keys: Collection[int], batch: Batch) -> Newcomers:
        newcomers = self.tails.take(site_keys, batch.intervals)
        if newcomers.claimed:
            self.trace.keep_claimed(self._connection, self._bulk.stamp, newcomers.claimed, batch.columns)
        return newcomers

    def _has_estimated(self, batch: Batch) -> bool:
        sites, instants, _ = batch.columns
        return bool(self._estimated) and not self._estimated.isdisjoint(zip(sites, instants, strict=True))

    def _one_by_one(self, batch: Batch) -> list[Rejected]:
        values, contradicted = _by_key(batch)
        rejected = self._meet_refused(values, batch)
        former = NO_FORMER
        if self._dry_run:
            with self._connection.begin():
                former = self._meet_seen(values, contradicted, values, batch)
                found = self._compare(values, batch.estimated)
                taken, outdone = self._would_have_done(former.against), self._would_have_done(former.outdone)
        else:
            self.number_it()
            with write_on(self._connection):
                newcomers, taken, outdone = None, NOTHING, NOTHING
                found = self._compare(values, batch.estimated)
                has_estimated = batch.estimated or self._has_estimated(batch)
                if self._seen and (contradicted or found.same < found.stored or has_estimated):
                    differing = self._bulk.differing(_rows(values))
                    differing.update(
                        key for key in values if key in self._estimated or key in batch.estimated
                    )
                    former = self._meet_seen(values, contradicted, differing, batch)
                    found = self._compare(values, batch.estimated)
                # The same file again takes no turn, for it writes nothing.
                if found.same < len(values) or batch.estimated or former.against or former.outdone:
                    newcomers = self._take({key for key, _ in [*values, *former.against]}, batch)
                    if self._others.were_before(newcomers.turns):  # they may have stored the same
                        found = self._compare(values, batch.estimated)
                    taken, outdone = self._take_back(former.against), self._outdo(former.outdone)
                    self._change(values, batch, newcomers, replaces=found.same < found.stored)
                    newcomers.doubt({key for key, _ in former.against})
            if newcomers:
                self._keep(newcomers)
        earlier = sum(len(first.lines) for first in former.against.values())
        here = sum(map(len, contradicted.values())) - earlier + len(rejected)
        self._result.new += len(values) - found.stored - taken.new - outdone.new
        self._result.updated += found.stored - found.same - taken.updated - outdone.updated
        self._result.unchanged += found.same + len(batch.lines) - here - len(values) + sum(outdone)
        self._result.unchanged -= earlier - sum(taken)
        self._estimated -= former.outdone.keys()
        self._estimated.update(key for key in batch.estimated if key not in former.actual)
        if contradicted:
            self._refuse(contradicted)
        return rejected + rejected_together(contradicted, IN_READINGS)

    def _would_have_done(self, first: dict[ReadingKey, Met]) -> _Done:
        """What former batches of a dry run counted these readings as."""
        stood = self._compare({key: met.value for key, met in first.items()}, self._estimated)
        return _Done(len(first) - stood.stored, stood.stored - stood.same)

    def _compare(self, values: dict[ReadingKey, int], estimated: Collection[ReadingKey]) -> Comparison:
        actual, others = _parts(values, estimated)
        found = self._bulk.compare(actual)
        if not others:
            return found
        beside = self._bulk.compare(others, estimated=True)
        return Comparison(found.stored + beside.stored, found.same + beside.same)

    def _change(
        self, values: dict[ReadingKey, int], batch: Batch, newcomers: Newcomers, *, replaces: bool
    ) -> None:
        actual, estimated = _parts(values, batch.estimated)
        self._make_way(newcomers, actual)
        self._make_way(newcomers, estimated, is_estimated=True)
        if replaces:
            self._bulk.keep_replaced(actual)
            self._bulk.keep_replaced(estimated, estimated=True)
        newcomers.settle_changed(self._bulk.change(actual), values)
        if estimated:
            self._bulk.keep_outranked(estimated)
            newcomers.settle_estimated(self._bulk.change(estimated, estimated=True))

    def _make_way(self, newcomers: Newcomers, rows: Sequence[Ready], *, is_estimated: bool = False) -> None:
        stripes = self._others.were_before(newcomers.turns)
        if stripes and _has_begun_since(self._connection, self._bulk.stamp):
            others = [row for row in rows if stripe_of(row[0]) in stripes]
            make_way(self._connection, self._bulk.stamp, others, is_estimated=is_estimated)

    def _meet_refused(self, values: dict[ReadingKey, int], batch: Batch) -> list[Rejected]:
        """Take out, and reject, rows whose key was refused in a former batch."""
        met = self._refused.find(values)
        for key in met:
            del values[key]
        return [
            Rejected(line, describe([met[key].lines[0], line], IN_READINGS))
            for line, key in _lines_of(batch, met)
        ]

    def _meet_seen(
        self,
        values: dict[ReadingKey, int],
        contradicted: dict[ReadingKey, list[int]],
        keys: Collection[ReadingKey],
        batch: Batch,
    ) -> _Former:
        """Some of the ``values``, and what is ``contradicted``, as former batches had it.

        All lines of what they contradict are then ``contradicted``. What they had as well is taken out of
        ``values``, but for an actual reading where they had an estimate.
        """
        new = contradicted.keys() - self._refused.find(contradicted).keys()
        met = self._seen.find([*keys, *new])
        against = {key: first for key, first in met.items() if values.get(key) != first.value}
        equal = met.keys() - against.keys()
        outdone = {key: met[key] for key in equal if key in self._estimated and key not in batch.estimated}
        for key in met.keys() - outdone.keys():
            values.pop(key, None)
        contradicted |= {key: [*first.lines] for key, first in against.items()}
        for line, key in _lines_of(batch, against):
            contradicted[key].append(line)
        return _Former(against, outdone, met.keys() - self._estimated)

    def _take_back(self, keys: Collection[ReadingKey]) -> _Done:
        """Take back what former batches did with some readings; what that was."""
        new = updated = 0
        for part in self._parts_of(keys):
            were_new, replaced = part.count()
            new, updated = new + were_new, updated + replaced
            part.take_back()
        return _Done(new, updated)

    def _outdo(self, keys: Collection[ReadingKey]) -> _Done:
        """Forget the estimates of former batches for which there are actual readings of the same value; how
        many of them stand, so that the actual ones change nothing that counts."""
        standing = 0
        for part in self._parts_of(keys):
            standing += part.count_standing()
            part.forget_outranked()
        return _Done(0, standing)

    def _parts_of(self, keys: Collection[ReadingKey]) -> Iterator[Part]:
        received, import_id = self._bulk.stamp
        for site_keys, instants in _products(keys):
            if import_id is None or received is None:
                raise ValueError("Rows that contradict each other need an import with a number.")
            at = [from_microseconds(instant) for instant in instants]
            yield Part(self._connection, import_id, site_keys, at[0], at[-1], received, received, at)

    def _refuse(self, contradicted: dict[ReadingKey, list[int]]) -> None:
        sites, instants = zip(*contradicted, strict=True)
        self._refused.add([lines[0] for lines in contradicted.values()], (sites, instants, [0] * len(sites)))


def _has_begun_since(connection: Connection, stamp: Stamp) -> bool:
    """Whether another import has begun since this one was received, so that what stands may be its own.

    Imports that were received later leave nothing of theirs to this one when they are taken back.
    """
    since = (Import.pass_began_at >= stamp.received, Import.id != (stamp.import_id or 0))
    return connection.scalar(select(Import.id).where(*since).limit(1)) is not None


def _after(newcomers: Newcomers, batch: Batch, while_waiting: WhileWaiting) -> WhileWaiting:
    def look_and_fetch() -> None:
        newcomers.look(batch.ready, batch.steps)
        while_waiting()

    return look_and_fetch


def _by_key(batch: Batch) -> tuple[dict[ReadingKey, int], dict[ReadingKey, list[int]]]:
    """The value of each key whose rows agree; and the lines of those whose rows do not."""
    values: dict[ReadingKey, int] = {}
    contradicted: dict[ReadingKey, list[int]] = {}
    for site_key, instant, value in zip(*batch.columns, strict=True):
        if values.setdefault((site_key, instant), value) != value:
            contradicted[site_key, instant] = []
    for line, key in _lines_of(batch, contradicted):
        contradicted[key].append(line)
    for key in contradicted:
        del values[key]
    return values, contradicted


def _lines_of(batch: Batch, keys: Iterable[ReadingKey]) -> list[tuple[int, ReadingKey]]:
    """The rows of some keys."""
    wanted = frozenset(keys)
    if not wanted:
        return []
    sites, instants, _ = batch.columns
    every = zip(batch.lines, zip(sites, instants, strict=True), strict=True)
    return [(line, key) for line, key in every if key in wanted]


def _products(keys: Iterable[ReadingKey]) -> Iterator[tuple[list[int], Sequence[int]]]:
    """The same readings as sites and the instants that all of these have, not too many of either."""
    instants_of: defaultdict[int, list[int]] = defaultdict(list)
    for site_key, instant in sorted(keys):
        instants_of[site_key].append(instant)
    sites_of: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for site_key, instants in instants_of.items():
        for start in range(0, len(instants), AT_ONCE):
            sites_of[tuple(instants[start : start + AT_ONCE])].append(site_key)
    for some, sites in sites_of.items():
        for start in range(0, len(sites), AT_ONCE):
            yield sites[start : start + AT_ONCE], some


def _parts(
    values: dict[ReadingKey, int], estimated: Collection[ReadingKey]
) -> tuple[list[Ready], list[Ready]]:
    """The actual readings and the estimated ones."""
    if not estimated:
        return _rows(values), []
    others = {key: value for key, value in values.items() if key in estimated}
    return _rows({key: value for key, value in values.items() if key not in others}), _rows(others)


def _rows(values: dict[ReadingKey, int]) -> list[Ready]:
    return sorted((*key, value) for key, value in values.items())
