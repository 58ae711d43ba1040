"""What an import asks of an engine, and the statements that are the same for each."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ...models.quality import Quality

Ready = tuple[int, int, int]
"""A reading as it is stored: ``site_key``, microseconds since 1970, watt-hours."""
ReadingKey = tuple[int, int]
WhileWaiting = Callable[[], object]
"""Something to do while a server is at work; on SQLite, which works in this very thread, it is left."""


NEWEST = """
    SELECT site.key, (SELECT reading.reading_value FROM reading
                      WHERE reading.site_key = site.key AND reading.quality = 0
                      ORDER BY reading.reading_date DESC LIMIT 1)
    FROM site WHERE site.key {}"""
SITES = "SELECT site_id, key, is_demo, measure, counts FROM site WHERE site_id {}"
REPLACED = ", ".join(
    f"{name} = excluded.{name}" for name in ("reading_value", "quality", "received", "import_id")
)
SAME = {
    False: f"reading_value = {{value}} AND quality <> {Quality.ESTIMATED}",
    True: f"(reading_value = {{value}} OR quality <> {Quality.ESTIMATED})",
}
"""When a row makes no difference: an estimated one never replaces an actual one, which always replaces it."""


REPLACED_COLUMNS = "site_key, reading_date, import_id, reading_value, is_estimated, received, replaced_at"
KEEP_REPLACED = f"""
    INSERT INTO replaced_reading ({REPLACED_COLUMNS})
    SELECT stored.site_key, stored.reading_date, coalesce(stored.import_id, 0), stored.reading_value,
           stored.quality = {Quality.ESTIMATED}, stored.received, {{replaced_at}}
    FROM {{given}} CROSS JOIN reading AS stored
    WHERE stored.site_key = {{site_key}} AND stored.reading_date = {{reading_date}} AND NOT ({{same}})
    ON CONFLICT (site_key, reading_date, import_id) DO UPDATE SET
        reading_value = excluded.reading_value, is_estimated = excluded.is_estimated,
        received = excluded.received, replaced_at = excluded.replaced_at"""  # noqa: S608 (our words)
KEEP_OUTRANKED = f"""
    INSERT INTO replaced_reading ({REPLACED_COLUMNS})
    SELECT stored.site_key, stored.reading_date, {{import_id}}, {{value}}, true,
           {{replaced_at}}, {{replaced_at}}
    FROM {{given}} CROSS JOIN reading AS stored
    WHERE stored.site_key = {{site_key}} AND stored.reading_date = {{reading_date}}
    AND stored.quality <> {Quality.ESTIMATED}
    ON CONFLICT (site_key, reading_date, import_id) DO NOTHING"""  # noqa: S608 (our words)


class Stamp(NamedTuple):
    """What is kept of the rows of an import: when they were received, and its number."""

    received: datetime | None = None
    import_id: int | None = None


UNSTAMPED = Stamp()


class SiteRow(NamedTuple):
    """A site as an import meets it."""

    site_id: str
    key: int
    is_demo: bool
    measure: str | None
    counts: str


class Tail(NamedTuple):
    """What a site's newest reading is, before more are stored; its part is empty where there is none.

    ``capacity`` is in watts. ``is_troubled`` tells that something was in doubt shortly before it,
    or that people have said something about the site.
    """

    site_key: int
    measure: str | None
    counts: str
    capacity: int | None
    at: int | None
    value: int
    quality: int
    meter: int
    is_troubled: bool


class Span(NamedTuple):
    """Readings of a site from one instant to another, and the number of their meter."""

    site_key: int
    first: int
    last: int
    meter: int


def nothing() -> None:
    """Do nothing meanwhile."""


class AlreadyStored(Exception):
    """Some of the rows were there, so none was inserted."""


class Comparison(NamedTuple):
    """How many of some rows are stored, and how many of these with the same value."""

    stored: int
    same: int


class Bulk(Protocol):
    """What an import asks of an engine, within the transaction of the caller.

    ``BATCH`` is how many rows it takes best at a time. The rows of a call have different keys and are sorted
    by them: so each page is written once, and two imports of the same rows at once wait for each other
    instead of dead-locking.
    """

    BATCH: int
    stamp: Stamp

    def insert(self, rows: Sequence[Ready], while_waiting: WhileWaiting = ...) -> None:
        """Store new rows. Raises AlreadyStored, and then the transaction must be rolled back."""

    def compare(
        self, rows: Sequence[Ready], while_waiting: WhileWaiting = ..., *, estimated: bool = False
    ) -> Comparison:
        """Count how the rows differ from what is stored. All of them are ``estimated``, or none."""

    def differing(self, rows: Sequence[Ready]) -> set[ReadingKey]:
        """The keys of those rows that are stored with another value."""

    def change(self, rows: Sequence[Ready], *, estimated: bool = False) -> list[ReadingKey]:
        """Store the rows that are new or differ, and tell which; what is equal is not touched."""

    def keep_replaced(self, rows: Sequence[Ready], *, estimated: bool = False) -> None:
        """Keep the values that :meth:`change` is about to replace, so that the import can be undone."""

    def keep_outranked(self, rows: Sequence[Ready]) -> None:
        """Keep those of some estimated rows that do not stand, for an actual value does."""

    def tails(self, site_keys: Collection[int]) -> Iterable[Tail]:
        """The newest readings of sites, and what decides whether others are in line with them."""

    def set_meters(self, spans: Sequence[Span]) -> None:
        """Say of which meter new readings are."""

    def sites(self, site_ids: Collection[str]) -> Iterable[SiteRow]:
        """Those sites that there are."""

    def newest(self, site_keys: Collection[int]) -> Iterable[tuple[int, int | None]]:
        """The newest stored value of sites in watt-hours, None where there is none."""

    def names(self, site_keys: Collection[int]) -> list[str]:
        """The ``site_id`` of sites, in their order."""

    def present(self, site_keys: Collection[int]) -> int:
        """How many of the sites there are."""
