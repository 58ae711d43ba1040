"""The readings of the fleet as numbers: site by site, in the order of their instants."""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import compress, groupby
from operator import itemgetter, neg
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ..models.quality import Quality
from ..models.types import from_microseconds, to_microseconds
from ..storage.connections import driver_errors
from .series import Series

Row = tuple[int, int, int, int, int]
"""Key of the site, microseconds since 1970, watt-hours, quality, number of the meter."""

# From the last good reading (0) before, or where there is none, the last that was a sign of life (not 4).
_OF_A_SITE = """
    SELECT site_key, reading_date, reading_value, quality, meter FROM reading
    WHERE site_key = {site} AND reading_date >= coalesce(
        (SELECT reading_date FROM reading WHERE site_key = {site} AND reading_date <= {since}
         AND quality = 0 ORDER BY reading_date DESC LIMIT 1),
        (SELECT reading_date FROM reading WHERE site_key = {site} AND reading_date <= {since}
         AND quality <> 4 ORDER BY reading_date DESC LIMIT 1),
        {since})
    ORDER BY reading_date"""
_SQLITE = _OF_A_SITE.format(site="?1", since="?2")
_POSTGRESQL = """
    COPY (SELECT of_site.* FROM site CROSS JOIN LATERAL ({}) AS of_site
          WHERE site.key = ANY(%(sites)s) ORDER BY site_key, reading_date)
    TO STDOUT (FORMAT BINARY)""".format(  # noqa: S608 (texts of this file)
    _OF_A_SITE.format(site="site.key", since="%(since)s")
)


class Facts(NamedTuple):
    """What the lab asks of a site beside its readings."""

    key: int
    monitored_from: date | None
    measure: str | None
    counts: str


def series_of(connection: Connection, sites: Sequence[Facts], since: int) -> Iterator[tuple[Facts, Series]]:
    """Each of some sites, in the order of their keys, with its readings after an instant.

    Before these stand the last good one and what came after it, for what a rule compares them with.
    """
    groups = groupby(_rows(connection, sites, since), itemgetter(0))
    found = next(groups, None)
    for site in sites:
        rows: list[Row] = []
        if found and found[0] == site.key:
            rows, found = list(found[1]), next(groups, None)
        yield site, series_of_rows(site, rows)


def series_of_rows(site: Facts, rows: Sequence[Row]) -> Series:
    """A site with these readings, which are in the order of their instants."""
    is_interval = site.measure == "interval"
    if not rows:
        return Series([], [], [], [], site.monitored_from, is_interval)
    _, times, values, qualities, meters = zip(*rows, strict=True)
    heard: Sequence[int] = times
    if any(qualities):
        heard = list(compress(times, [quality != Quality.ESTIMATED for quality in qualities]))
        good = [quality == Quality.GOOD for quality in qualities]
        times, values, meters = (tuple(compress(column, good)) for column in (times, values, meters))
    if site.counts == "down" and not is_interval:
        values = tuple(map(neg, values))
    return Series(heard, times, values, meters, site.monitored_from, is_interval)


def _rows(connection: Connection, sites: Sequence[Facts], since: int) -> Iterator[Row]:
    if connection.dialect.name == "postgresql":
        return _postgresql_rows(connection, sites, since)
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    return (row for site in sites for row in cursor.execute(_SQLITE, (site.key, since)))


_ROW = struct.Struct(">hiqiqiqihih")
_HEADER = 19
_EPOCH = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))


def _postgresql_rows(connection: Connection, sites: Sequence[Facts], since: int) -> Iterator[Row]:
    given = {"since": from_microseconds(since), "sites": [site.key for site in sites]}
    cursor: Any = connection.connection.cursor()
    with driver_errors(connection), cursor, cursor.copy(_POSTGRESQL, given) as copy:
        data = bytes(copy.read())[_HEADER:]
        for block in copy:
            data += bytes(block)
            whole = len(data) // _ROW.size * _ROW.size
            for _, _, key, _, at, _, value, _, quality, _, meter in _ROW.iter_unpack(data[:whole]):
                yield key, at + _EPOCH, value, quality, meter
            data = data[whole:]
