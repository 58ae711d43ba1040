"""What an import leaves behind of itself, so that it can be taken back (:mod:`.undo`).

Of each of its sites the first and the last instant, in a statement for all of them: what it added is found by
these. Where it met values that stood and were the same, it also says between which instants *all* readings of
a site are as its file has them. So they stay when the import that brought them is taken back.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Connection,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ..models import Import, ImportSite, Reading
from ..models.types import Instant, from_microseconds, to_microseconds
from ..readings.turns import OthersSince, stripe_of, take_turns
from ..storage.among import is_among
from ..storage.connections import write_on
from . import measures, sources
from .bulk.way import Bulk, ReadingKey, Ready, Stamp
from .seen import Columns, Seen
from .storing_again import Again, store_again

SITES = 500
"""So many sites are looked at in a statement."""
ROWS = 100_000
"""So many rows, about, are in memory at once where they are looked at again."""
_KEEP = """
    INSERT INTO import_site (import_id, site_key, first_at, last_at, received, confirms, claimed)
    SELECT :import_id, wanted.value, :first_at, :last_at, :received, :confirms, :claimed FROM {} WHERE true"""
_TYPED: list[BindParameter[Any]] = [
    *(bindparam(name, type_=Instant) for name in ("first_at", "last_at", "received")),
    *(bindparam(name, type_=Boolean) for name in ("confirms", "claimed")),
]
_KEEPS = {
    "sqlite": text(_KEEP.format("json_each(:site_keys) AS wanted")).bindparams(
        bindparam("site_keys", type_=String), *_TYPED
    ),
    "postgresql": text(_KEEP.format("unnest(:site_keys) AS wanted (value)")).bindparams(
        bindparam("site_keys", type_=ARRAY(BigInteger)), *_TYPED
    ),
}


class Trace:
    """The sites of one import, as its batches go by."""

    def __init__(self) -> None:
        self._rows: Counter[int] = Counter()
        self._first: int | None = None
        self._last: int | None = None
        self._intervals: set[int] = set()
        self._claimed: set[int] = set()
        self._given: dict[int, datetime] = {}

    def add(self, columns: Columns, intervals: Collection[int] = ()) -> None:
        """A batch that is stored, or stood already; ``intervals`` are the sites that were read as such."""
        self._intervals.update(intervals)
        sites, instants, _ = columns
        self._rows.update(sites)
        first, last = min(instants), max(instants)
        self._first = first if self._first is None else min(self._first, first)
        self._last = last if self._last is None else max(self._last, last)

    def taken(self, seen: Seen, refused: Seen) -> set[int]:
        """The sites of which not all rows were refused because they contradict each other."""
        doubtful = {key for key, *_ in refused.of_sites(self._rows)}
        taken = self._rows.keys() - doubtful
        for keys in self._some_rows(doubtful):
            taken |= {key for key, *_ in _own(keys, seen, refused)}
        return taken

    def keep_claimed(
        self, connection: Connection, stamp: Stamp, site_keys: Collection[int], columns: Columns
    ) -> None:
        """Keep at once that sites which had no measure have it from a batch, of which each has a row."""
        if stamp.import_id is not None:
            _, instants, _ = columns
            span = from_microseconds(min(instants)), from_microseconds(max(instants))
            self._keep_sites(connection, stamp, site_keys, span, confirms=False, claimed=True)

    def keep(self, connection: Connection, stamp: Stamp) -> None:
        """Keep where the import has stored readings. What stands of it has its number."""
        with write_on(connection):
            self._begin(connection, stamp)
            self._keep(connection, stamp, self._rows, confirms=False)
            sources.keep_given(connection, stamp.import_id, self._given)

    def keep_confirmed(
        self,
        connection: Connection,
        bulk: Bulk,
        seen: Seen,
        refused: Seen,
        estimated: Collection[ReadingKey],
        others_since: OthersSince,
    ) -> Again:
        """The same of an import that met some of its readings: they stood already, and were the same.

        Others may have taken them away since, as an undo does. Then they are stored; returns how many were.
        ``estimated`` are the import's readings that are no actual ones.
        """
        new = updated = 0
        others: set[int] = set()
        with write_on(connection):
            stripes = others_since.were_before(take_turns(connection, self._rows))
            self._begin(connection, bulk.stamp)
            for keys in self._some_rows(key for key in self._rows if stripe_of(key) in stripes):
                compared = measures.compare(bulk.tails(keys), self._intervals)
                others |= compared.others
                own = _own(set(keys) - others, seen, refused)
                unset = compared.unset.intersection(key for key, _, _ in own)
                measures.claim(connection, unset)
                self._claimed |= unset
                again = store_again(connection, bulk, own, self._span(), estimated)
                new, updated = new + again.new, updated + again.updated
            whole = self._whole(connection) - others - {key for key, *_ in refused.of_sites(self._rows)}
            self._keep(connection, bulk.stamp, whole, confirms=True)
            for keys in self._some_rows(self._rows.keys() - whole - others):
                self._keep_spans(connection, bulk.stamp, keys, _own(keys, seen, refused))
            sources.keep_given(connection, bulk.stamp.import_id, self._given)
        return Again(new, updated)

    def _begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin anew, where a process before this one has died in the middle of the import."""
        own = ImportSite.import_id == stamp.import_id
        claimed = select(ImportSite.site_key).where(own, ImportSite.claimed)
        self._claimed.update(connection.scalars(claimed))
        self._given = sources.given_by(connection, stamp.import_id)
        connection.execute(delete(ImportSite).where(own))
        told = {"sites": len(self._rows), "first_at": self._at(self._first), "last_at": self._at(self._last)}
        connection.execute(update(Import).where(Import.id == stamp.import_id).values(told))

    def _keep(
        self, connection: Connection, stamp: Stamp, site_keys: Collection[int], *, confirms: bool
    ) -> None:
        for claimed in (False, True):
            keys = self._claimed.intersection(site_keys) if claimed else {*site_keys} - self._claimed
            if keys:
                self._keep_sites(connection, stamp, keys, self._span(), confirms=confirms, claimed=claimed)

    def _keep_sites(
        self,
        connection: Connection,
        stamp: Stamp,
        site_keys: Collection[int],
        span: tuple[datetime, datetime],
        *,
        confirms: bool,
        claimed: bool,
    ) -> None:
        engine = connection.dialect.name
        keys = sorted(site_keys)
        first, last = span
        connection.execute(
            _KEEPS[engine],
            {
                "import_id": stamp.import_id,
                "site_keys": keys if engine == "postgresql" else json.dumps(keys),
                "first_at": first,
                "last_at": last,
                "received": stamp.received,
                "confirms": confirms,
                "claimed": claimed,
            },
        )

    def _keep_spans(
        self, connection: Connection, stamp: Stamp, site_keys: Collection[int], own: Iterable[Ready]
    ) -> None:
        """Of sites of which more stands than the import has: from where to where there is nothing else."""
        has = {(key, at) for key, at, _ in own}
        spans = [
            (key, *span)
            for key, instants in _standing(connection, site_keys, self._span()).items()
            for span in _spans(key, instants, has)
        ]
        rows = [
            {
                "import_id": stamp.import_id,
                "site_key": key,
                "first_at": from_microseconds(first),
                "last_at": from_microseconds(last),
                "received": stamp.received,
                "confirms": True,
                "claimed": key in self._claimed,
            }
            for key, first, last in spans
        ]
        if rows:
            connection.execute(insert(ImportSite), rows)

    def _whole(self, connection: Connection) -> set[int]:
        """Sites of which as many readings stand as the import has rows.

        Where a row is there twice, and one reading more stands, that one counts as confirmed as well.
        """
        counts: dict[int, int] = {}
        for keys in _some(self._rows):
            counted = (
                select(Reading.site_key, func.count())
                .where(Reading.site_key.in_(keys), Reading.reading_date.between(*self._span()))
                .group_by(Reading.site_key)
            )
            counts |= {key: count for key, count in connection.execute(counted)}  # noqa: C416 (rows are no pairs to mypy)
        return {key for key, count in counts.items() if count == self._rows[key]}

    def _some_rows(self, site_keys: Iterable[int]) -> Iterator[list[int]]:
        """Some of the sites at a time, so that they have not too many rows: all are read for each."""
        some: list[int] = []
        rows = 0
        for key in sorted(site_keys):
            some.append(key)
            rows += self._rows[key]
            if rows >= ROWS:
                yield some
                some, rows = [], 0
        if some:
            yield some

    def _span(self) -> tuple[datetime, datetime]:
        return from_microseconds(self._first or 0), from_microseconds(self._last or 0)

    def _at(self, microseconds: int | None) -> datetime | None:
        return None if microseconds is None else from_microseconds(microseconds)


