"""The keys of sites, looked up as their business keys are met in a file."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from . import fields
from .bulk import bulk_of
from .rows import trimmed

REMEMBERED = 50_000
"""So many sites at most, so that memory stays bounded however large the fleet is."""


class SiteKeys:
    """From texts of ``site_id`` to keys of sites, remembered for one import."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bulk = bulk_of(connection)
        self._keys: dict[str | None, int] = {}

    def of(self, texts: Sequence[str | None]) -> list[int | None]:
        """The keys of sites; None for what is no site."""
        asked = set(texts)
        known = {self._keys[text] for text in asked if text in self._keys}
        with self._connection.begin():
            if len(self._keys) > REMEMBERED or (known and self._bulk.present(known) < len(known)):
                self._keys.clear()  # a site has gone, and its readings must not outlive it
            self._look_up(asked.difference(self._keys))
        return list(map(self._keys.get, texts))

    def _look_up(self, texts: Iterable[str | None]) -> None:
        site_ids = {text: site_id for text in texts if (site_id := _site_id(text)) is not None}
        found = dict(self._bulk.sites(set(site_ids.values()))) if site_ids else {}
        self._keys.update((text, found[site_id]) for text, site_id in site_ids.items() if site_id in found)


def _site_id(text: str | None) -> str | None:
    try:
        return fields.site_id(trimmed(text))
    except fields.FieldError:
        return None
