"""Old months go as whole partitions, only where that was asked for, and never what a job rests on."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from jobauto import create_app
from jobauto.config import ConfigError
from jobauto.extensions import db
from jobauto.models import Job, JobReading, Reading
from jobauto.storage import partitions
from jobauto.work import scheduler
from tests.fleets import NOON, add_site, daily, days_before, run_noon
from tests.imports.importing import counts, import_readings
from tests.partitions.looking import all_partitions, drop_old, partition, partitions_with_rows

pytestmark = pytest.mark.postgresql


def ago(months: int) -> datetime:
    """The first instant of the month so many months before noon's."""
    day = partitions.months_after(partitions.month_of(NOON), -months)
    return datetime(day.year, day.month, 1, tzinfo=UTC)


def test_what_lies_wholly_before_the_months_that_are_kept_is_dropped(app: Flask) -> None:
    just_before = ago(3) - timedelta(microseconds=1)
    add_site("S1", {NOON: 1, ago(3): 2, just_before: 3, ago(4): 4, ago(200): 5})
    partition()

    dropped = drop_old(NOON, 3)
    assert dropped[0] == "reading_older"
    assert dropped[-1] == "reading_2025_11"
    assert sorted(db.session.scalars(select(Reading.reading_value))) == [1, 2]
    assert all_partitions()[0] == "reading_2025_12"


def test_the_second_time_there_is_nothing_to_drop(parts: Flask) -> None:
    assert drop_old(NOON, 3) != []
    assert drop_old(NOON, 3) == []


def test_older_readings_may_still_be_imported_and_go_again(parts: Flask) -> None:
    add_site("S1")
    drop_old(NOON, 3)

    assert counts(import_readings(["S1,2020-01-01T00:00Z,1", "S1,2025-12-01T00:00Z,2"])) == (2, 0, 0, 0)
    assert drop_old(NOON, 3) == ["reading_older"]
    assert partitions_with_rows() == {"reading_2025_12": 1}


def test_the_newest_month_always_stays(parts: Flask) -> None:
    drop_old(NOON + timedelta(days=3650), 2)
    assert all_partitions() == ["reading_2026_06", "reading_older"]


def test_zero_keeps_everything(parts: Flask) -> None:
    before = all_partitions()
    assert drop_old(NOON, 0) == []
    assert all_partitions() == before


def test_a_plain_table_keeps_everything(app: Flask) -> None:
    add_site("S1", {ago(200): 1})
    assert drop_old(NOON, 2) == []
    assert db.session.scalar(select(func.count()).select_from(Reading)) == 1


def test_what_a_job_was_opened_on_stays(app: Flask) -> None:
    add_site("flat", daily([7] * 4, last=days_before(200)))
    run_noon()
    partition()
    kept = db.session.scalar(select(func.count()).select_from(JobReading))
    db.session.rollback()

    drop_old(NOON, 2)
    assert db.session.scalar(select(func.count()).select_from(Reading)) == 0
    assert db.session.scalar(select(func.count()).select_from(JobReading)) == kept == 4
    assert db.session.scalars(select(Job)).one().site.site_id == "flat"


def test_it_is_put_off_while_somebody_reads(parts: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "_PATIENCE", "50ms")
    before = all_partitions()
    with db.engine.begin() as busy:
        busy.execute(text("SELECT * FROM reading"))
        with pytest.raises(OperationalError, match="lock timeout"):
            drop_old(NOON, 3)
    assert all_partitions() == before
    assert drop_old(NOON, 3) != []


def test_a_tick_drops_what_the_configuration_says(parts: Flask) -> None:
    parts.config["KEEP_READINGS_MONTHS"] = 3
    scheduler.keep_partitions(lambda: NOON)
    assert all_partitions()[0] == "reading_2025_12"


@pytest.mark.parametrize("value", ["1", "-2", "x"])
def test_a_number_that_would_reach_into_the_rules_windows_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("JOBAUTO_KEEP_READINGS_MONTHS", value)
    with pytest.raises(ConfigError, match="JOBAUTO_KEEP_READINGS_MONTHS"):
        create_app({"TESTING": True})
