"""A person records that a meter was changed."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.imports.readings import from_csv, import_readings
from jobauto.models import Event, MeterChange, Site
from jobauto.readings.meter_changes import MOST, Change, UnknownMeterChange, delete_change, record_change
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site, days_before
from tests.readings.doubts import OSCAR, add_classified, meters, qualities, reviews

LONG_AGO = [45209, "45210.33", 0, "3.10"]


def site(key: int) -> Site:
    return db.session.get_one(Site, key)


def test_readings_from_then_on_are_of_the_new_meter_until_it_is_taken_back(app: Flask) -> None:
    key = add_classified("S1", LONG_AGO)
    assert (qualities(key), reviews(key)) == ("ggdd", [("fall", "open", None, None)])

    number = record_change(site(key), Change(days_before(1.5), Decimal("45212.50")), author=OSCAR)
    assert (qualities(key), meters(key), reviews(key)) == ("gggg", [0, 0, 1, 1], [])

    delete_change(site(key), number, author=OSCAR)
    assert (qualities(key), meters(key)) == ("ggdd", [0, 0, 0, 0])
    told = db.session.execute(select(Event.field, Event.before, Event.after).order_by(Event.id)).all()
    text = "2026-03-30 00:00 UTC, closing 45212.50"
    assert [tuple(row) for row in told] == [("meter_change", None, text), ("meter_change", text, None)]


def test_the_same_instant_again_replaces_it(app: Flask) -> None:
    key = add_classified("S1", LONG_AGO)
    first = record_change(site(key), Change(days_before(1.5), Decimal("45212.50"), serial="A1"), author=OSCAR)

    again = record_change(site(key), Change(days_before(1.5), opening=Decimal(0)), author=OSCAR)

    assert first == again
    stored = db.session.scalars(select(MeterChange)).one()
    assert (stored.closing, stored.opening, stored.serial) == (None, Decimal(0), "")


def test_it_may_be_a_day_ahead_and_no_more(app: Flask) -> None:
    key = add_classified("S1", [1])
    day = timedelta(hours=24)
    record_change(site(key), Change(NOON + day), author=OSCAR)

    with pytest.raises(InvalidInput):
        record_change(site(key), Change(NOON + day + timedelta(microseconds=1)), author=OSCAR)


def test_a_site_has_so_many_and_one_that_is_taken_back_makes_room(app: Flask) -> None:
    key = add_classified("S1", [1])
    with write() as session:
        session.add_all(MeterChange(site_key=key, changed_at=days_before(day)) for day in range(MOST))

    with pytest.raises(InvalidInput):
        record_change(site(key), Change(NOON + timedelta(hours=1)), author=OSCAR)

    again = record_change(site(key), Change(days_before(1), serial="A1"), author=OSCAR)
    delete_change(site(key), again, author=OSCAR)
    record_change(site(key), Change(NOON + timedelta(hours=1)), author=OSCAR)


def test_a_site_that_sends_intervals_has_none(app: Flask) -> None:
    key = add_site("S1", measure="interval")

    with pytest.raises(InvalidInput):
        record_change(site(key), Change(NOON), author=OSCAR)


def test_nobody_takes_back_the_change_of_another_site(app: Flask) -> None:
    key, other = add_classified("S1", [1]), add_classified("S2", [1])
    number = record_change(site(key), Change(NOON), author=OSCAR)

    with pytest.raises(UnknownMeterChange):
        delete_change(site(other), number, author=OSCAR)


def test_readings_that_are_imported_later_are_of_the_new_meter_though_they_are_in_line(app: Flask) -> None:
    key = add_classified("S1", [100, 101])
    record_change(site(key), Change(NOON + timedelta(hours=12)), author=OSCAR)
    db.session.rollback()
    lines = b"site_id,reading_date,reading_value\nS1,2026-04-01T12:00Z,102\n"

    import_readings(from_csv(BytesIO(lines)), zone=ZoneInfo("UTC"), now=NOON + timedelta(days=2))

    assert meters(key) == [0, 0, 1]
