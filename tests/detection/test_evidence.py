"""What a job keeps of the readings it was opened on."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from jobauto.extensions import db
from jobauto.jobs import queries
from jobauto.models import Reading
from jobauto.models.quality import Quality
from jobauto.storage.connections import write
from tests.detection.running import jobs, run_at, save
from tests.fleets import NOON, add_readings, add_site, daily, days_before


def kept() -> list[tuple[float, str]]:
    """(days before noon, kWh) of the first job's evidence, oldest first."""
    rows = db.session.scalars(queries.evidence(jobs()[0]))
    return [((NOON - row.reading_date) / timedelta(days=1), str(row.reading_value)) for row in rows]


def test_a_job_keeps_its_window_and_thirty_readings_up_to_its_run(app: Flask) -> None:
    add_site("S1", daily([*range(100, 140), 140, 140, 140, 140]) | {NOON + timedelta(hours=1): 999})

    run_at()

    evidence = kept()
    assert len(evidence) == 30
    assert evidence[0] == (29, "114.00")
    assert evidence[-1] == (0, "140.00")


def test_a_window_with_more_readings_is_kept_whole(app: Flask) -> None:
    save(zero_reads={"days_to_check": 4})
    add_site("S1", {NOON - timedelta(hours=hours): 5 for hours in range(24 * 6)})

    run_at()

    assert kept()[0][0] == 95 / 24
    assert len(kept()) == 96


def test_a_silent_site_keeps_the_readings_before_its_silence_and_one_never_heard_of_none(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3], days_before(40)))
    add_site("S2")

    run_at()

    assert kept() == [(42, "1.00"), (41, "2.00"), (40, "3.00")]
    assert list(db.session.scalars(queries.evidence(jobs()[1]))) == []


def test_the_evidence_keeps_what_each_reading_was_worth(app: Flask) -> None:
    key = add_site("S1", daily([7] * 5))
    add_readings(key, {days_before(1.5): 0}, quality=Quality.WRONG)
    run_at()
    with write() as session:
        session.execute(update(Reading).values(quality=Quality.IGNORED))

    qualities = [row.quality for row in db.session.scalars(queries.evidence(jobs()[0]))]
    assert qualities == [0, 0, 0, Quality.WRONG, 0, 0]


def test_a_later_import_does_not_change_the_evidence(app: Flask) -> None:
    add_site("S1", daily([7] * 5))
    run_at()
    before = kept()
    with write() as session:
        session.execute(update(Reading).values(reading_value=8))

    assert kept() == before
