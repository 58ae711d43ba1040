"""How a file that is kept is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ..settings import service as settings
from . import readings, sites
from .profiles.document import Profile
from .profiles.reader import rows_of
from .rows import Rows


@dataclass(frozen=True)
class KeptFile:
    """How a kept file is read."""

    kind: str
    filename: str
    ignore_columns: tuple[str, ...]
    profile: Profile | None

    @contextmanager
    def rows(self, file: BinaryIO, now: datetime) -> Iterator[Rows]:
        """Its rows, none of which may lie in the future. Raises FileError."""
        if self.kind == "sites":
            yield sites.from_csv(file)
        elif self.profile is None:
            yield readings.from_csv(file, self.ignore_columns)
        else:
            with rows_of(file, self.profile, self.filename, schedule_zone(), now) as rows:
                yield rows


def schedule_zone() -> ZoneInfo:
    """That of the schedule, which times without an offset are of."""
    return settings.current().settings.schedule.zone
