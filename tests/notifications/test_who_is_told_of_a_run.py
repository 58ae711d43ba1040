"""Which end of a run is told to whom; the messages are put in the transaction that ends the run."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.notifications import digest, service
from jobauto.runs import lifecycle
from jobauto.storage.leases import LeaseLost
from jobauto.work.slots import run_slot
from tests.fleets import NOON, add_site, days_before
from tests.notifications.telling import add_one_of_each, messages, told
from tests.runs.fleet import set_heartbeat

TODAY = NOON.date()
EACH = {
    "problem": [("problems", "problem"), ("both", "problem")],
    "digest": [("digest", "digest"), ("both", "digest")],
}


def expected(*sorts: str) -> list[tuple[str, str]]:
    """To whom what is put: messages by sort, heartbeats as they are."""
    return [pair for sort in sorts for pair in EACH.get(sort, [("watch", sort)])]


def finish_as(status: str, *, scheduled: bool) -> None:
    claim = lifecycle.Claim("schedule", None, NOON, NOON, 1, TODAY if scheduled else None)
    with db.engine.connect() as connection:
        run_id = lifecycle.start(connection, claim)
        if status == "crashed":
            set_heartbeat(timedelta(minutes=2))
            lifecycle.reap_stale_runs()
        else:
            lifecycle.finish(connection, run_id, status, NOON)


@pytest.mark.parametrize("scheduled", [True, False], ids=["daily run", "run by hand"])
@pytest.mark.parametrize(
    ("status", "by_day", "by_hand"),
    [
        pytest.param("succeeded", ("digest", "success"), ("success",), id="succeeded"),
        pytest.param("partial", ("problem", "digest", "fail"), ("problem", "fail"), id="partial"),
        pytest.param("held", ("problem", "digest", "fail"), ("problem", "fail"), id="held"),
        pytest.param("failed", ("problem", "fail"), ("problem", "fail"), id="failed"),
        pytest.param("crashed", ("problem", "fail"), ("problem", "fail"), id="crashed"),
    ],
)
def test_who_is_told_of_which_end(
    app: Flask, status: str, by_day: tuple[str, ...], by_hand: tuple[str, ...], scheduled: bool
) -> None:
    add_one_of_each()
    finish_as(status, scheduled=scheduled)
    first, *others = [(label, kind) for label, kind, _ in told()]
    assert first == ("watch", "start")
    assert sorted(others) == sorted(expected(*(by_day if scheduled else by_hand)))


def test_start_and_end_of_a_run_have_its_uuid_and_another_run_has_another(app: Flask) -> None:
    add_one_of_each()
    for _ in range(2):
        run(RunParameters("cli"), lambda: NOON)
    rids = [message.rid for message in messages()]
    assert rids == [service.rid(1)] * 2 + [service.rid(2)] * 2
    assert len(set(rids)) == 2


def test_without_channels_nothing_is_put(app: Flask) -> None:
    finish_as("failed", scheduled=True)
    assert told() == []


def test_a_run_that_may_not_end_any_more_tells_nothing_of_its_end(app: Flask) -> None:
    add_one_of_each()
    with db.engine.connect() as connection:
        run_id = lifecycle.start(connection, lifecycle.Claim("cli", None, NOON, NOON, 1))
        set_heartbeat(timedelta(minutes=2))
        lifecycle.reap_stale_runs()
        before = told()
        with pytest.raises(LeaseLost):
            lifecycle.finish(connection, run_id, "failed", NOON)
    assert told() == before


@pytest.mark.unsound
def test_the_message_names_what_each_rule_did_and_why_it_failed(app: Flask) -> None:
    app.config["PUBLIC_URL"] = "https://jobs.example/app/"
    add_one_of_each()
    with db.engine.begin() as connection:  # without readings every rule fails
        connection.execute(text("ALTER TABLE reading RENAME TO reading_gone"))
    run(RunParameters("manual", "oscar"), lambda: NOON)
    describe_wants = next(message for message in messages() if message.kind == "problem")
    assert describe_wants.title == "jobauto: run 1 failed"
    lines = describe_wants.body.splitlines()
    assert lines[0] == "Run 1, started by hand by oscar, failed: none of its rules worked."
    assert "Checked as of 2026-03-31 13:00 (Europe/London)." in lines
    assert any(line.startswith("No Coms: failed. ") for line in lines)
    assert lines[-1] == "https://jobs.example/app/runs/1"


def test_a_held_run_asks_whether_the_feed_is_down(app: Flask) -> None:
    app.config["PUBLIC_URL"] = "https://jobs.example"
    add_one_of_each()
    for number in range(150):
        add_site(f"S{number}", {days_before(4 if number < 142 else 1): 1})
    assert run_slot(TODAY, lambda: NOON).status == "held"
    question = "142 of 150 sites went silent together: is the feed down?"
    problem, digest_of_it = (
        next(message for message in messages() if message.kind == kind) for kind in ("problem", "digest")
    )
    assert problem.title == f"jobauto: run 1 is held. {question}"
    assert problem.body.splitlines() == [
        "The daily run of 2026-03-31 is held: its jobs wait until an operator releases or discards them.",
        question,
        "Checked as of 2026-03-31 13:00 (Europe/London).",
        "No Coms: 142 of 150 sites flagged, 142 jobs held.",
        "Zero Reads: 0 of 150 sites flagged, 0 jobs opened.",
        "https://jobs.example/runs/1",
    ]
    assert "is held: its jobs wait" in digest_of_it.body


def test_a_fault_in_telling_does_not_keep_a_run_from_ending(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(digest, "after", broken)
    add_one_of_each()
    result = run_slot(TODAY, lambda: NOON)
    assert result.status == "succeeded"
    assert db.session.scalar(text("SELECT status FROM run")) == "succeeded"
    assert "event=notification-failed of=end id=1" in caplog.text
    assert [kind for _, kind, _ in told()] == ["start"], "what was put before the fault is rolled back too"
