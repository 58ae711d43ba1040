"""Seeing that a fault is gone: what counts as recovery, and what is done about it."""

from datetime import timedelta

import pytest
from flask import Flask

from jobauto.audit import queries as audit
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_readings, add_site, daily, days_before

STUCK = [1234] * 5


def recovered() -> list[bool]:
    """Whether each job is marked as recovered, oldest first."""
    return [job.recovered_at is not None for job in jobs()]


def test_a_register_that_moves_again_recovers_its_job_with_the_run_that_saw_it(app: Flask) -> None:
    key = add_site("S1", daily(STUCK))
    run_at()
    add_readings(key, {later(3): 1240})

    seen = run_at(later(4))

    job = jobs()[0]
    assert (job.status, job.recovered_at, job.recovered_run_id) == ("open", later(4), seen.run_id)


@pytest.mark.parametrize(
    ("value", "values", "expected"),
    [
        ("1234.03", {}, True),
        ("1234.02", {}, False),
        ("1240", {"quality": 2}, False),
        ("1240", {"quality": 1}, False),
        ("0.50", {"meter": 1}, True),
        ("0.01", {"meter": 1}, False),
    ],
    ids=["a rise", "a flicker", "a wrong one", "a doubtful one", "a newer meter's rise", "its flicker"],
)
def test_a_register_recovers_only_by_a_rise_of_a_good_reading(
    app: Flask, value: str, values: dict[str, int], expected: bool
) -> None:
    key = add_site("S1", daily(STUCK))
    run_at()
    rows = {later(3): value}
    if "meter" in values:
        rows = {later(1): 0, later(2): 0} | rows
    add_readings(key, rows, **values)

    run_at(later(4))

    assert recovered() == [expected]


def test_intervals_recover_when_they_add_up(app: Flask) -> None:
    key = add_site("S1", daily([0] * 5), measure="interval")
    run_at()
    add_readings(key, {later(1): "0.02"})
    run_at(later(4))
    assert recovered() == [False]
    add_readings(key, {later(5): "0.01"})

    run_at(later(6))

    assert recovered() == [True]


def test_a_silent_site_recovers_when_a_reading_comes(app: Flask) -> None:
    key = add_site("S1", daily([1, 2, 3], days_before(4)))
    run_at()
    assert [job.rule for job in jobs()] == ["no_coms"]
    add_readings(key, {later(1): 9})

    run_at(later(2))

    assert recovered() == [True]


