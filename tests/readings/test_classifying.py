"""Sites whose readings are not classified: who sees to it, and what a run makes of them before."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Reading, ToClassify
from jobauto.readings import classifying
from jobauto.readings.classifying import classify, classify_waiting
from jobauto.settings import service as settings
from jobauto.storage.connections import write_on
from jobauto.storage.marks import mark
from jobauto.work.scheduler import classify_readings
from tests.detection.running import jobs, run_at
from tests.fleets import NOON, add_site, daily
from tests.memory import at_most

FROZEN = [1234, 1234, 0, 1234]
"""A dead register with a false zero in it."""


def qualities() -> list[int]:
    """Of all readings, by site and time."""
    db.session.rollback()
    query = select(Reading.quality).order_by(Reading.site_key, Reading.reading_date)
    return list(db.session.scalars(query))


def waiting() -> list[bool]:
    """Whether each site that is to be classified is urgent."""
    db.session.rollback()
    return list(db.session.scalars(select(ToClassify.urgent)))


def test_it_goes_on_where_it_was_interrupted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifying, "SMALLEST", 1)
    monkeypatch.setattr(classifying, "LARGEST", 1)
    for number in range(3):
        add_site(f"S{number}", daily(FROZEN))
    settings.save(lambda now: now.changed({"READINGS": {"fall_tolerance": 2}}), by="ada", now=NOON)

    def interrupt(done: int) -> None:
        if done == 2:
            raise InterruptedError

    with db.engine.connect() as connection, pytest.raises(InterruptedError):
        classify_waiting(connection, NOON, interrupt)
    assert (qualities().count(2), waiting()) == (2, [False])

    classify_readings()

    assert (qualities().count(2), waiting()) == (3, [])


def test_a_run_looks_at_no_site_before_it_is_classified(app: Flask) -> None:
    """A false zero hid the fault: from 0 to 1234 the register seems to rise."""
    key = add_site("S1", daily([1234, 0, 1234, 1234, 1234]))
    with db.engine.connect() as connection, write_on(connection):
        mark(connection, [key])

    run_at()

    assert [job.rule for job in jobs()] == ["zero_reads"]
    assert waiting() == []


def test_what_is_written_of_a_site_that_sends_nonsense_is_not_held_together(app: Flask) -> None:
    """Each of its readings is a change and a review. 750,000 of them took more than a gigabyte."""
    begin = NOON - timedelta(minutes=20_000)
    readings = {begin + timedelta(minutes=at): at % 2 * 10_000 for at in range(10_000)}
    key = add_site("S1", readings)
    with db.engine.connect() as connection, write_on(connection), at_most(9):
        classify(connection, [key], Author(None, NOON))
    assert qualities().count(2) == 4_999


def test_few_readings_are_held_together_however_many_sites_are_classified(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifying, "READINGS", 1000)
    readings = {NOON - timedelta(minutes=at): 0 if at == 500 else 7_000 for at in range(1000)}
    keys = [add_site(f"S{number}", readings) for number in range(15)]
    with db.engine.connect() as connection, write_on(connection), at_most(3):
        classify(connection, keys, Author(None, NOON))
    assert qualities().count(2) == 15
