"""Lines of CSV that spreadsheets read as they are meant. Imports nothing of ours."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, tzinfo

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")

BYTE_ORDER_MARK = "\ufeff"
"""By which Excel knows UTF-8."""


def line(cells: Iterable[object]) -> str:
    """Every cell is quoted: where semicolons separate, one with a semicolon would otherwise begin a cell that
    is calculated."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(cells)
    return buffer.getvalue()


def harmless(value: object) -> str:
    """The text of a cell. One that a spreadsheet would calculate is quoted with an apostrophe.

    Source: OWASP, CSV Injection.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def clock(instant: datetime | None, zone: tzinfo) -> str | None:
    """``2026-03-31 05:00:00``, which spreadsheets take for a time."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if instant else None
