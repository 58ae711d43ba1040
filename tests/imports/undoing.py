"""Imports that can be undone, in tests."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import readings, undo
from jobauto.imports.recorded import Recorded
from jobauto.imports.result import Progress, unwatched
from jobauto.models import Reading, Review, Site
from tests.fleets import NOON

ADA = Author("ada", NOON)
HEADER = "site_id,reading_date,reading_value,quality"


def send(
    lines: Iterable[str],
    now: datetime = NOON,
    progress: Progress = unwatched,
    measure: str | None = None,
    source: str | None = None,
) -> int:
    """Import lines of readings as a command does; returns the import's number."""
    recorded = Recorded("command", "readings.csv", Author("ada", now), ZoneInfo("UTC"))
    number = recorded.number()
    file = BytesIO("\n".join([HEADER, *lines]).encode())
    rows = readings.from_csv(file)
    rows.measure, rows.given_source = measure, source
    recorded.load(rows, now=now, progress=progress)
    return number


def take_back(import_id: int) -> tuple[int, int, int]:
    """Undo an import: removed, restored, left."""
    return undo.undo(import_id, Author("ada", utcnow()))


def standing(site_id: str) -> list[tuple[Any, ...]]:
    """A site's readings, each with its value, quality and meter; and what is in review."""
    db.session.rollback()
    of_site = select(Site.key).where(Site.site_id == site_id).scalar_subquery()
    values = (Reading.reading_date, Reading.reading_value, Reading.quality, Reading.meter)
    found = select(*values).where(Reading.site_key == of_site).order_by(Reading.reading_date)
    reviews = select(Review.kind, Review.started_at, Review.readings).where(Review.site_key == of_site)
    told: Sequence[Any] = db.session.execute(reviews.order_by(Review.started_at, Review.kind)).all()
    return [*map(tuple, db.session.execute(found)), *map(tuple, told)]
