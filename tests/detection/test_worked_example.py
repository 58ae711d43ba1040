"""The worked example of the contract: four equal daily readings, checked on the fourth day."""

from flask import Flask
from sqlalchemy import select

from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import Job
from tests.fleets import NOON, add_site, daily


def test_four_equal_daily_readings_open_one_zero_reads_job_and_a_second_run_opens_none(app: Flask) -> None:
    add_site("S1", daily([1234, 1234, 1234, 1234]), site_name="Mill Lane")

    first = run(RunParameters("cli"), lambda: NOON)
    second = run(RunParameters("cli"), lambda: NOON)

    assert (first.created_jobs, second.created_jobs) == (1, 0)
    assert second.rules["zero_reads"].skipped == 1
    job = db.session.scalars(select(Job)).one()
    assert (job.rule, job.status, job.days, job.zero_count) == ("zero_reads", "open", 3, 3)
    assert job.description == "No generation increase for 3 days at Mill Lane"
