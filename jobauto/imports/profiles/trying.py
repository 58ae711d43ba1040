"""A profile tried on a sample of its feed: the first rows as they would be stored, and nothing is."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ..preview import SHOWN, Understood, understood
from ..rows import Row
from .document import Profile
from .reader import rows_of

LOOKED_AT = 2000


@dataclass(frozen=True)
class Trial:
    """The first rows of a file, and the first that are refused."""

    rows: list[Understood]


def first_rows(
    file: BinaryIO, profile: Profile, file_name: str | None, of_schedule: ZoneInfo, now: datetime
) -> Trial:
    """The first rows of a file as a profile understands them. Raises FileError."""
    zone = profile.zone(of_schedule)
    with rows_of(file, profile, file_name, of_schedule, now) as rows:
        found: list[Understood] = []
        for block in islice(rows.blocks(SHOWN), LOOKED_AT // SHOWN):
            for row in block.rows():
                cells = ", ".join(filter(None, row.values)) if isinstance(row, Row) else ""
                found.append(understood(row, cells, zone, now, rows.measure))
            if len(found) >= SHOWN:
                break
    return Trial(found[:SHOWN])
