"""The least that any answer needs: three isolated index seeks a site, and nothing else."""

from datetime import datetime

from sqlalchemy import Connection, text

from jobauto.models.types import to_microseconds
from tests.bench.fleet import DAY
from tests.bench.loop import THRESHOLD, TO_CHECK

_OF_SITE = "FROM reading WHERE site_key = site.key AND reading_date > {start} AND reading_date <= :as_of"
SEEKS = (
    f"(SELECT 1 {_OF_SITE.format(start=':silent_since')} LIMIT 1)",
    f"(SELECT reading_value {_OF_SITE.format(start=':flat_since')} ORDER BY reading_date LIMIT 1)",
    f"(SELECT reading_value {_OF_SITE.format(start=':flat_since')} ORDER BY reading_date DESC LIMIT 1)",
)
"""Is there a reading, for No Coms; the oldest and the newest value of the window, for Zero Reads."""


def seek_isolated(connection: Connection, as_of: datetime) -> None:
    """Each of the three alone, for all sites, in a statement of its own."""
    for seek in SEEKS:
        _seek(connection, as_of, f"count({seek})")


def seek_together(connection: Connection, as_of: datetime) -> None:
    """The three in one walk over the sites: harder to come near to, for the second and third find the
    page of the index in the cache to which the first has come."""
    _seek(connection, as_of, ", ".join(f"count({seek})" for seek in SEEKS))


def _seek(connection: Connection, as_of: datetime, counts: str) -> None:
    instants = {"as_of": as_of, "silent_since": as_of - THRESHOLD * DAY, "flat_since": as_of - TO_CHECK * DAY}
    # Without the hint SQLite walks the index on site_id, whose order is not that of the readings.
    walk = "site" if connection.dialect.name == "postgresql" else "site NOT INDEXED"
    values = (
        instants
        if connection.dialect.name == "postgresql"
        else {name: to_microseconds(instant) for name, instant in instants.items()}
    )
    with connection.begin():
        connection.execute(text(f"SELECT {counts} FROM {walk}"), values)  # noqa: S608 (our own words)
