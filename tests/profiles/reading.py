"""Reading files by profiles in tests: a document and a file in, rows and rejections out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.reader import rows_of
from jobauto.imports.rows import Rejected, Row

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
Reading = tuple[str, str, str]


def read(
    document: dict[str, Any], content: bytes | str, name: str | None = None, size: int = 1000
) -> tuple[list[Reading], list[Rejected]]:
    """The rows of a file as site, instant and value; and what is rejected."""
    file = BytesIO(content.encode() if isinstance(content, str) else content)
    with rows_of(file, Profile.parsed(document), name, LONDON, NOW) as rows:
        blocks = list(rows.blocks(size))
    found = [row for block in blocks for row in block.rows()]
    readings = [_reading(row.values) for row in found if isinstance(row, Row)]
    return readings, [row for row in found if isinstance(row, Rejected)]


def _reading(values: Sequence[str | None]) -> Reading:
    site, instant, value, *_ = (text or "" for text in values)
    return site, instant, value