def test_missing_data_is_never_recovery(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    run_at()

    run_at(NOON + timedelta(days=30))  # nothing more was sent: Zero Reads cannot tell

    assert [(job.rule, job.recovered_at) for job in jobs()] == [("zero_reads", None), ("no_coms", None)]


@pytest.mark.parametrize(
    "values", [{"active": False}, {"snoozed_until": NOON + timedelta(days=9)}], ids=["inactive", "snoozed"]
)
def test_a_site_that_is_not_judged_neither_recovers_nor_gets_a_job(
    app: Flask, values: dict[str, object]
) -> None:
    key = add_site("S1", daily(STUCK))
    run_at()
    site = jobs()[0].site
    for name, value in values.items():
        setattr(site, name, value)
    db.session.commit()
    add_readings(key, {later(3): 1240})

    result = run_at(later(4)).rules["zero_reads"]

    assert (result.checked, recovered()) == (0, [False])


def test_a_fault_that_comes_back_takes_the_mark_from_the_open_job_and_opens_no_second_one(app: Flask) -> None:
    key = add_site("S1", daily(STUCK))
    run_at()
    add_readings(key, {later(3): 1240})
    run_at(later(4))
    add_readings(key, daily([1240] * 6, later(24 * 6)))

    run_at(later(24 * 6))

    assert [(job.rule, job.recovered_at) for job in jobs()] == [("zero_reads", None)]


def test_a_back_dated_run_marks_no_recovery(app: Flask) -> None:
    key = add_site("S1", daily(STUCK))
    run_at()
    add_readings(key, {later(3): 1240})

    run_at(later(6), as_of=later(4))

    assert recovered() == [False]


def test_with_auto_close_a_recovered_job_that_nobody_touched_is_closed_by_the_program(app: Flask) -> None:
    save(zero_reads={"auto_close_recovered": True})
    key = add_site("S1", daily(STUCK))
    run_at()
    add_readings(key, {later(3): 1240})

    run_at(later(4))

    job = jobs()[0]
    assert (job.status, job.resolution, job.closed_at, job.closed_by) == (
        "closed",
        "recovered",
        later(4),
        None,
    )
    events = db.session.scalars(audit.events_for("job", job.id)).all()
    assert [(event.who, event.field, event.after) for event in events] == [
        (None, "status", "closed"),
        (None, "resolution", "recovered"),
    ]


def test_with_auto_close_a_job_that_somebody_works_on_is_only_marked(app: Flask) -> None:
    save(zero_reads={"auto_close_recovered": True})
    key = add_site("S1", daily(STUCK))
    run_at()
    change(jobs()[0].id, JobChange(note="Called the owner."), by="oscar", now=NOON)
    add_readings(key, {later(3): 1240})

    run_at(later(4))

    assert [(job.status, job.recovered_at) for job in jobs()] == [("open", later(4))]


def test_a_job_is_born_unrecovered_even_when_its_rule_has_recovered_others(app: Flask) -> None:
    key = add_site("S1", daily(STUCK))
    add_site("S2")
    run_at()
    add_readings(key, {later(3): 1240})
    add_site("S3", daily(STUCK))

    run_at(later(4))

    assert {(job.site.site_id, job.rule): job.recovered_at is not None for job in jobs()} == {
        ("S1", "zero_reads"): True,
        ("S2", "no_coms"): False,
        ("S3", "zero_reads"): False,
    }


@pytest.mark.parametrize(
    ("days", "after", "opens"),
    [(0, 1, 1), (7, 6, 0), (7, 8, 1), (90, 89, 0)],
    ids=["at once", "within the days", "after the days", "the longest"],
)
def test_a_job_closed_knowingly_comes_back_only_after_reopen_after_days(
    app: Flask, days: int, after: int, opens: int
) -> None:
    save(no_coms={"reopen_after_days": days})
    add_site("S1")
    run_at()
    work(jobs()[0], "closed")

    assert run_at(later(24 * after)).created_jobs == opens


def test_a_recovery_in_between_ends_reopen_after_days(app: Flask) -> None:
    save(zero_reads={"reopen_after_days": 30})
    key = add_site("S1", daily(STUCK))
    run_at()
    work(jobs()[0], "closed")
    add_readings(key, {later(3): 1240})
    run_at(later(4))
    add_readings(key, daily([1240] * 5, later(24 * 5)))

    assert run_at(later(24 * 5)).rules["zero_reads"].created == 1


def test_a_job_that_the_program_closed_does_not_hold_back_the_next(app: Flask) -> None:
    save(zero_reads={"reopen_after_days": 30, "auto_close_recovered": True})
    key = add_site("S1", daily(STUCK))
    run_at()
    add_readings(key, {later(3): 1240})
    run_at(later(4))
    add_readings(key, daily([1240] * 5, later(24 * 5)))

    assert run_at(later(24 * 5)).rules["zero_reads"].created == 1


def test_jobs_take_queue_instructions_and_first_status_from_their_rule(app: Flask) -> None:
    save(no_coms={"queue": "Field team", "instructions": "1. Call.\n2. Drive.", "initial_status": "on_hold"})
    add_site("S1")

    run_at()

    assert [(job.queue, job.instructions, job.status) for job in jobs()] == [
        ("Field team", "1. Call.\n2. Drive.", "on_hold")
    ]
