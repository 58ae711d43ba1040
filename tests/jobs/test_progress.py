"""What has become of a fault, in a sentence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from jobauto.jobs.progress import Late, Seen, progress
from jobauto.models import Job
from jobauto.rules.rule import Window
from tests.fleets import NOON, daily, days_before
from tests.sites.readings import LONDON

CHECK = days_before(9)


def _window(values: Sequence[int], last: datetime, until: datetime = NOON) -> Window:
    kwh = [Decimal(value) for value in values]
    if not kwh:
        return Window(until)
    falls = [before - after for before, after in pairwise(kwh) if after < before]
    return Window(
        until, len(kwh), min(daily(kwh, last)), last, kwh[0], kwh[-1], min(kwh), max(kwh), len(falls),
        max(falls, default=None), kwh.count(Decimal(0)),
    )  # fmt: skip


def _late(value: int, was: int | None = None, count: int = 1, lowest: int | None = None) -> Late:
    low = Decimal(value if lowest is None else lowest)
    before = None if was is None else Decimal(was)
    return Late(count, days_before(10), Decimal(value), before, low, Decimal(value))


def _seen(evidence: Sequence[int], since: Sequence[int], late: Late | None, last: datetime = NOON) -> Seen:
    return Seen(CHECK, CHECK, _window(evidence, days_before(10), CHECK), _window(since, last), late)


NONE_LATE = None
LATE = "The reading of 2026-03-21 12:00 came in late, with 8 kWh."
NONE_SINCE = "There is none from after the job was opened."
LAST = "the last one at 2026-03-31 13:00"
NEXT = "The next run tells whether the fault is gone."


@pytest.mark.parametrize(
    ("evidence", "since", "late", "level", "headline", "detail"),
    [
        pytest.param([5, 5], [], NONE_LATE, "quiet", "No reading since the job was opened",
                     "Nothing tells of a recovery.", id="nothing since"),
        pytest.param([5, 5], [5, 5], NONE_LATE, "quiet", "The register has not moved",
                     f"2 readings since the job was opened, {LAST}, still 5 kWh.", id="stands still"),
        pytest.param([5, 5], [5, 8], NONE_LATE, "unknown", "The register has moved",
                     f"2 readings since the job was opened, {LAST}: up 3 kWh. {NEXT}", id="moves"),
        pytest.param([5, 5], [3], NONE_LATE, "unknown", "The register has moved",
                     f"1 reading since the job was opened, {LAST}: down 2 kWh. {NEXT}", id="runs backwards"),
        pytest.param([5, 5], [9, 0, 8], NONE_LATE, "unknown", "The register has moved",
                     f"3 readings since the job was opened, {LAST}: up 3 kWh. "
                     f"The register fell once, by 9 kWh, and 1 reading of 0.00 came in. {NEXT}", id="falls"),
        pytest.param([5, 5], [6, 5], NONE_LATE, "unknown", "The register has moved",
                     f"2 readings since the job was opened, {LAST}, still 5 kWh. "
                     f"The register fell once, by 1 kWh. {NEXT}", id="moved and back"),
        pytest.param([], [7], NONE_LATE, "unknown", "The site has begun to report",
                     f"1 reading since the job was opened, {LAST}, with 7 kWh. {NEXT}", id="never before"),
        pytest.param([5, 5], [], _late(8), "unknown", "The register has moved",
                     f"{LATE} {NONE_SINCE} {NEXT}", id="a late reading"),
        pytest.param([5, 5], [], _late(8, was=5), "unknown", "The register has moved",
                     f"The reading of 2026-03-21 12:00 was corrected from 5 to 8 kWh. {NONE_SINCE} {NEXT}",
                     id="a corrected reading"),
        pytest.param([5, 5], [], _late(5), "quiet", "The register has not moved",
                     f"The reading of 2026-03-21 12:00 came in late, with 5 kWh. {NONE_SINCE}",
                     id="a late reading that tells nothing"),
        pytest.param([5, 5], [5], _late(8, count=439, lowest=5), "unknown", "The register has moved",
                     "439 earlier readings came in late or were corrected, "
                     f"the last one of 2026-03-21 12:00 with 8 kWh. "
                     f"1 reading since the job was opened, {LAST}, still 5 kWh. {NEXT}", id="many late ones"),
        pytest.param([], [], _late(8), "unknown", "The site has begun to report",
                     f"{LATE} {NONE_SINCE} {NEXT}", id="never before, and late"),
    ],
)  # fmt: skip
def test_what_the_register_has_done_since(
    evidence: list[int], since: list[int], late: Late | None, level: str, headline: str, detail: str
) -> None:
    told = progress(Job(), _seen(evidence, since, late), LONDON)
    assert (told.level, told.headline, told.detail) == (level, headline, detail)


@pytest.mark.parametrize(
    ("since", "late", "detail"),
    [
        pytest.param([5, 1008], NONE_LATE, f"2 readings since the job was opened, {LAST}: up 1,003 kWh.",
                     id="by a new reading"),
        pytest.param([], _late(8), f"{LATE} {NONE_SINCE}", id="by a late reading"),
        pytest.param([], NONE_LATE, "No reading has come in since the job was opened.", id="readings gone"),
    ],
)  # fmt: skip
def test_a_recovery_names_the_run_that_saw_it_and_what_it_saw(
    since: list[int], late: Late | None, detail: str
) -> None:
    told = progress(Job(recovered_at=NOON, recovered_run_id=9), _seen([5, 5], since, late), LONDON)
    assert (told.level, told.headline) == ("good", "Recovered")
    assert told.detail == f"Run 9 saw at 2026-03-31 13:00 that the fault is gone. {detail}"


def test_a_silence_after_the_last_reading_is_named() -> None:
    told = progress(Job(), _seen([5], [5], NONE_LATE, last=days_before(3.57)), LONDON)
    assert told.detail == (
        "1 reading since the job was opened, the last one at 2026-03-27 22:19, none in the last 3 days, "
        "still 5 kWh."
    )


@pytest.mark.parametrize(("seconds", "is_named"), [(0, False), (60, False), (61, True)])
def test_a_check_of_the_past_is_named_by_its_instant(seconds: int, is_named: bool) -> None:
    then: dict[str, Any] = {"started_at": CHECK + timedelta(seconds=seconds)}
    told = progress(Job(), replace(_seen([5], [], NONE_LATE), **then), LONDON)
    named = "2026-03-22 12:00, as of which the job was opened" if is_named else "the job was opened"
    assert told.headline == f"No reading since {named}"
