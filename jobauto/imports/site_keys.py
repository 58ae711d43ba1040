"""The keys of sites, looked up as their business keys are met in a file."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from . import fields
from .bulk.choosing import bulk_of
from .bulk.way import SiteRow
from .lines import trimmed

REMEMBERED = 50_000
"""So many sites at most, so that memory stays bounded however large the fleet is."""


class SiteKeys:
    """From texts of ``site_id`` to keys of sites, remembered for one import."""

    def __init__(self, connection: Connection, measure: str | None = None) -> None:
        self._connection = connection
        self._measure = measure
        self.of_other_measure: dict[int, str] = {}
        """Sites whose readings the import's are not, and what they are."""
        self._bulk = bulk_of(connection)
        self._keys: dict[str | None, int] = {}
        self._may_go: set[int] = set()
        self.intervals: set[int] = set()
        """Sites that send the energy of intervals."""
        self.unwatched: set[int] = set()
        """These, and those whose meter counts down: their readings may fall."""
        self.met: set[int] = set()
        """The sites that were looked up since somebody emptied this."""

    def of(self, texts: Sequence[str | None]) -> list[int | None]:
        """The keys of sites; None for what is no site."""
        asked = set(texts)
        with self._connection.begin():
            if len(self._keys) > REMEMBERED or self._some_have_gone():
                self._keys.clear()
                self._may_go.clear()
            self._look_up(asked.difference(self._keys))
        return list(map(self._keys.get, texts))

    def known(self, text: str | None) -> int | None:
        """The key of a site that was looked up."""
        return self._keys.get(text)

    def _some_have_gone(self) -> bool:
        # Only the demo's sites are ever removed, and nobody's readings must outlive the site.
        return bool(self._may_go) and self._bulk.present(self._may_go) < len(self._may_go)

    def _look_up(self, texts: Iterable[str | None]) -> None:
        site_ids = {text: site_id for text in texts if (site_id := _site_id(text)) is not None}
        sites = list(self._bulk.sites(set(site_ids.values()))) if site_ids else []
        self._may_go.update(site.key for site in sites if site.is_demo)
        self.intervals.update(site.key for site in sites if site.measure == "interval")
        if self._measure is not None:
            self._compare(sites, self._measure)
        self.unwatched.update(site.key for site in sites if site.counts == "down")
        self.unwatched |= self.intervals
        found = {site.site_id: site.key for site in sites}
        self.met.update(found.values())
        self._keys.update((text, found[site_id]) for text, site_id in site_ids.items() if site_id in found)

    def _compare(self, sites: Sequence[SiteRow], measure: str) -> None:
        """Which sites have another measure than the import, or none so far."""
        unset = [site.key for site in sites if site.measure is None] if measure == "interval" else []
        tails = self._bulk.tails(unset) if unset else ()
        registers = {tail.site_key for tail in tails if tail.at is not None}
        for site in sites:
            has = site.measure or ("register" if site.key in registers else measure)
            if has != measure:
                self.of_other_measure[site.key] = has
            elif site.measure is None and measure == "interval":
                self.intervals.add(site.key)


def _site_id(text: str | None) -> str | None:
    try:
        return fields.site_id(trimmed(text))
    except fields.FieldError:
        return None
