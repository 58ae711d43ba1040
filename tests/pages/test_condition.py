"""Whether the fleet is fine, in a sentence."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jobauto.dashboard.condition import condition
from jobauto.dashboard.coverage import Fleet
from jobauto.models import Hold, Run
from tests.fleets import NOON

SUCCEEDED = Run(status="succeeded")
HELD = Run(status="held", hold=Hold())
WELL = Fleet(active=10, watched=10, runs=[SUCCEEDED, SUCCEEDED])
FAULTY = replace(WELL, faulty=1, holding=1)


@pytest.mark.parametrize(
    ("fleet", "last_run", "hours_to_next", "level", "headline"),
    [
        pytest.param(Fleet(), SUCCEEDED, 8, "unknown", "The fleet has not been checked yet", id="no sites"),
        pytest.param(WELL, None, 8, "unknown", "The fleet has not been checked yet", id="never checked"),
        pytest.param(WELL, SUCCEEDED, 8, "good", "No open faults", id="well"),
        pytest.param(WELL, SUCCEEDED, None, "good", "No open faults", id="well, without a schedule"),
        pytest.param(
            FAULTY,
            SUCCEEDED,
            8,
            "quiet",
            "1 of 10 active sites has an open job whose fault holds",
            id="faulty",
        ),
        pytest.param(WELL, SUCCEEDED, -1, "good", "No open faults", id="due for an hour"),
        pytest.param(FAULTY, SUCCEEDED, -1.1, "bad", "The daily check is overdue", id="overdue"),
        pytest.param(WELL, Run(status="failed"), 8, "bad", "The last run failed", id="failed"),
        pytest.param(FAULTY, Run(status="crashed"), -2, "bad", "The last run crashed", id="crashed"),
        pytest.param(WELL, HELD, 8, "warning", "No job is open but those held", id="held"),
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


@pytest.mark.parametrize(
    ("known", "level", "headline", "detail"),
    [
        pytest.param({}, "good", "No open faults", "All 10 active sites have been checked.", id="well"),
        pytest.param(
            {"recovered": 4},
            "good",
            "No open faults",
            "All 10 active sites have been checked. 4 open jobs have recovered.",
            id="all that is open has recovered",
        ),
        pytest.param(
            {"faulty": 2, "holding": 3, "recovered": 1, "unchecked": 1, "unassessable": 2},
            "quiet",
            "2 of 10 active sites have an open job whose fault holds",
            "The newest check found no fault at the others that it could assess. "
            "1 site was not checked. 2 sites could not be assessed. 1 open job has recovered.",
            id="faulty, and all that is left out",
        ),
        pytest.param(
            {"faulty": 10, "holding": 10},
            "quiet",
            "10 of 10 active sites have an open job whose fault holds",
            "",
            id="no others",
        ),
        pytest.param(
            {"holding": 1},
            "quiet",
            "1 job is open at inactive sites",
            "The newest check found no fault at the others that it could assess.",
            id="a job at a site that is inactive",
        ),
        pytest.param(
            {"unchecked": 10},
            "warning",
            "10 of 10 active sites were not checked",
            "There is no verdict of the last 25 hours on them by every rule, so nothing is known of them.",
            id="none checked",
        ),
        pytest.param(
            {"unassessable": 1},
            "good",
            "No open faults",
            "All 10 active sites have been checked. 1 site could not be assessed.",
            id="one in ten not assessable",
        ),
        pytest.param(
            {"unassessable": 2, "recovered": 1},
            "warning",
            "2 of 10 active sites could not be assessed",
            "No rule found a fault there, but none could look: it takes more readings, or more time. "
            "1 open job has recovered.",
            id="more than one in ten",
        ),
        pytest.param(
            {"watched": 9},
            "good",
            "No open faults",
            "All 9 active sites that are not snoozed have been checked.",
            id="one is snoozed",
        ),
        pytest.param(
            {"active": 2, "watched": 1},
            "good",
            "No open faults",
            "The one active site that is not snoozed has been checked.",
            id="all but one are snoozed",
        ),
        pytest.param(
            {"faulty": 1, "holding": 1, "jobless": 1},
            "quiet",
            "1 of 10 active sites has an open job whose fault holds",
            "1 flagged site has no open job any more.",
            id="another job was closed while its fault held",
        ),
        pytest.param(
            {"jobless": 2},
            "good",
            "No open faults",
            "All 10 active sites have been checked. 2 flagged sites have no open job any more.",
            id="all jobs were closed while their faults held",
        ),
        pytest.param(
            {"watched": 0}, "unknown", "No site is watched", "All active sites are snoozed.", id="all snoozed"
        ),
        pytest.param(
            {"runs": []},
            "warning",
            "No rule is switched on",
            "Runs look for no faults until one is, in the settings.",
            id="no rule",
        ),
        pytest.param(
            {"runs": [SUCCEEDED, Run(status="failed")], "recovered": 2, "unchecked": 10},
            "bad",
            "The last run failed",
            "The figures below may be out of date. 10 sites were not checked. 2 open jobs have recovered.",
            id="the last run of one rule failed",
        ),
        pytest.param(
            {"runs": [HELD, SUCCEEDED], "faulty": 2, "holding": 2},
            "quiet",
            "2 of 10 active sites have an open job whose fault holds",
            "The sites of the held jobs are not counted.",
            id="faulty, and others are held",
        ),
        pytest.param(
            {"runs": [HELD, SUCCEEDED], "unchecked": 1},
            "warning",
            "No job is open but those held",
            "1 site was not checked.",
            id="held, and others were not checked",
        ),
        pytest.param(
            {"runs": [HELD, Run(status="failed")]},
            "bad",
            "The last run failed",
            "The figures below may be out of date.",
            id="held, and the other rule failed later",
        ),
    ],
)
def test_green_means_that_every_site_was_checked_and_says_what_it_leaves_out(
    known: dict[str, Any], level: str, headline: str, detail: str
) -> None:
    found = condition(replace(WELL, **known), SUCCEEDED, None, NOON)
    assert (found.level, found.headline, found.detail) == (level, headline, detail)
