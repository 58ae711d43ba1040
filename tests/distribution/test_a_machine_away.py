"""A machine of a distributed database is away for a while: nothing of the day's check is lost.

The coordinator answers as ever, on a connection that stays usable; what asks for the fleet is refused with
SQLSTATE 08006, here by a view in the table's place, and by triggers.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, dry_run, run
from jobauto.extensions import db
from jobauto.models import RunRule
from jobauto.runs.queries import ATTEMPTS_AT_ONCE
from jobauto.storage.connections import DatabaseUnreachable
from jobauto.work.slots import run_slot, tick
from tests.people import PASSWORD, Person
from tests.runs.fleet import add_faulty_fleet, every_fault_has_one_job, make_todays_slot_due, statuses

pytestmark = pytest.mark.postgresql

SENTENCE = "The database does not answer."
AWAY = """
CREATE FUNCTION is_there() RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'connection to the remote node localhost:9701 failed' USING ERRCODE = '08006'; END $$;
ALTER TABLE site RENAME TO site_out_of_reach;
CREATE VIEW site AS SELECT * FROM site_out_of_reach WHERE is_there()
"""
BACK = "DROP VIEW site; ALTER TABLE site_out_of_reach RENAME TO site; DROP FUNCTION is_there"
FAIL = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'it is as it is' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER failing BEFORE INSERT ON job FOR EACH ROW {condition} EXECUTE FUNCTION fail()
"""
MEND = "DROP TRIGGER failing ON job; DROP FUNCTION fail"


def do(statements: str) -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        connection.exec_driver_sql(statements)


@contextmanager
def away() -> Iterator[None]:
    """The machine with the sites is away while the block lasts."""
    do(AWAY)
    yield
    do(BACK)


@contextmanager
def failing(code: str, condition: str = "") -> Iterator[None]:
    """No job can be opened while the block lasts."""
    do(FAIL.format(code=code, condition=condition))
    yield
    do(MEND)


@pytest.fixture(autouse=True)
def _a_run_is_due(app: Flask) -> None:
    add_faulty_fleet(utcnow())
    make_todays_slot_due(utcnow())


def test_it_is_away_when_the_run_is_due_and_no_attempt_is_used_up(app: Flask) -> None:
    with away():
        for _ in range(ATTEMPTS_AT_ONCE + 1):
            with pytest.raises(DatabaseUnreachable, match="remote node"):
                tick()
        assert statuses() == []
    assert tick()
    assert statuses() == ["succeeded"]
    assert every_fault_has_one_job()


@pytest.mark.parametrize("code", ["08006", "57P01", "57P03"])
def test_it_goes_in_the_middle_of_a_run_and_the_slot_is_free_again(app: Flask, code: str) -> None:
    with failing(code), pytest.raises(OperationalError):
        tick()
    assert statuses() == ["crashed"]
    assert tick()
    assert statuses() == ["crashed", "succeeded"]
    assert every_fault_has_one_job()
    assert tick() is None


def test_it_goes_after_the_first_rule_whose_jobs_stay(app: Flask) -> None:
    with failing("08006", "WHEN (NEW.rule = 'zero_reads')"), pytest.raises(OperationalError):
        tick()
    assert tick()
    assert statuses() == ["crashed", "succeeded"]
    assert every_fault_has_one_job()


def test_a_run_by_hand_crashes_too_and_a_dry_one_says_so(app: Flask) -> None:
    with failing("08006"), pytest.raises(OperationalError):
        run(RunParameters("manual"), utcnow)
    with away(), pytest.raises(OperationalError):
        dry_run(RunParameters("cli"), utcnow)
    assert statuses() == ["crashed"]


def test_a_command_says_so_and_cron_may_come_again(app: Flask) -> None:
    command = ["run-daily-job-automation", "--scheduled"]
    with away():
        refused = app.test_cli_runner().invoke(args=command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: The database does not answer (connection to the remote node")
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0
    assert "Daily job automation completed" in done.stdout


def test_a_page_is_a_503_with_a_sentence(ada: Person) -> None:
    with away():
        for address in ("/", "/jobs/", "/sites/", "/runs/", "/settings/", "/api/jobs/", "/api/sites/"):
            page = ada.get(address)
            assert page.status_code == 503, address
            assert SENTENCE in page.text
            assert "9701" not in page.text
        assert ada.api("POST", "/api/job-automation/run-manual/").status_code == 503
    assert ada.get("/").status_code == 200


def test_one_can_log_in(stranger: Person, cast: None) -> None:
    with away():
        assert stranger.get("/login").status_code == 200
        assert stranger.post("/login", username="ada", password="wrong").status_code == 401
        assert stranger.post("/login", username="ada", password=PASSWORD).status_code == 302
        assert stranger.get("/").status_code == 503
    assert stranger.get("/").status_code == 200


def test_machines_that_watch_are_told(stranger: Person) -> None:
    run_slot(utcnow().date(), utcnow)
    answers = [stranger.client.get("/healthz").status_code]
    with away():
        answers.append(stranger.client.get("/healthz").status_code)
    answers.append(stranger.client.get("/healthz").status_code)
    assert answers == [200, 503, 200]


FULL = "53100"


@pytest.mark.parametrize(
    ("code", "condition", "status", "tried_again"),
    [
        pytest.param(FULL, "", "crashed", True, id="full"),
        pytest.param(FULL, "WHEN (NEW.rule = 'no_coms')", "partial", False, id="for one rule only"),
        pytest.param("22012", "", "failed", False, id="a fault of the rules"),
    ],
)
def test_a_daily_run_none_of_whose_rules_could_do_its_work_is_tried_again(
    app: Flask, code: str, condition: str, status: str, tried_again: bool
) -> None:
    with failing(code, condition), suppress(OperationalError):
        tick()
    assert statuses() == [status]
    assert "it is as it is" in db.session.scalars(select(RunRule.error)).all()
    assert (tick() is not None) == tried_again


def test_a_run_by_hand_none_of_whose_rules_could_do_its_work_has_failed(app: Flask) -> None:
    with failing(FULL):
        assert run(RunParameters("manual"), utcnow).status == "failed"
    assert statuses() == ["failed"]


def test_it_is_not_tried_at_each_tick_for_ever(app: Flask) -> None:
    with failing(FULL):
        for _ in range(ATTEMPTS_AT_ONCE):
            with pytest.raises(OperationalError):
                tick()
        assert tick() is None
    assert statuses() == ["crashed"] * ATTEMPTS_AT_ONCE


def test_the_connection_stays_usable(app: Flask) -> None:
    with away(), db.engine.connect() as connection:
        with pytest.raises(OperationalError) as refused:
            connection.execute(text("SELECT key FROM site LIMIT 1"))
        assert not refused.value.connection_invalidated
        connection.rollback()
        assert connection.scalar(text("SELECT 1")) == 1
        connection.rollback()
