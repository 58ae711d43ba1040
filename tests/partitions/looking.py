"""What tests of partitions do and look at, with no transaction of the test's own left open in their way."""

from datetime import datetime

from sqlalchemy import text

from jobauto.extensions import db
from jobauto.storage import partitions
from tests.fleets import NOON


def partition(now: datetime = NOON) -> bool:
    """Turn the readings into partitions at an instant."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return partitions.partition(connection, now)


def keep_ahead(now: datetime) -> list[str]:
    """Make what is missing at an instant."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return partitions.keep_ahead(connection, now)


def drop_old(now: datetime, months: int) -> list[str]:
    """Drop what is too old at an instant."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return partitions.drop_old(connection, now, months)


def partitions_with_rows() -> dict[str, int]:
    """The partitions that hold readings, and how many."""
    with db.engine.connect() as connection:
        query = text("SELECT tableoid::regclass::text, count(*) FROM reading GROUP BY 1 ORDER BY 1")
        return dict(connection.execute(query).all())


def all_partitions() -> list[str]:
    """The names of all partitions, in order."""
    with db.engine.connect() as connection:
        query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass"
        return sorted(connection.scalars(text(query)))
