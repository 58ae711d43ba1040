"""The first rows of a file of readings as they are understood, beside what stands in the file."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from . import fields, readings
from .lines import physical_lines
from .rows import Rejected, Row

SHOWN = 20
LONGEST = 200
"""So much of a line is shown."""


@dataclass(frozen=True)
class Understood:
    """A row: its line and text, and what is understood of it, or why it is none."""

    line: int
    raw: str
    site_id: str = ""
    local: str = ""
    utc: str = ""
    kwh: str = ""
    why: str = ""


def first_rows(path: Path, zone: ZoneInfo, now: datetime, ignore: Collection[str]) -> list[dict[str, Any]]:
    """The first rows; times in the zone and in UTC. Whether there is such a site is not asked."""
    with path.open("rb") as file:
        block = next(readings.from_csv(file, ignore).blocks(SHOWN), None)
    rows = block.rows() if block else []
    texts = _texts(path, last=max((row.line for row in rows), default=0))
    return [asdict(_understand(row, texts[row.line - 1], zone, now)) for row in rows]


def _texts(path: Path, last: int) -> list[str]:
    with path.open("rb") as file:
        return [_shown(line) for line in islice(physical_lines(file), last)]


def _understand(row: Row | Rejected, raw: str, zone: ZoneInfo, now: datetime) -> Understood:
    if isinstance(row, Rejected):
        return Understood(row.line, raw, why=row.reason)
    site_id, reading_date, reading_value = row.values
    try:
        instant = fields.InstantReader(zone, now)(reading_date)
        return Understood(
            row.line,
            raw,
            fields.site_id(site_id),
            _local(instant, zone),
            f"{instant:%Y-%m-%d %H:%M:%S}",
            f"{fields.watt_hours(reading_value) // 10 / Decimal(100):,.2f}",
        )
    except fields.FieldError as error:
        return Understood(row.line, raw, why=str(error))


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone).isoformat(sep=' ', timespec='seconds')} {zone.key}"


def _shown(line: str) -> str:
    text = line.rstrip("\r\n")
    return "".join(sign if sign.isprintable() or sign == "\t" else "\ufffd" for sign in text[:LONGEST])
