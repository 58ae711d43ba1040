"""What another threshold would flag now is what a dry run finds with it."""

from datetime import timedelta

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.detection.service import RunParameters, dry_run
from jobauto.lab.service import NOW, Question, claim, standing, work_out
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from tests.detection.running import save
from tests.fleets import NOON, add_site, daily, days_before

FIELDS = {"no_coms": "days_threshold", "zero_reads": "days_to_check"}


@pytest.fixture(autouse=True)
def _fleet(app: Flask) -> None:
    """Sites that are silent, and that stand still, for 0 to 11 days; some of a group with a policy."""
    for days in range(12):
        group = "Slow" if days % 3 == 0 else ""
        add_site(f"silent{days}", daily(range(9), last=days_before(days)), group=group)
        add_site(f"flat{days}", daily([*range(20 - days), *[20] * days]), group=group)
    add_site("never", {})
    add_site("new", {}, monitored_from=days_before(4).date())
    add_site("off", {}, active=False)
    add_site("snoozed", {}, snoozed_until=NOON + timedelta(days=1))
    slow = Policy(
        "Slow", {"NO_COMS": {"days_threshold": 8}, "ZERO_READS": {"readings_to_compare": 4}}, ("Slow",)
    )
    settings.put_policy(slow, author=Author("ada", NOON))


@pytest.mark.parametrize("rule", FIELDS)
def test_each_threshold_flags_what_a_dry_run_with_it_flags(rule: str) -> None:
    asked = claim(Question(rule, NOW), NOON)
    assert asked
    work_out(asked, lambda: NOON)
    answer = standing(Question(rule, NOW), NOON).answer
    assert answer
    expected = {}
    for row in answer["thresholds"]:
        if row["value"] in (3, 4, 5, 7, 10):
            save(**{rule: {FIELDS[rule]: row["value"]}})
            found = dry_run(RunParameters("cli"), lambda: NOON).rules[rule]
            expected[row["value"]] = (found.flagged, found.checked)
    said = {row["value"]: (row["flagged"], row["checked"]) for row in answer["thresholds"]}
    assert {value: said[value] for value in expected} == expected
    assert len({flagged for flagged, _ in expected.values()}) > 2


def test_a_value_that_a_policy_contradicts_is_left_out() -> None:
    asked = claim(Question("zero_reads", NOW), NOON)
    assert asked
    work_out(asked, lambda: NOON)
    answer = standing(Question("zero_reads", NOW), NOON).answer
    assert answer
    assert [row["value"] for row in answer["thresholds"]] == [*range(4, 31)]


def test_it_holds_for_the_hour_though_nothing_comes_in() -> None:
    asked = claim(Question("no_coms", NOW), NOON)
    assert asked
    work_out(asked, lambda: NOON)
    assert standing(Question("no_coms", NOW), NOON + timedelta(minutes=50)).answer
    assert standing(Question("no_coms", NOW), NOON + timedelta(minutes=70)).answer is None
