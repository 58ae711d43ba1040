"""One open job a fault: what blocks a second one, and what does not."""

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.models import Site
from jobauto.rules.no_coms import NO_COMS
from jobauto.rules.zero_reads import ZERO_READS
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_readings, add_site, daily, days_before

STUCK = [1234] * 6


def zero_counts(hours: float) -> tuple[int, int, int]:
    """Flagged, created and skipped by Zero Reads in a run so many hours after noon."""
    result = run_at(later(hours)).rules["zero_reads"]
    return result.flagged, result.created, result.skipped


def test_with_the_check_on_a_second_run_opens_none_and_counts_it_as_skipped(app: Flask) -> None:
    add_site("S1", daily(STUCK))

    assert [zero_counts(0), zero_counts(1)] == [(1, 1, 0), (1, 0, 1)]
    assert len(jobs()) == 1


def test_with_the_check_off_every_run_opens_one_and_on_again_none(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    save(zero_reads={"check_duplicate": False})
    assert [zero_counts(0), zero_counts(1)] == [(1, 1, 0), (1, 1, 0)]

    save(zero_reads={"check_duplicate": True})

    assert zero_counts(2) == (1, 0, 1)
    assert [job.duplicate_checked for job in jobs()] == [False, False]


def test_on_off_on_a_job_opened_with_the_check_does_not_hold_back_one_without(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    counts = []
    for hour, on in enumerate([True, False, True]):
        save(zero_reads={"check_duplicate": on})
        counts.append(zero_counts(hour))

    assert counts == [(1, 1, 0), (1, 1, 0), (1, 0, 1)]
    assert [job.duplicate_checked for job in jobs()] == [True, False]


def test_after_one_of_two_open_jobs_is_closed_the_other_still_blocks(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    save(zero_reads={"check_duplicate": False})
    zero_counts(0)
    zero_counts(1)
    save(zero_reads={"check_duplicate": True})
    first, second = jobs()

    work(first, "closed")
    assert zero_counts(2) == (1, 0, 1)
    work(second, "closed")
    assert zero_counts(3) == (1, 1, 0)


@pytest.mark.parametrize("status", ["open", "in_progress", "on_hold"])
def test_an_open_job_blocks_whatever_step_it_is_in(app: Flask, status: str) -> None:
    add_site("S1", daily(STUCK))
    zero_counts(0)
    work(jobs()[0], status)

    assert zero_counts(1) == (1, 0, 1)


def test_a_closed_job_does_not_block(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    zero_counts(0)
    work(jobs()[0], "closed")

    assert zero_counts(1) == (1, 1, 0)


def test_a_job_of_another_rule_does_not_block(app: Flask) -> None:
    add_site("S1", {days_before(8 - day): 5 for day in range(4)})
    run_at(NOON, rules=(NO_COMS,))

    result = run_at(days_before(5), rules=(ZERO_READS,))

    assert result.rules["zero_reads"].created == 1
    assert [job.rule for job in jobs()] == ["no_coms", "zero_reads"]


def test_a_job_of_another_site_does_not_block(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    zero_counts(0)
    add_site("S2", daily(STUCK))

    assert zero_counts(1) == (2, 1, 1)


def test_a_job_of_the_types_old_name_does_not_block_one_of_the_new(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    zero_counts(0)
    save(zero_reads={"job_type_id": "stuck-register"})

    assert [zero_counts(1), zero_counts(2)] == [(1, 1, 0), (1, 0, 1)]
    assert [job.job_type for job in jobs()] == ["zero_reads", "stuck-register"]


def test_an_open_job_of_the_same_type_blocks_even_if_the_other_rule_opened_it(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    save(no_coms={"job_type_id": "visit", "check_duplicate": False})
    run_at(later(24 * 4), rules=(NO_COMS,))
    save(no_coms={"job_type_id": "no_coms"}, zero_reads={"job_type_id": "visit"})

    assert zero_counts(0) == (1, 0, 1)


def test_a_site_that_recovers_keeps_its_open_job_and_gets_no_second_when_it_fails_again(app: Flask) -> None:
    key = add_site("S1", daily(STUCK))
    zero_counts(0)
    add_readings(key, {later(1): 2000})
    assert zero_counts(2) == (0, 0, 0)
    add_readings(key, daily([2000] * 5, last=later(24 * 6)))

    assert zero_counts(24 * 6) == (1, 0, 1)
    assert [job.status for job in jobs()] == ["open"]


def test_an_inactive_sites_job_stays_open(app: Flask) -> None:
    add_site("S1", daily(STUCK))
    zero_counts(0)
    with write() as session:
        session.execute(update(Site).values(active=False))

    assert zero_counts(1) == (0, 0, 0)
    assert [job.status for job in jobs()] == ["open"]
