"""Meter changes come as a CSV of their own."""

from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports.meter_changes import from_csv, import_meter_changes
from jobauto.imports.result import ImportResult
from jobauto.models import Event, MeterChange
from tests.fleets import add_site
from tests.readings.doubts import OSCAR, add_classified, meters, qualities

HEADER = "site_id,changed_at,closing,opening,serial\n"
CHANGE = "S1,2026-03-30T00:00Z,45212.50,0,A1\n"


def load(text: str) -> ImportResult:
    return import_meter_changes(
        from_csv(BytesIO((HEADER + text).encode())), zone=ZoneInfo("Europe/London"), author=OSCAR
    )


def test_readings_are_judged_by_them_at_once_and_the_history_says_so(app: Flask) -> None:
    key = add_classified("S1", ["45209", "45210.33", 0, "3.10"])
    assert qualities(key) == "ggdd"

    assert load(CHANGE).describe() == "1 new, 0 updated, 0 unchanged, 0 rejected"

    assert (qualities(key), meters(key)) == ("gggg", [0, 0, 1, 1])
    text = "2026-03-30 00:00 UTC, closing 45212.50, opening 0.00, serial A1"
    assert db.session.scalars(select(Event.after)).all() == [text]


def test_the_same_file_again_changes_nothing_and_other_values_replace_them(app: Flask) -> None:
    add_classified("S1", [1])
    load(CHANGE)

    assert load(CHANGE).describe() == "0 new, 0 updated, 1 unchanged, 0 rejected"
    assert load("S1,2026-03-30T01:00,,,\n").describe() == "0 new, 1 updated, 0 unchanged, 0 rejected"
    [stored] = db.session.scalars(select(MeterChange))
    assert (stored.closing, stored.opening, stored.serial) == (None, None, "")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("S9,2026-03-30T00:00Z,,,\n", "unknown site: S9"),
        ("S2,2026-03-30T00:00Z,,,\n", "The site sends intervals, and no register."),
        ("S1,30/03/2026,,,\n", "changed_at is not a date and time like 2026-03-31T06:00"),
        ("S1,2026-04-02T00:00Z,,,\n", "changed_at is more than 24 hours in the future"),
        ("S1,2026-03-30T00:00Z,1e3,,\n", "closing is not a number like 1234.56"),
        (CHANGE + CHANGE.replace("A1", "B2"), "lines 2 and 3 give different values for the same site"),
    ],
)
def test_what_is_no_meter_change_is_rejected(app: Flask, row: str, reason: str) -> None:
    add_site("S1")
    add_site("S2", measure="interval")

    assert {error.reason for error in load(row).errors} == {reason}
    assert db.session.scalars(select(MeterChange)).all() == []