def _some(site_keys: Iterable[int]) -> Iterator[list[int]]:
    keys = sorted(site_keys)
    for start in range(0, len(keys), SITES):
        yield keys[start : start + SITES]


def _own(site_keys: Collection[int], seen: Seen, refused: Seen) -> list[Ready]:
    """The import's readings of some sites, each once, as the first row has it."""
    values: dict[ReadingKey, int] = {}
    for key, at, value in seen.of_sites(set(site_keys)):
        values.setdefault((key, at), value)
    for key, at, _ in refused.of_sites(set(site_keys)):
        values.pop((key, at), None)
    return sorted((*key, value) for key, value in values.items())


def _standing(
    connection: Connection, site_keys: Collection[int], between: tuple[datetime, datetime]
) -> dict[int, list[int]]:
    standing: defaultdict[int, list[int]] = defaultdict(list)
    found = (
        select(Reading.site_key, Reading.reading_date)
        .where(is_among(connection, Reading.site_key, site_keys), Reading.reading_date.between(*between))
        .order_by(Reading.site_key, Reading.reading_date)
    )
    for key, instant in connection.execute(found):
        standing[key].append(to_microseconds(instant))
    return standing


def _spans(key: int, standing: Sequence[int], has: Collection[ReadingKey]) -> Iterator[tuple[int, int]]:
    """From where to where nothing stands but what the import has."""
    for is_own, group in groupby(standing, lambda at: (key, at) in has):
        instants = list(group)
        if is_own:
            yield instants[0], instants[-1]
