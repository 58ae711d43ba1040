"""Importing in tests: lines in, counts out, and what is stored."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports import readings, rows, sites
from jobauto.imports.result import ImportResult
from jobauto.models import Reading, Site
from tests.fleets import NOON

Counts = tuple[int, int, int, int]


def import_readings(lines: Iterable[str], import_id: int | None = None) -> ImportResult:
    """Import lines of ``site_id,reading_date,reading_value`` in London at noon."""
    file = BytesIO("\n".join(["site_id,reading_date,reading_value", *lines]).encode())
    source = rows.from_csv(file, readings.COLUMNS, readings.OPTIONAL)
    return readings.import_readings(source, zone=ZoneInfo("Europe/London"), now=NOON, import_id=import_id)


def import_sites(header: str, *lines: str) -> ImportResult:
    """Import lines of sites."""
    file = BytesIO("\n".join([header, *lines]).encode())
    return sites.import_sites(rows.from_csv(file, sites.REQUIRED, sites.OPTIONAL))


def counts(result: ImportResult) -> Counts:
    """New, updated, unchanged, rejected."""
    return result.new, result.updated, result.unchanged, result.rejected


def stored_readings() -> dict[tuple[str, datetime], Decimal]:
    """Every reading by site and instant."""
    db.session.rollback()
    query = select(Site.site_id, Reading.reading_date, Reading.reading_value).join(
        Reading, Reading.site_key == Site.key
    )
    return {(site_id, date): value for site_id, date, value in db.session.execute(query)}


def stored_sites() -> dict[str, tuple[str, str | None, bool, str]]:
    """Every site: its name, date, whether it is active, and group."""
    db.session.rollback()
    return {
        site.site_id: (
            site.site_name,
            site.monitored_from.isoformat() if site.monitored_from else None,
            site.active,
            site.group,
        )
        for site in db.session.scalars(select(Site))
    }
