"""Whether the fleet is fine, in a sentence."""

from datetime import timedelta

import pytest

from jobauto.dashboard.condition import Fleet, condition
from jobauto.models import Hold, Run
from tests.fleets import NOON

WELL, FAULTY = Fleet(active=10, faulty=0), Fleet(active=10, faulty=1)
SUCCEEDED = Run(status="succeeded")


@pytest.mark.parametrize(
    ("fleet", "last_run", "hours_to_next", "level", "headline"),
    [
        pytest.param(
            Fleet(0, 0), SUCCEEDED, 8, "unknown", "The fleet has not been checked yet", id="no sites"
        ),
        pytest.param(WELL, None, 8, "unknown", "The fleet has not been checked yet", id="never checked"),
        pytest.param(WELL, SUCCEEDED, 8, "good", "No open faults", id="well"),
        pytest.param(WELL, SUCCEEDED, None, "good", "No open faults", id="well, without a schedule"),
        pytest.param(FAULTY, SUCCEEDED, 8, "warning", "1 of 10 active sites has an open job", id="faulty"),
        pytest.param(WELL, SUCCEEDED, -1, "good", "No open faults", id="due for an hour"),
        pytest.param(FAULTY, SUCCEEDED, -1.1, "bad", "The daily check is overdue", id="overdue"),
        pytest.param(WELL, Run(status="failed"), 8, "bad", "The last run failed", id="failed"),
        pytest.param(FAULTY, Run(status="crashed"), -2, "bad", "The last run crashed", id="crashed"),
        pytest.param(WELL, Run(status="held", hold=Hold()), 8, "bad", "The last run is held", id="held"),
        pytest.param(
            WELL,
            Run(status="held", hold=Hold(decision="discarded")),
            8,
            "warning",
            "The jobs of the last run were discarded",
            id="discarded",
        ),
        pytest.param(WELL, Run(status="partial"), 8, "bad", "One rule failed in the last run", id="partial"),
    ],
)
def test_the_condition_is_what_matters_most(
    fleet: Fleet, last_run: Run | None, hours_to_next: float | None, level: str, headline: str
) -> None:
    next_run = None if hours_to_next is None else NOON + timedelta(hours=hours_to_next)
    found = condition(fleet, last_run, next_run, NOON)
    assert (found.level, found.headline) == (level, headline)
