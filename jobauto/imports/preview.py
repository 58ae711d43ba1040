"""The first rows of a file as they are understood, beside what stands in the file."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import fields, sites
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


Raw = Callable[[Path, int], list[str]]
"""The texts of a file's first lines, so many; fewer where it has no lines."""


def first_readings(path: Path, rows: Rows, zone: ZoneInfo, now: datetime, raw: Raw) -> list[dict[str, Any]]:
    """The first readings; times in the zone and in UTC. Whether there is such a site is not asked."""
    return _beside(path, _first(rows), lambda row, text: _reading(row, text, zone, now, rows.measure), raw)


def understood(
    row: Row | Rejected, raw: str, zone: ZoneInfo, now: datetime, measure: str | None
) -> Understood:
    """A reading as it is understood, or why it is none."""
    return _understood(row, raw, lambda row, raw: _reading(row, raw, zone, now, measure))


def first_sites(path: Path, rows: Rows) -> list[dict[str, Any]]:
    """The first rows of a list of sites."""
    return _beside(path, _first(rows), _site, RAW_OF_CSV)


def _first(rows: Rows) -> list[Row | Rejected]:
    block = next(rows.blocks(SHOWN), None)
    return block.rows()[:SHOWN] if block else []


def _beside(
    path: Path, rows: list[Row | Rejected], understand: Callable[[Row, str], Understood], raw: Raw
) -> list[dict[str, Any]]:
    texts = raw(path, max((row.line for row in rows), default=0))
    texts += [""] * (max((row.line for row in rows), default=0) - len(texts))
    return [asdict(_understood(row, texts[row.line - 1], understand)) for row in rows]


def _understood(row: Row | Rejected, raw: str, understand: Callable[[Row, str], Understood]) -> Understood:
    if isinstance(row, Rejected):
        return Understood(row.line, raw, why=row.reason)
    try:
        return understand(row, raw)
    except fields.FieldError as error:
        return Understood(row.line, raw, why=str(error))


def raw_of_csv(path: Path, last: int) -> list[str]:
    """The first lines of a CSV file."""
    with path.open("rb") as file:
        return [shown(line) for line in islice(physical_lines(file), last)]


RAW_OF_CSV: Raw = raw_of_csv


def _reading(row: Row, raw: str, zone: ZoneInfo, now: datetime, measure: str | None) -> Understood:
    site_id, reading_date, reading_value, quality = row.values
    instant = fields.InstantReader(zone, now)(reading_date)
    estimated = ", estimated" if fields.is_estimated(quality) else ""
    return Understood(
        row.line,
        raw,
        fields.site_id(site_id),
        _local(instant, zone),
        f"{instant:%Y-%m-%d %H:%M:%S}",
        _kwh(reading_value, measure) + estimated,
    )


def _kwh(text: str | None, measure: str | None) -> str:
    if measure == "interval":
        return f"{Decimal(fields.interval_watt_hours(text)) / 1000:,.3f}"
    return f"{fields.watt_hours(text) // 10 / Decimal(100):,.2f}"


def _site(row: Row, raw: str) -> Understood:
    site_id, site_name, said = sites.read(row)
    texts = (
        f"{name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in said.items()
    )
    return Understood(row.line, raw, site_id, site_name=site_name, said=", ".join(texts))


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone).isoformat(sep=' ', timespec='seconds')} {zone.key}"


def shown(line: str) -> str:
    """A line as it can be shown."""
    text = line.rstrip("\r\n")
    return "".join(sign if sign.isprintable() or sign == "\t" else "\ufffd" for sign in text[:LONGEST])
