"""When most of the fleet falls silent at once, the jobs wait for somebody to decide."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.guard import Silence
from jobauto.detection.service import RunResult
from jobauto.extensions import db
from jobauto.models import Event, Hold, Run
from jobauto.models.quality import Quality
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.zero_reads import ZERO_READS
from jobauto.runs import queries
from jobauto.settings.schema import GuardSettings
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at, save
from tests.fleets import NOON, add_readings, add_site, daily, days_before

OSCAR = Author("oscar", NOON + timedelta(hours=3))


def fleet(**sites: int) -> dict[str, int]:
    """So many sites of a kind: ``silent_4`` last reported four days ago, ``never`` not at all; their keys."""
    keys: dict[str, int] = {}
    for kind, count in sites.items():
        name, _, days = kind.partition("_")
        readings: dict[datetime, Any] = {"well": daily([1, 2, 3, 4, 5]), "never": {}}.get(
            name, {days_before(float(days or 0)): 7}
        )
        keys |= {f"{kind}-{place}": add_site(f"{kind}-{place}", readings) for place in range(count)}
    return keys


def report(keys: Iterable[int], at: datetime) -> None:
    """The sites send a reading."""
    for key in keys:
        add_readings(key, {at: 8})


def held(result: RunResult) -> tuple[str, int, int]:
    return result.status, result.created_jobs, result.held_jobs


def stored(run_id: int | None) -> Run:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Run, run_id)


@pytest.mark.parametrize(
    ("reported", "silent", "share", "least", "trips"),
    [
        pytest.param(40, 21, 50, 20, True, id="more than half"),
        pytest.param(40, 20, 50, 20, False, id="half is not more than half"),
        pytest.param(19, 19, 50, 20, False, id="all, but too few"),
        pytest.param(20, 20, 50, 20, True, id="all, and just enough"),
        pytest.param(20, 20, 100, 20, False, id="never more than 100 %"),
        pytest.param(1000, 11, 1, 1, True, id="a little more than 1 %"),
        pytest.param(1000, 10, 1, 1, False, id="1 %"),
        pytest.param(0, 0, 50, 1, False, id="nobody"),
    ],
)
def test_when_the_guard_trips(reported: int, silent: int, share: int, least: int, trips: bool) -> None:
    settings = GuardSettings(guard_share=share, guard_min_sites=least)
    assert Silence(NOON, reported, silent).trips(settings) == trips


@pytest.mark.parametrize(
    ("sites", "settings", "expected"),
    [
        pytest.param({"silent_4": 21, "well": 19}, {}, ("held", 0, 21), id="the feed is down"),
        pytest.param({"silent_4": 20, "well": 20}, {}, ("succeeded", 20, 0), id="just half of them"),
        pytest.param({"silent_4": 19}, {}, ("succeeded", 19, 0), id="a small fleet"),
        pytest.param({"never": 50, "well": 2}, {}, ("succeeded", 50, 0), id="a new inventory"),
        pytest.param({"never": 50, "silent_4": 3}, {}, ("succeeded", 53, 0), id="new sites do not count"),
        pytest.param({"never": 5, "silent_4": 20}, {}, ("held", 0, 25), id="held are all jobs of the rule"),
        pytest.param({"silent_8": 40, "well": 2}, {}, ("succeeded", 40, 0), id="silent for over a week"),
        pytest.param({"silent_6.9": 40, "well": 2}, {}, ("held", 0, 40), id="silent for almost a week"),
        pytest.param(
            {"silent_4": 40}, {"guard": {"guard_enabled": False}}, ("succeeded", 40, 0), id="switched off"
        ),
        pytest.param(
            {"silent_4": 5, "well": 5},
            {"guard": {"guard_share": 40, "guard_min_sites": 5}},
            ("held", 0, 5),
            id="a stricter guard",
        ),
        pytest.param(
            {"silent_10.5": 30, "well": 2},
            {"no_coms": {"days_threshold": 10}},
            ("held", 0, 30),
            id="a threshold longer than a week",
        ),
        pytest.param(
            {"silent_4": 40}, {"no_coms": {"enabled": False}}, ("succeeded", 0, 0), id="the rule is off"
        ),
    ],
)
def test_what_is_held(
    app: Flask, sites: dict[str, int], settings: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    fleet(**sites)
    save(**settings)
    result = run_at(rules=(NO_COMS,))
    assert held(result) == expected
    assert len(jobs()) == expected[1]
    assert stored(result.run_id).status == expected[0]


def test_a_held_run_tells_why(app: Flask) -> None:
    fleet(silent_4=142, well=8)
    run = stored(run_at().run_id)
    assert run.hold
    assert run.hold.describe() == "142 of 150 sites went silent together: is the feed down?"
    assert (run.status, run.created_jobs, run.held_jobs, run.hold.decision) == ("held", 0, 142, None)
    no_coms, zero_reads = run.rules
    assert (no_coms.status, no_coms.flagged, no_coms.created, no_coms.skipped) == ("held", 142, 0, 0)
    assert zero_reads.status == "succeeded"


def test_what_zero_reads_finds_is_opened_all_the_same(app: Flask) -> None:
    fleet(silent_4=30)
    add_site("stuck", daily([5] * 4))
    assert held(run_at()) == ("held", 1, 30)
    assert [job.rule for job in jobs()] == ["zero_reads"]


def test_only_sites_without_an_open_job_are_newly_flagged(app: Flask) -> None:
    fleet(silent_4=30, well=40)
    assert held(run_at()) == ("succeeded", 30, 0)
    assert held(run_at(later(24 * 3.5))) == ("held", 0, 40), "the other thirty have theirs"


def test_a_feed_that_stays_down_for_weeks_stays_held(app: Flask) -> None:
    fleet(silent_0=40)
    states = {day: held(run_at(later(24 * day))) for day in range(1, 20)}
    assert states[2] == ("succeeded", 0, 0)
    assert {states[day] for day in range(3, 20)} == {("held", 0, 40)}
    decisions = list(db.session.scalars(select(Hold.decision).order_by(Hold.run_id)))
    assert decisions == ["superseded"] * 16 + [None], "only the newest waits"


def test_discarding_it_every_day_does_not_wear_the_guard_out(app: Flask) -> None:
    fleet(silent_0=40)
    for day in range(3, 12):
        result = run_at(later(24 * day))
        assert held(result) == ("held", 0, 40)
        assert result.run_id
        holds.discard(result.run_id, OSCAR)
    assert jobs() == []


def test_a_feed_that_comes_back_ends_it(app: Flask) -> None:
    keys = fleet(silent_0=40)
    run_at(later(24 * 3))
    report(list(keys.values())[:35], later(24 * 4))
    assert held(run_at(later(24 * 4))) == ("succeeded", 5, 0)
    assert [hold.decision for hold in db.session.scalars(select(Hold))] == ["superseded"]


def test_a_release_opens_what_was_held(app: Flask) -> None:
    fleet(silent_4=30, well=2, never=3)
    run_id = run_at().run_id
    assert run_id

    assert holds.release(run_id, OSCAR) == 33

    run = stored(run_id)
    assert run.hold
    assert (run.status, run.created_jobs, run.held_jobs) == ("succeeded", 33, 0)
    assert (run.hold.decision, run.hold.decided_by, run.hold.decided_at) == (
        "released",
        OSCAR.name,
        OSCAR.now,
    )
    assert {job.run_id for job in jobs()} == {run_id}
    assert {(job.days, job.since) for job in jobs()} == {(4, days_before(4)), (None, None)}
    assert {job.created_at for job in jobs()} == {OSCAR.now}
    told = db.session.scalars(select(Event).where(Event.subject == "run")).one()
    assert (told.subject_id, told.who, told.after) == (str(run_id), "oscar", "released")
    assert held(run_at(later(24))) == ("succeeded", 0, 0), "they have their jobs: nothing is newly flagged"


def test_a_release_spares_sites_that_have_reported_since(app: Flask) -> None:
    keys = fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    report(list(keys.values())[:10], later(1))
    assert holds.release(run_id, OSCAR) == 20
    no_coms = stored(run_id).rules[0]
    assert (no_coms.flagged, no_coms.created, no_coms.skipped) == (20, 20, 0)


def test_an_estimate_that_came_since_spares_no_site(app: Flask) -> None:
    keys = fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    for key in list(keys.values())[:10]:
        add_readings(key, {later(1): 2}, quality=Quality.ESTIMATED)
    assert holds.release(run_id, OSCAR) == 30


def test_a_release_spares_sites_whose_readings_came_late(app: Flask) -> None:
    keys = fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    report(list(keys.values())[:10], days_before(1))
    assert holds.release(run_id, OSCAR) == 20


def test_a_release_uses_the_settings_of_its_run(app: Flask) -> None:
    fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    save(no_coms={"days_threshold": 9, "job_type_id": "another"})
    assert holds.release(run_id, OSCAR) == 30
    assert {job.job_type for job in jobs()} == {"no_coms"}


def test_a_release_opens_no_second_job_beside_an_open_one(app: Flask) -> None:
    fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    save(guard={"guard_enabled": False})
    run_at(as_of=days_before(0.1))  # back-dated: it decides nothing about the held run
    assert len(jobs()) == 30
    assert holds.release(run_id, OSCAR) == 0
    assert stored(run_id).rules[0].skipped == 30


@pytest.mark.parametrize("first", [holds.release, holds.discard], ids=["released", "discarded"])
@pytest.mark.parametrize("second", [holds.release, holds.discard], ids=["then released", "then discarded"])
def test_it_is_decided_once(app: Flask, first: Any, second: Any) -> None:
    fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    first(run_id, OSCAR)
    opened = len(jobs())
    with pytest.raises(holds.NothingHeld):
        second(run_id, OSCAR)
    assert len(jobs()) == opened


def test_there_is_nothing_to_decide_about_other_runs(app: Flask) -> None:
    fleet(well=1)
    run_id = run_at().run_id
    assert run_id
    for unknown in (run_id, run_id + 1):
        with pytest.raises(holds.NothingHeld):
            holds.release(unknown, OSCAR)


def test_what_a_rule_held_that_is_no_more_can_be_discarded_alone(app: Flask) -> None:
    fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    with write() as session:
        session.get_one(Hold, run_id).rule = "of_yesterday"
    with pytest.raises(holds.NothingHeld):
        holds.release(run_id, OSCAR)
    holds.discard(run_id, OSCAR)
    assert db.session.get_one(Hold, run_id).decision == "discarded"


def test_a_release_after_the_other_rule_failed_leaves_the_run_partial(app: Flask) -> None:
    def raises(*_: Any) -> Any:
        raise ZeroDivisionError

    fleet(silent_4=30)
    result = run_at(rules=(NO_COMS, replace(ZERO_READS, verdicts=raises)))
    assert result.run_id
    assert held(result) == ("partial", 0, 30)
    assert holds.release(result.run_id, OSCAR) == 30
    assert stored(result.run_id).status == "partial"


def test_a_run_that_looks_back_does_not_end_the_memory_of_an_outage(app: Flask) -> None:
    fleet(silent_0=40)
    for day in range(3, 10):
        run_at(later(24 * day))
    assert held(run_at(later(24 * 9.5), as_of=later(24))) == ("succeeded", 0, 0), "before it fell silent"
    assert held(run_at(later(24 * 10))) == ("held", 0, 40)


@pytest.mark.parametrize("status", ["running", "crashed"])
@pytest.mark.parametrize("decide", [holds.release, holds.discard], ids=["released", "discarded"])
def test_nothing_is_decided_before_the_run_has_ended(app: Flask, status: str, decide: Any) -> None:
    """No Coms keeps its hold while Zero Reads is still at work, or before the process died."""
    fleet(silent_4=30)
    run_id = run_at().run_id
    assert run_id
    with write() as session:
        session.get_one(Run, run_id).status = status
    assert db.session.scalars(queries.waiting()).all() == []
    with pytest.raises(holds.NothingHeld):
        decide(run_id, OSCAR)
    assert (stored(run_id).status, jobs()) == (status, [])
