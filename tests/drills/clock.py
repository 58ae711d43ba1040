"""A clock on the wall that a drill sets, for processes of their own: libfaketime gives it to them."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from jobauto.clock import utcnow
from tests.databases import lacking


class WallClock:
    """Goes on as clocks do, from wherever it was last set; all processes with its environment go by it.

    Only the time of day is false: what is measured with the monotonic clock, such as waiting, is not.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(utcnow())

    def set(self, instant: datetime) -> None:
        """Set it, forward or back, at once for everybody."""
        self._ahead = instant - utcnow()
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{self._ahead.total_seconds():+.6f}\n")
        draft.replace(self._file)

    def advance(self, by: timedelta) -> None:
        """Set it forward, or back by less than nothing."""
        self.set(self.now() + by)

    def now(self) -> datetime:
        """What it shows."""
        return utcnow() + self._ahead

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to go by it."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else a wait for the interpreter's lock does not wait
            "NO_FAKE_STAT": "1",
        }


def _library() -> Path:
    for found in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"):
        return found
    lacking("libfaketime (Debian's package faketime)")
    raise AssertionError(os.name)
