"""What has become of a fault, in a sentence."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from jobauto.jobs.progress import progress
from jobauto.models import Job, Reading
from tests.fleets import NOON, daily

LONDON = ZoneInfo("Europe/London")


def _readings(values: Sequence[object]) -> list[Reading]:
    return [Reading(site_key=1, reading_date=at, reading_value=value) for at, value in daily(values).items()]


@pytest.mark.parametrize(
    ("recovered", "evidence", "since", "level", "headline", "detail"),
    [
        pytest.param(
            False,
            [5, 5],
            [],
            "warning",
            "No reading since the job was opened",
            "Nothing tells",
            id="nothing since",
        ),
        pytest.param(
            False, [5, 5], [5, 5], "warning", "The register has not moved", "still 5 kWh", id="stands still"
        ),
        pytest.param(False, [5, 5], [5, 8], "unknown", "The register has moved", "up 3 kWh", id="moves"),
        pytest.param(
            False, [5, 5], [3], "unknown", "The register has moved", "down 2 kWh", id="runs backwards"
        ),
        pytest.param(
            False, [5, 5], [6, 5], "unknown", "The register has moved", "still 5 kWh", id="moved and back"
        ),
        pytest.param(
            False, [], [7], "unknown", "The site has begun to report", "with 7 kWh", id="never before"
        ),
        pytest.param(True, [5, 5], [5, 1008], "good", "Recovered", "up 1,003 kWh", id="recovered"),
        pytest.param(
            True, [5, 5], [], "good", "Recovered", "No reading has come in", id="recovered, readings gone"
        ),
    ],
)
def test_what_the_register_has_done_since(
    recovered: bool, evidence: list[int], since: list[int], level: str, headline: str, detail: str
) -> None:
    job = Job(recovered_at=NOON if recovered else None, recovered_run_id=9 if recovered else None)
    told = progress(job, _readings(evidence), _readings(since)[::-1], LONDON)
    assert (told.level, told.headline) == (level, headline)
    assert detail in told.detail
    assert told.detail.startswith("Run 9 saw at 2026-03-31 13:00") == recovered


def test_the_newest_part_of_many_readings_is_called_that() -> None:
    told = progress(Job(), _readings([5]), _readings([6, 7])[::-1], LONDON, more=True)
    assert told.detail.startswith("More than 2 readings since the job was opened")
