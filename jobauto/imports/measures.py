"""What an import says of its sites: what their values are, and what they come through."""

from collections.abc import Collection

from sqlalchemy import Connection, exists, select, update

from ..models import Reading, Site
from ..readings.turns import take_turns
from ..storage.connections import write_on
from .lines import FileError

AT_A_TIME = 500


def claim(connection: Connection, site_keys: Collection[int], measure: str) -> set[int]:
    """Sites without readings take a measure, before the first of these is stored; returns which did.

    Raises FileError where somebody else has meanwhile stored values of the other one.
    """
    keys = sorted(site_keys)
    claimed: set[int] = set()
    for start in range(0, len(keys), AT_A_TIME):
        some = Site.key.in_(keys[start : start + AT_A_TIME])
        has_readings = exists(select(Reading.site_key).where(Reading.site_key == Site.key))
        with write_on(connection):
            take_turns(connection, keys[start : start + AT_A_TIME])
            free = (some, Site.measure.is_(None), ~has_readings)
            claimed.update(
                connection.scalars(
                    update(Site).where(*free).values(measure=measure).returning(Site.key.expression)
                )
            )
            other = connection.scalars(
                select(Site.site_id).where(some, Site.measure.is_distinct_from(measure))
            ).first()
        if other is not None:
            raise FileError(f"The site {other} has meanwhile got readings that are no {measure}s.")
    return claimed


def give_source(connection: Connection, site_keys: Collection[int], source: str) -> None:
    """Sites that have no source get this one."""
    keys = sorted(site_keys)
    for start in range(0, len(keys), AT_A_TIME):
        some = Site.key.in_(keys[start : start + AT_A_TIME])
        with write_on(connection):
            connection.execute(update(Site).where(some, Site.source == "").values(source=source))
