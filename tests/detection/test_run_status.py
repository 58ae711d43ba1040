"""One rule's failure does not stop the other, and the run says what became of each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, literal, select

from jobauto.detection.service import RunParameters, RunResult, dry_run
from jobauto.extensions import db
from jobauto.models import Run, Site
from jobauto.rules.moment import Moment
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.rule import Rule
from jobauto.rules.zero_reads import ZERO_READS
from tests.detection.running import jobs, run_at, save
from tests.fleets import NOON, add_site, daily


def raises(settings: Any, moment: Moment) -> Select[Any]:
    """Verdicts of a rule with a fault in its Python."""
    raise ZeroDivisionError("a fault in the rule")


def refused(settings: Any, moment: Moment) -> Select[Any]:
    """Verdicts of a rule with a fault in its SQL: two verdicts for one site."""
    twice = select(Site.key.label("site_key"), literal("flagged").label("verdict"))
    return twice.union_all(twice).subquery().select()


def broken(rule: Rule, verdicts: Any = raises) -> Rule:
    """The same rule, with a fault."""
    return replace(rule, verdicts=verdicts)


def stored() -> Run:
    """The one run, as the database has it."""
    db.session.rollback()
    return db.session.scalars(select(Run)).one()


def statuses(result: RunResult) -> Mapping[str, str]:
    """The status of each rule."""
    return {name: rule.status for name, rule in result.rules.items()}


BROKEN_NO_COMS, BROKEN_ZERO_READS = broken(NO_COMS), broken(ZERO_READS)


@pytest.mark.parametrize(
    ("rules", "disabled", "expected", "status", "opened"),
    [
        pytest.param((NO_COMS, ZERO_READS), (), "succeeded succeeded", "succeeded", 2, id="both well"),
        pytest.param((BROKEN_NO_COMS, ZERO_READS), (), "failed succeeded", "partial", 1, id="first fails"),
        pytest.param((NO_COMS, BROKEN_ZERO_READS), (), "succeeded failed", "partial", 1, id="second fails"),
        pytest.param((BROKEN_NO_COMS, BROKEN_ZERO_READS), (), "failed failed", "failed", 0, id="both fail"),
        pytest.param((NO_COMS, ZERO_READS), ("no_coms",), "skipped succeeded", "succeeded", 1, id="one off"),
        pytest.param(
            (NO_COMS, ZERO_READS), ("no_coms", "zero_reads"), "skipped skipped", "succeeded", 0, id="both off"
        ),
        pytest.param(
            (NO_COMS, BROKEN_ZERO_READS), ("no_coms",), "skipped failed", "failed", 0, id="one off, one fails"
        ),
        pytest.param((BROKEN_NO_COMS,), ("no_coms",), "skipped", "succeeded", 0, id="a broken one is off"),
        pytest.param((NO_COMS,), (), "succeeded", "succeeded", 1, id="only one asked for"),
        pytest.param((BROKEN_NO_COMS,), (), "failed", "failed", 0, id="only one, and it fails"),
    ],
)
def test_the_status_of_a_run_follows_from_its_rules(
    app: Flask, rules: tuple[Rule, ...], disabled: tuple[str, ...], expected: str, status: str, opened: int
) -> None:
    add_site("silent")
    add_site("stuck", daily([5] * 4))
    if disabled:
        save(**{name: {"enabled": False} for name in disabled})

    result = run_at(rules=rules)

    assert list(statuses(result).values()) == expected.split()
    run = stored()
    assert (result.status, run.status) == (status, status)
    assert {rule.rule: rule.status for rule in run.rules} == statuses(result)
    assert (result.created_jobs, run.created_jobs, len(jobs())) == (opened, opened, opened)


@pytest.mark.parametrize("fault", [raises, refused])
def test_a_failure_is_told_in_a_sentence_and_leaves_nothing_behind(app: Flask, fault: Any) -> None:
    add_site("stuck", daily([5] * 4))

    result = run_at(rules=(broken(NO_COMS, fault), ZERO_READS))

    failed = result.rules["no_coms"]
    assert (failed.status, failed.flagged, failed.created) == ("failed", 0, 0)
    assert failed.error
    assert "\n" not in failed.error
    assert "Traceback" not in failed.error
    assert "SELECT" not in failed.error
    assert stored().rules[0].error == failed.error
    assert result.rules["zero_reads"].created == 1


def test_the_log_tells_start_figures_failure_with_traceback_and_end(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    add_site("stuck", daily([5] * 4))
    with caplog.at_level("INFO", logger="job_automation"):
        result = run_at(rules=(BROKEN_NO_COMS, ZERO_READS))

    told = [record.getMessage() for record in caplog.records]
    assert ["event=start" in told[0], "event=end" in told[-1]] == [True, True]
    assert all(f"run={result.run_id}" in line for line in told)
    assert "status=partial created=1" in told[-1]
    assert [
        line for line in told if "rule=zero_reads" in line and "flagged=1" in line and "created=1" in line
    ]
    (failure,) = [record for record in caplog.records if record.exc_info]
    assert "a fault in the rule" in caplog.text
    assert "rule=no_coms" in failure.getMessage()


def test_a_dry_run_goes_on_after_a_failure_too(app: Flask) -> None:
    add_site("stuck", daily([5] * 4))

    result = dry_run(RunParameters("cli", rules=(BROKEN_NO_COMS, ZERO_READS)), lambda: NOON)

    assert (result.status, statuses(result)) == ("partial", {"no_coms": "failed", "zero_reads": "succeeded"})
    assert [finding.site_id for finding in result.findings] == ["stuck"]
