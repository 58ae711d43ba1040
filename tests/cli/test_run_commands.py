"""The commands that check the fleet: their lines, their JSON and their exit status."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Job, Run, RunRule
from jobauto.runs.lifecycle import Claim, start
from jobauto.settings import service as settings
from tests.api.fleet import RULE_RESULT, has_shape
from tests.cli.conftest import Cli, Shell
from tests.fleets import NOON, add_site, daily, days_before

DAILY = "run-daily-job-automation"
AT_NOON = ("--as-of", "2026-03-31T12:00Z")
COMMANDS = ["create-no-coms-jobs", "create-zero-reads-jobs", DAILY]


@pytest.fixture
def fleet(app: Flask) -> None:
    add_site("silent", {days_before(9): 100})
    add_site("never")
    add_site("flat", daily([7, 7, 7, 7]))


def rows() -> list[int]:
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (Run, RunRule, Job)]


def fail_zero_reads() -> None:
    """Let the rule Zero Reads fail from now on."""

    def fail(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO job ") and "zero_reads" in str(parameters):
            raise RuntimeError("the disk is full")

    event.listen(db.engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("create-no-coms-jobs", ["Created 2 No Coms jobs"]),
        ("create-zero-reads-jobs", ["Created 1 Zero Reads jobs"]),
        (DAILY, ["Created 2 No Coms jobs", "Created 1 Zero Reads jobs", "Daily job automation completed"]),
    ],
)
def test_what_a_command_prints(cli: Cli, fleet: None, command: str, lines: list[str]) -> None:
    done = cli(command, *AT_NOON)
    assert (done.stdout.splitlines(), done.exit_code) == (lines, 0)
    again = cli(command, *AT_NOON)
    assert again.stdout == done.stdout.replace("Created 2", "Created 0").replace("Created 1", "Created 0")


@pytest.mark.process
@pytest.mark.parametrize("program", [["jobauto"], ["flask", "--app", "wsgi"]], ids=["jobauto", "flask"])
def test_standard_output_has_the_lines_and_nothing_else(
    app: Flask, shell: Shell, fleet: None, program: list[str]
) -> None:
    name, *options = program
    done = shell(*options, DAILY, *AT_NOON, program=name, FLASK_APP="jobauto.wsgi")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Created 2 No Coms jobs",
        "Created 1 Zero Reads jobs",
        "Daily job automation completed",
    ]
    assert re.search("event=end run=[0-9]+ status=succeeded", done.stderr)


def test_json_is_one_object_with_the_fields_of_the_contract(cli: Cli, fleet: None) -> None:
    done = cli(DAILY, "--json", *AT_NOON)
    answer = json.loads(done.stdout)
    assert done.exit_code == 0
    assert set(answer) == {"run_id", "as_of", "status", "created_jobs", "rules"}
    assert (answer["run_id"], answer["status"], answer["created_jobs"]) == (1, "succeeded", 3)
    assert answer["as_of"] == "2026-03-31T12:00:00+00:00"
    assert set(answer["rules"]) == {"no_coms", "zero_reads"}
    assert all(has_shape(rule, RULE_RESULT) for rule in answer["rules"].values())


def test_one_rules_json_has_that_rule_only(cli: Cli, fleet: None) -> None:
    answer = json.loads(cli("create-no-coms-jobs", "--json", *AT_NOON).stdout)
    assert (set(answer["rules"]), answer["created_jobs"]) == ({"no_coms"}, 2)


def test_a_dry_run_lists_its_findings_and_writes_nothing(cli: Cli, fleet: None) -> None:
    done = cli(DAILY, "--dry-run", "--json", *AT_NOON)
    answer = json.loads(done.stdout)
    assert (answer["run_id"], answer["status"], answer["created_jobs"]) == (None, "succeeded", 0)
    assert answer["findings"] == [
        {"rule": "no_coms", "site_id": "never", "days": None},
        {"rule": "no_coms", "site_id": "silent", "days": 9},
        {"rule": "zero_reads", "site_id": "flat", "days": 3},
    ]
    in_words = cli(DAILY, "--dry-run", *AT_NOON)
    assert "No Coms: 2 of 3 sites flagged" in in_words.stdout
    assert "Created" not in in_words.stdout
    assert rows() == [0, 0, 0]


def test_a_dry_run_does_not_wait_for_a_run_under_way(cli: Cli, fleet: None) -> None:
    with db.engine.connect() as connection:
        start(connection, Claim("manual", None, NOON, NOON, settings_version=1))
    assert cli(DAILY, "--dry-run", *AT_NOON).exit_code == 0


@pytest.mark.parametrize(
    ("as_of", "means"),
    [
        pytest.param("2026-03-31T12:00:00Z", "2026-03-31T12:00:00+00:00", id="with Z"),
        pytest.param("2026-03-31T12:00:00+05:30", "2026-03-31T06:30:00+00:00", id="with an offset"),
        pytest.param("2026-03-31T12:00", "2026-03-31T11:00:00+00:00", id="in summer in London"),
        pytest.param("2026-01-31 12:00", "2026-01-31T12:00:00+00:00", id="in winter in London"),
        pytest.param("2026-03-31", "2026-03-30T23:00:00+00:00", id="a date: its local midnight"),
    ],
)
def test_as_of_without_an_offset_is_the_schedules_zone(standing_cli: Cli, as_of: str, means: str) -> None:
    assert json.loads(standing_cli(DAILY, "--dry-run", "--json", "--as-of", as_of).stdout)["as_of"] == means


def test_the_schedules_zone_may_be_another(cli: Cli) -> None:
    settings.save(lambda now: now.changed({"SCHEDULE": {"timezone": "Asia/Kathmandu"}}), by="ada", now=NOON)
    answer = json.loads(cli(DAILY, "--dry-run", "--json", "--as-of", "2026-01-31T12:00").stdout)
    assert answer["as_of"] == "2026-01-31T06:15:00+00:00"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_future_as_of_is_refused_unless_dry(cli: Cli, fleet: None, command: str) -> None:
    tomorrow = (utcnow() + timedelta(days=1)).isoformat()
    refused = cli(command, "--as-of", tomorrow)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "future" in refused.stderr
    assert cli(command, "--dry-run", "--as-of", tomorrow).exit_code == 0
    assert rows() == [0, 0, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--as-of", "yesterday"], id="an instant in words"),
        pytest.param(["--as-of", "31/03/2026"], id="day first"),
        pytest.param(["--as-of", "2026-02-30"], id="30 February"),
        pytest.param(["--as-of", "0001-01-01T00:00+14:00"], id="before the calendar"),
        pytest.param(["--as-of", "0206-03-31T06:00"], id="before any reading"),
        pytest.param(["--as-of", "2026-03-31T06:00+14:30"], id="an offset that no clock has"),
        pytest.param(["--as-of", "2025-10-26T01:30"], id="an hour that comes twice"),
        pytest.param(["--as-of", "2026-03-29T01:30"], id="an hour that never was"),
        pytest.param(["--as-of", ""], id="empty"),
        pytest.param(["--as-of"], id="missing"),
        pytest.param(["--quickly"], id="an unknown option"),
        pytest.param(["now"], id="an argument"),
    ],
)
def test_wrong_usage_is_2_and_writes_nothing(standing_cli: Cli, arguments: list[str]) -> None:
    before = rows()
    for command in COMMANDS:
        done = standing_cli(command, *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr
    assert rows() == before


def test_a_rule_that_fails_is_1_and_does_not_stop_the_other(cli: Cli, fleet: None) -> None:
    fail_zero_reads()
    done = cli(DAILY, *AT_NOON)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:2] == [
        "Created 2 No Coms jobs",
        "Zero Reads failed: RuntimeError: the disk is full",
    ]
    answer = json.loads(cli(DAILY, "--json", *AT_NOON).stdout)
    assert (answer["status"], answer["rules"]["zero_reads"]["status"]) == ("partial", "failed")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_under_way_is_3(app: Flask, cli: Cli, fleet: None, command: str) -> None:
    with db.engine.connect() as connection:
        start(connection, Claim("manual", None, NOON, NOON, settings_version=1))
    done = cli(command)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "under way" in done.stderr
    assert rows() == [1, 0, 0]


def test_a_run_that_is_given_up_is_told_in_a_sentence(cli: Cli, fleet: None) -> None:
    def bury(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO verdict"):
            event.remove(db.engine, "before_cursor_execute", bury)
            with db.engine.connect() as other:
                other.execute(text("UPDATE run SET status = 'crashed'"))
                other.commit()

    event.listen(db.engine, "before_cursor_execute", bury)
    done = cli(DAILY)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "given up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_disabled_rule_is_skipped_and_says_so(cli: Cli, fleet: None) -> None:
    settings.save(lambda now: now.changed({"NO_COMS": {"enabled": False}}), by="ada", now=NOON)
    done = cli(DAILY, *AT_NOON)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "No Coms is disabled: skipped")


def test_scheduled_claims_the_days_slot_once_and_says_so(cli: Cli, fleet: None) -> None:
    first, second = cli(DAILY, "--scheduled"), cli(DAILY, "--scheduled")
    assert first.exit_code == second.exit_code == 0
    assert first.stdout.endswith("Daily job automation completed\n")
    assert "done already" in second.stdout
    assert "Created" not in second.stdout
    made = db.session.scalars(select(Run)).one()
    assert (made.trigger, made.slot is not None) == ("schedule", True)
    assert cli(DAILY).exit_code == 0, "without --scheduled it runs whatever the slot"


def test_scheduled_tells_a_script_in_json_that_the_slot_is_taken(cli: Cli, fleet: None) -> None:
    first, second = (json.loads(cli(DAILY, "--scheduled", "--json").stdout) for _ in range(2))
    assert (first["status"], first["created_jobs"]) == ("succeeded", 3)
    assert second.pop("reason").endswith("has been done already.")
    assert second == {"run_id": None, "as_of": None, "status": "skipped", "created_jobs": 0, "rules": {}}
    assert set(second) <= set(first)


def test_scheduled_waits_for_nobody(cli: Cli) -> None:
    with db.engine.connect() as connection:
        start(connection, Claim("manual", None, NOON, NOON, settings_version=1))
    assert cli(DAILY, "--scheduled").exit_code == 3


@pytest.mark.parametrize("other", [["--dry-run"], ["--as-of", "2026-03-31"]])
def test_scheduled_runs_now_and_for_real(cli: Cli, other: list[str]) -> None:
    assert cli(DAILY, "--scheduled", *other).exit_code == 2
    assert rows() == [0, 0, 0]


def test_a_run_by_command_says_who_asked(cli: Cli) -> None:
    cli(DAILY)
    made = db.session.scalars(select(Run)).one()
    assert (made.trigger, made.slot) == ("cli", None)
    assert made.requested_by


def test_a_held_run_says_why_and_does_not_end_as_if_all_were_well(cli: Cli, app: Flask) -> None:
    for number in range(25):
        add_site(f"S{number}", {days_before(4): 7})
    done = cli("create-no-coms-jobs", *AT_NOON)
    assert done.stdout == (
        "Held 25 No Coms jobs: 25 of 25 sites went silent together: is the feed down? "
        "Release or discard them on the page of run 1.\n"
    )
    assert done.exit_code == 1
    told = json.loads(cli(DAILY, *AT_NOON, "--json").stdout)
    assert (told["status"], told["created_jobs"], told["held_jobs"]) == ("held", 0, 25)
