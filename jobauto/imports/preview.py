"""The first rows of a file as they are understood, beside what stands in the file."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import fields, readings, sites
from .lines import physical_lines
from .rows import Rejected, Row, Rows

SHOWN = 20
LONGEST = 200
"""So much of a line is shown."""


@dataclass(frozen=True)
class Understood:
    """A row: its line and text, and what is understood of it, or why it is none.

    Of a site, ``said`` is what it says of each optional column; the others stay as they are stored.
    """

    line: int
    raw: str
    site_id: str = ""
    local: str = ""
    utc: str = ""
    kwh: str = ""
    site_name: str = ""
    said: str = ""
    why: str = ""


def first_readings(
    path: Path, zone: ZoneInfo, now: datetime, ignore: Collection[str]
) -> list[dict[str, Any]]:
    """The first readings; times in the zone and in UTC. Whether there is such a site is not asked."""
    with path.open("rb") as file:
        rows = _first(readings.from_csv(file, ignore))
    return _beside(path, rows, lambda row, raw: _reading(row, raw, zone, now))


def first_sites(path: Path) -> list[dict[str, Any]]:
    """The first rows of a list of sites."""
    with path.open("rb") as file:
        rows = _first(sites.from_csv(file))
    return _beside(path, rows, _site)


def _first(rows: Rows) -> list[Row | Rejected]:
    block = next(rows.blocks(SHOWN), None)
    return block.rows() if block else []


def _beside(
    path: Path, rows: list[Row | Rejected], understand: Callable[[Row, str], Understood]
) -> list[dict[str, Any]]:
    texts = _texts(path, last=max((row.line for row in rows), default=0))
    return [asdict(_understood(row, texts[row.line - 1], understand)) for row in rows]


def _understood(row: Row | Rejected, raw: str, understand: Callable[[Row, str], Understood]) -> Understood:
    if isinstance(row, Rejected):
        return Understood(row.line, raw, why=row.reason)
    try:
        return understand(row, raw)
    except fields.FieldError as error:
        return Understood(row.line, raw, why=str(error))


def _texts(path: Path, last: int) -> list[str]:
    with path.open("rb") as file:
        return [_shown(line) for line in islice(physical_lines(file), last)]


def _reading(row: Row, raw: str, zone: ZoneInfo, now: datetime) -> Understood:
    site_id, reading_date, reading_value, quality = row.values
    instant = fields.InstantReader(zone, now)(reading_date)
    estimated = ", estimated" if fields.is_estimated(quality) else ""
    return Understood(
        row.line,
        raw,
        fields.site_id(site_id),
        _local(instant, zone),
        f"{instant:%Y-%m-%d %H:%M:%S}",
        f"{fields.watt_hours(reading_value) // 10 / Decimal(100):,.2f}{estimated}",
    )


def _site(row: Row, raw: str) -> Understood:
    site_id, site_name, said = sites.read(row)
    texts = (
        f"{name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in said.items()
    )
    return Understood(row.line, raw, site_id, site_name=site_name, said=", ".join(texts))


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone).isoformat(sep=' ', timespec='seconds')} {zone.key}"


def _shown(line: str) -> str:
    text = line.rstrip("\r\n")
    return "".join(sign if sign.isprintable() or sign == "\t" else "\ufffd" for sign in text[:LONGEST])
