"""What an import says of its sites: what their values are.

A site of which nobody has said what its values are is claimed by the first import of energies of intervals,
in the very transaction that stores them.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, update

from ..models import Site
from ..storage.among import is_among
from .bulk.way import Tail


class OtherMeasure(Exception):
    """The values of these sites were read as what they are not any more, so none was stored."""

    def __init__(self, site_keys: Collection[int]) -> None:
        super().__init__(site_keys)
        self.site_keys = site_keys


class Compared(NamedTuple):
    """Sites that are to be claimed; and those whose values were read as what they are not."""

    unset: set[int]
    others: set[int]


def compare(tails: Iterable[Tail], intervals: Collection[int]) -> Compared:
    """Compare sites, whose turn it is, with how they were read: some as ``intervals``, the others not."""
    unset: set[int] = set()
    others: set[int] = set()
    for tail in tails:
        if (tail.measure == "interval") != (tail.site_key in intervals):
            is_free = tail.measure is None and tail.at is None
            (unset if is_free else others).add(tail.site_key)
    return Compared(unset, others)


def claim(connection: Connection, site_keys: Collection[int]) -> None:
    """Sites that have neither a measure nor readings are of intervals from now on."""
    if site_keys:
        of_sites = is_among(connection, Site.key, sorted(site_keys))
        connection.execute(update(Site).where(of_sites, Site.measure.is_(None)).values(measure="interval"))
